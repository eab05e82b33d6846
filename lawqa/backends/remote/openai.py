"""The backend for a server with the chat endpoint of the OpenAI API: vLLM, llama.cpp's server and others.

`lawqa.backends.remote` asks, repeats and reads; `lawqa.backends.remote.openai_answers` knows the wire format.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NoReturn

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import Address
from lawqa.backends.remote.asking import Job, all_jobs, ask_all, ask_once, request_seed
from lawqa.backends.remote.client import ServerClient
from lawqa.backends.remote.labels import TOP_LOGPROBS, ListsTokens, choice_scores
from lawqa.backends.remote.openai_answers import ChatAnswer, ListedModel, read_chat, read_models
from lawqa.backends.remote.reading import Listed, label_of, needed_count
from lawqa.backends.remote.request_error import RequestError
from lawqa.backends.remote.text import Written, begins_in_thought, chat, raw_text, sent_text, some
from lawqa.backends.remote.window import TokenCount, check_whole, prompt_size
from lawqa.errors import BackendError
from lawqa.prompting import Prompt

KEY_VARIABLE = "OPENAI_API_KEY"


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
        self._server = self._inspect()
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
            "client": f"httpx {version('httpx')}",
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
        unable = BackendError("this server gives no log-probabilities", "--answer-by generate")
        lists = ListsTokens(len(prompts), unable)

        async def ask(client: ServerClient, job: Job) -> ChoiceScores:
            start = time.perf_counter()
            answer, tokens = await self._chat(
                client, job, settings, logprobs=True, top_logprobs=TOP_LOGPROBS
            )
            scores, unlisted = choice_scores(
                job.prompt,
                _first_token_alternatives(answer, lists),
                prompt_tokens=tokens,
                seconds=time.perf_counter() - start,
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

        async def ask(client: ServerClient, job: Job) -> Completion:
            start = time.perf_counter()
            answer, tokens = await self._chat(client, job, settings)
            written = Written(
                content=answer.content,
                thinking=answer.thinking,
                hit_limit=answer.hit_limit(settings.max_new_tokens),
                tokens=needed_count(answer.completion_tokens, "usage.completion_tokens"),
            )
            return Completion(
                key=job.prompt.key,
                text=raw_text(written, thinking=job.prompt.spec.thinking),
                hit_limit=written.hit_limit,
                prompt_text=sent_text(job.prompt.messages),
                prompt_tokens=tokens,
                completion_tokens=written.tokens,
                seconds=time.perf_counter() - start,
                repeat=job.repeat,
                stopped="limit" if written.hit_limit else "end",
                in_thought=begins_in_thought(written, thinking=job.prompt.spec.thinking),
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

    def _open(self) -> ServerClient:
        return ServerClient(self._address, KEY_VARIABLE)

    def _inspect(self) -> dict[str, str | None]:
        def read(
            value: object, headers: Mapping[str, str]
        ) -> tuple[dict[str, ListedModel], str | None]:
            return read_models(value, headers), label_of(headers.get("server"))

        async def look(client: ServerClient) -> dict[str, str | None]:
            known, software = await client.get("/models", read)
            if self._name not in known:
                raise BackendError(
                    f"the server at {self._address.url} does not have {self._name}; "
                    f"it has: {some(known)}",
                    "--llm-model takes a name from that list",
                )
            return {"software": software, "owned_by": known[self._name].owner}

        def not_there(problem: RequestError) -> BackendError:
            return BackendError(
                f"the server at {self._address.url} cannot be asked: {problem.reason}",
                f"is it running, does its address end so, is {KEY_VARIABLE} set if it wants a key?",
            )

        return ask_once(self._open, look, self._limits, not_there)

    async def _chat(
        self,
        client: ServerClient,
        job: Job,
        settings: GenerationSettings,
        *,
        logprobs: bool = False,
        top_logprobs: int = 0,
    ) -> tuple[ChatAnswer, int]:
        """The answer and the length of the prompt in tokens."""
        listing = {"logprobs": True, "top_logprobs": top_logprobs} if logprobs else {}
        body = {
            "model": self._name,
            "messages": chat(job.prompt),
            "max_tokens": settings.max_new_tokens,
            "seed": request_seed(settings, job),
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            # -1 for all: vLLM and llama.cpp both take it, and both have another default.
            "top_k": settings.top_k or -1,
            "min_p": settings.min_p,
            "chat_template_kwargs": {"enable_thinking": job.prompt.spec.thinking},
            **listing,
        }
        answer = await client.post("/chat/completions", body, read_chat)
        if answer.fingerprint:
            self._fingerprints.add(answer.fingerprint)
        size = prompt_size(job.prompt, self._count)
        return answer, check_whole(size, answer.prompt_tokens)


def _first_token_alternatives(answer: ChatAnswer, lists: ListsTokens) -> Listed:
    """The likeliest first tokens; raises RequestError or BackendError where there are none."""
    if answer.first_tokens is None and (answer.content or answer.thinking):
        lists.missing()
    if not answer.first_tokens:  # llama.cpp's server leaves it out where nothing was written
        raise RequestError("the model ended its answer before the first token")
    lists.given()
    return answer.first_tokens
