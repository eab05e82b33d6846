"""The backend for a server with the chat endpoint of the OpenAI API: vLLM, llama.cpp's server and others.

The official `openai` client is used: it knows the wire format in all its versions. Its own repeats are
off, because they would not keep to a question's deadline; `lawqa.backends.remote.asking` does that for all
servers.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, NoReturn

import openai

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import Address
from lawqa.backends.remote.asking import (
    Job,
    RequestError,
    all_jobs,
    ask_all,
    ask_once,
    request_seed,
)
from lawqa.backends.remote.labels import TOP_LOGPROBS, choice_scores
from lawqa.backends.remote.text import chat, joined, sent_text
from lawqa.backends.remote.window import TokenCount, check_whole, prompt_size
from lawqa.errors import BackendError
from lawqa.prompting import Prompt

KEY_VARIABLE = "OPENAI_API_KEY"
_NO_KEY = "none"  # the client insists on one; servers on loopback mostly do not


class OpenAIBackend:
    """Asks a model on an OpenAI-style server.

    Args:
        model: its name on the server.
        address: where the server is, with the `/v1`.
        limits: deadlines, repeats, requests in flight.
        count: counts tokens with the model's own tokenizer; None to bound prompts by their bytes.

    Raises:
        BackendError: there is no server, or it does not have the model.
    """

    def __init__(
        self,
        model: str,
        address: Address,
        limits: Limits | None = None,
        count: TokenCount | None = None,
    ) -> None:
        self._name = model
        self._address = address
        self._limits = limits or Limits()
        self._count = count
        self._server: dict[str, Any] = self._inspect()
        self._fingerprints: set[str] = set()
        self._unlisted: Counter[str] = Counter()

    @property
    def chat_template(self) -> str:
        """Empty: the server applies its own and does not show it."""
        return ""

    def describe(self) -> dict[str, Any]:
        """The model's name and what the server says of itself; never the key."""
        return {
            "backend": "openai",
            "name": self._name,
            "server": {
                "url": self._address.url,
                "this_machine": self._address.loopback,
                **self._server,
                "fingerprints": sorted(self._fingerprints),
            },
            "client": f"openai {version('openai')}",
            "tokens_counted_by": "tokenizer" if self._count else "bytes",
            "concurrency": self._limits.concurrency,
            "timeout": self._limits.timeout,
            "labels_below_the_top_tokens": dict(self._unlisted),
        }

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        """Log-probabilities of the labels, from the likeliest tokens that the server lists.

        A label that is not among them gets the largest log-probability it can have; `describe` counts
        these. The question fails where no label is among them.

        Raises:
            BackendError: the server gives no log-probabilities.
        """
        settings = GenerationSettings(max_new_tokens=1)

        async def ask(client: Any, job: Job) -> ChoiceScores:
            start = time.perf_counter()
            options = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
            response, tokens = await self._chat(client, job, settings, **options)
            listed = _first_token_alternatives(response.choices[0])
            scores, unlisted = choice_scores(
                job.prompt, listed, prompt_tokens=tokens, seconds=time.perf_counter() - start
            )
            self._unlisted.update(unlisted)
            return scores

        yield from ask_all([Job(prompt) for prompt in prompts], self._open, ask, self._limits)

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        """Text for each prompt, as it is done; `seconds` is the whole time of its request.

        The server stops at the model's end tokens and at `max_new_tokens` only: `stop_at_final_answer`
        and `stop_at_loops`, which save time and not more, have no effect.

        Raises:
            BackendError: a thinking budget is asked for.
        """
        if settings.thinking_budget is not None:
            raise BackendError(
                "an OpenAI-style server cannot close a think block at a budget",
                "leave the thinking budget out, or use --llm-backend hf",
            )

        async def ask(client: Any, job: Job) -> Completion:
            start = time.perf_counter()
            response, tokens = await self._chat(client, job, settings)
            choice = response.choices[0]
            hit_limit = choice.finish_reason == "length"
            return Completion(
                key=job.prompt.key,
                text=joined(_reasoning(choice), choice.message.content, hit_limit=hit_limit),
                hit_limit=hit_limit,
                prompt_text=sent_text(job.prompt.messages),
                prompt_tokens=tokens,
                completion_tokens=response.usage.completion_tokens,
                seconds=time.perf_counter() - start,
                repeat=job.repeat,
                stopped="limit" if hit_limit else "end",
            )

        jobs = all_jobs(prompts, settings)
        yield from ask_all(jobs, self._open, ask, self._limits)

    def score_after(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> NoReturn:
        """Nothing: how a server goes on with a text of ours is not part of the API.

        Raises:
            BackendError: always.
        """
        del prompts, texts
        raise BackendError(
            "an OpenAI-style server cannot score labels after a text that the model wrote",
            "--llm-backend hf can",
        )

    def _open(self) -> openai.AsyncOpenAI:
        """A client that sends nothing anywhere else: no redirections, no proxy for this machine."""
        return openai.AsyncOpenAI(
            api_key=os.environ.get(KEY_VARIABLE) or _NO_KEY,
            base_url=self._address.url,
            max_retries=0,
            timeout=None,
            http_client=openai.DefaultAsyncHttpxClient(
                follow_redirects=False,
                trust_env=not self._address.loopback,
                verify=self._address.tls,
                timeout=None,
            ),
        )

    def _inspect(self) -> dict[str, Any]:
        async def look(client: Any) -> dict[str, Any]:
            with _explained_errors():
                raw = await client.models.with_raw_response.list()
                if "json" not in raw.headers.get("content-type", ""):
                    raise ValueError(f"{raw.headers.get('content-type')} in the place of JSON")
                known = {entry.id: entry for entry in raw.parse().data}
            if self._name not in known:
                raise BackendError(
                    f"the server at {self._address.url} does not have {self._name}; "
                    f"it has: {', '.join(sorted(known)) or 'none'}",
                    "--llm-model takes a name from that list",
                )
            return {"software": raw.headers.get("server"), "owned_by": known[self._name].owned_by}

        def not_there(problem: RequestError) -> BackendError:
            return BackendError(
                f"the server at {self._address.url} cannot be asked: {problem.reason}",
                f"is it running, does its address end so, is {KEY_VARIABLE} set if it wants a key?",
            )

        return ask_once(self._open, look, self._limits, not_there)

    async def _chat(
        self, client: Any, job: Job, settings: GenerationSettings, **options: Any
    ) -> tuple[Any, int]:
        """The response and the length of the prompt in tokens."""
        with _explained_errors():
            response = await client.chat.completions.create(
                model=self._name,
                messages=chat(job.prompt),
                max_tokens=settings.max_new_tokens,
                seed=request_seed(settings, job),
                temperature=settings.temperature,
                top_p=settings.top_p,
                extra_body={
                    # -1 for all: vLLM and llama.cpp both take it, and both have another default.
                    "top_k": settings.top_k or -1,
                    "min_p": settings.min_p,
                    "chat_template_kwargs": {"enable_thinking": job.prompt.spec.thinking},
                },
                **options,
            )
        if not isinstance(response, openai.types.chat.ChatCompletion) or not response.choices:
            raise RequestError("the server's answer holds no completion", passing=True)
        if response.system_fingerprint:
            self._fingerprints.add(response.system_fingerprint)
        reported = response.usage.prompt_tokens if response.usage else None
        return response, check_whole(prompt_size(job.prompt, self._count), reported)


@contextmanager
def _explained_errors() -> Iterator[None]:
    """Turn what the client raises into RequestError, without the key that a server may repeat."""
    try:
        yield
    except openai.APIStatusError as problem:
        body = problem.body
        told = body.get("message") if isinstance(body, dict) else None
        text = str(told or problem.message)
        key = os.environ.get(KEY_VARIABLE)
        text = text.replace(key, "…") if key else text
        raise RequestError.from_status(problem.status_code, text) from None
    except openai.APIConnectionError as problem:
        what = str(problem.__cause__ or problem) or type(problem.__cause__).__name__
        raise RequestError(f"the connection failed: {what}", passing=True) from None
    except (openai.APIError, ValueError) as problem:  # broken JSON, or JSON of another shape
        raise RequestError(
            f"the server's answer is not what its API says: {problem}", passing=True
        ) from None


def _reasoning(choice: Any) -> str | None:
    """The think block where a server takes it out of the text: two names are in use."""
    extra = choice.message.model_extra or {}
    found = extra.get("reasoning_content") or extra.get("reasoning")
    return found if isinstance(found, str) else None


def _first_token_alternatives(choice: Any) -> list[tuple[str, float]]:
    """The likeliest first tokens; raises BackendError where the server gives none."""
    given = choice.logprobs.content if choice.logprobs else None
    if given is None and (choice.message.content or _reasoning(choice)):
        raise BackendError("this server gives no log-probabilities", "--answer-by generate")
    if not given:  # llama.cpp's server leaves it out where nothing was written
        raise RequestError("the model ended its answer before the first token")
    listed = given[0].top_logprobs
    if not listed:
        raise BackendError(
            "this server gives the log-probability of the chosen token only",
            "--answer-by generate",
        )
    return [(entry.token, entry.logprob) for entry in listed]
