"""The backend for an Ollama server.

Ollama applies the model's chat template itself. It is told everything that decides an answer: greedy options
or sampled ones with a seed, thinking on or off, and a context window that no prompt can outgrow (its default
cuts law texts silently; `lawqa.backends.remote.window` says how that is kept out).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any, NoReturn

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import Address
from lawqa.backends.remote.asking import Job, all_jobs, ask_all, ask_once, request_seed
from lawqa.backends.remote.client import ServerClient
from lawqa.backends.remote.labels import TOP_LOGPROBS, ListsTokens, choice_scores
from lawqa.backends.remote.ollama_answers import ChatAnswer, read_chat, read_loaded, read_windows
from lawqa.backends.remote.ollama_server import (
    OllamaModel,
    check_loaded_window,
    inspect_model,
    open_client,
    refuse_cloud_model,
)
from lawqa.backends.remote.reading import Listed, needed_count
from lawqa.backends.remote.request_error import RequestError
from lawqa.backends.remote.text import Written, chat, raw_text, sent_text
from lawqa.backends.remote.window import PromptSize, TokenCount, check_whole, prompt_size
from lawqa.errors import BackendError
from lawqa.prompting import Prompt

# Loading reads gigabytes from a disk; it is not the first question's fault.
_LOADING_SECONDS = 900.0
# Windows in steps: a slightly longer prompt in the next run does not make Ollama load the model anew.
_WINDOW_STEP = 512


class OllamaBackend:
    """Asks a model on an Ollama server.

    Args:
        model: its name, such as `qwen3:8b`.
        address: where the server is.
        limits: deadlines, repeats, requests in flight.
        count: counts tokens with the model's own tokenizer; None to bound prompts by their bytes.

    Raises:
        BackendError: there is no server, it is too old, or it does not have the model.
    """

    def __init__(
        self,
        model: str,
        address: Address,
        limits: Limits | None = None,
        count: TokenCount | None = None,
    ) -> None:
        refuse_cloud_model(model)
        self._address = address
        self._limits = limits or Limits()
        self._count = count
        self._open = lambda: open_client(address)
        self._model: OllamaModel = inspect_model(model, address, self._limits)
        self._window: int | None = None
        self._unlisted: Counter[str] = Counter()

    @property
    def chat_template(self) -> str:
        """The server's own, in Go's template language; empty where the server renders without one."""
        return self._model.template

    def describe(self) -> dict[str, Any]:
        """The model as the server knows it, the server's version, the context window asked for."""
        return {
            "backend": "ollama",
            **self._model.describe(),
            "num_ctx": self._window,
            "server": {
                "url": self._address.url,
                "this_machine": self._address.loopback,
                "version": self._model.server_version,
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
            BackendError: the server gives no log-probabilities, or a prompt does not fit its window.
        """
        settings = GenerationSettings(max_new_tokens=1)
        sizes = self._sized(prompts, settings)

        unable = BackendError(
            "this Ollama server gives no log-probabilities",
            "Ollama 0.12.11 or later does; or --answer-by generate",
        )
        lists = ListsTokens(len(prompts), unable)

        async def ask(client: ServerClient, job: Job) -> ChoiceScores:
            start = time.perf_counter()
            answer = await self._chat(client, job, settings, top_logprobs=TOP_LOGPROBS)
            tokens = _whole(answer, sizes[job.prompt.key], self._window, settings)
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
            BackendError: a thinking budget is asked for, or a prompt does not fit the server's window.
        """
        if settings.thinking_budget is not None:
            raise BackendError(
                "Ollama cannot close a think block at a budget",
                "leave the thinking budget out, or use --llm-backend hf",
            )
        sizes = self._sized(prompts, settings)

        async def ask(client: ServerClient, job: Job) -> Completion:
            start = time.perf_counter()
            answer = await self._chat(client, job, settings)
            tokens = _whole(answer, sizes[job.prompt.key], self._window, settings)
            # Ollama leaves a count of 0 out.
            none = None if answer.content or answer.thinking else 0
            written = Written(
                content=answer.content,
                thinking=answer.thinking,
                hit_limit=answer.hit_limit(settings.max_new_tokens),
                tokens=needed_count(answer.completion_tokens or none, "eval_count"),
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
            )

        jobs = all_jobs(prompts, settings)
        yield from ask_all(jobs, self._open, ask, self._limits)

    def score_after(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> NoReturn:
        """Nothing: Ollama's chat endpoint does not go on with a text of ours.

        Raises:
            BackendError: always.
        """
        del prompts, texts
        raise BackendError(
            "Ollama cannot score labels after a text that the model wrote", "--llm-backend hf can"
        )

    def make_room(self, prompts: Sequence[Prompt], settings: GenerationSettings) -> None:
        """As `NeedsRoom`: another window later would make Ollama load the model anew.

        Raises:
            BackendError: the longest prompt does not fit the model's window, or the model does not load.
        """
        self._sized(prompts, settings)

    def _sized(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> dict[str, PromptSize]:
        """The prompts' sizes, the model loaded with a window for the longest of them and its answer."""
        sizes = {prompt.key: prompt_size(prompt, self._count) for prompt in prompts}
        if not sizes:
            return {}
        for prompt in prompts:
            self._model.check_thinking(asked=prompt.spec.thinking)
        window = self._window_for(sizes, settings.max_new_tokens)
        if self._window is None or window > self._window:
            self._load(window)
        return sizes

    def _load(self, window: int) -> None:
        loading = replace(self._limits, timeout=max(self._limits.timeout, _LOADING_SECONDS))

        async def load(client: ServerClient) -> None:
            # A chat without messages loads the model and answers nothing.
            body = {"model": self._model.name, "messages": [], "options": {"num_ctx": window}}
            await client.post("/api/chat", {**body, "stream": False}, read_loaded)

        async def look(client: ServerClient) -> None:
            check_loaded_window(await client.get("/api/ps", read_windows), self._model, window)

        def not_loaded(problem: RequestError) -> BackendError:
            return BackendError(
                f"{self._model.name} could not be loaded with a context window of {window}: "
                f"{problem.reason}",
                "ollama ps  shows what takes the memory; a shorter context or answer needs less",
            )

        ask_once(self._open, load, loading, not_loaded)
        ask_once(self._open, look, self._limits, not_loaded)
        self._window = window

    def _window_for(self, sizes: dict[str, PromptSize], max_new_tokens: int) -> int:
        longest = max(sizes, key=lambda key: sizes[key].at_most)
        needed = sizes[longest].at_most + max_new_tokens
        trained = self._model.context_length
        if trained is not None and needed > trained:
            hint = "a smaller --max-new-tokens, or a shorter context"
            if self._count is None:
                hint += "; --tokenizer DIR counts tokens instead of bounding them by bytes"
            raise BackendError(
                f"{longest}: the prompt may have {sizes[longest].at_most} tokens and its answer "
                f"{max_new_tokens}, more than the {trained} that {self._model.name} can read",
                hint,
            )
        rounded = -(-needed // _WINDOW_STEP) * _WINDOW_STEP
        return rounded if trained is None else min(rounded, trained)

    async def _chat(
        self,
        client: ServerClient,
        job: Job,
        settings: GenerationSettings,
        top_logprobs: int | None = None,
    ) -> ChatAnswer:
        options = {
            "num_ctx": self._window,
            "num_predict": settings.max_new_tokens,
            "seed": request_seed(settings, job),
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "top_k": settings.top_k,
            "min_p": settings.min_p,
            # A Modelfile may set these, and then even a greedy answer is not the likeliest one.
            "repeat_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
        }
        body: dict[str, object] = {
            "model": self._model.name,
            "messages": chat(job.prompt),
            "options": options,
            "stream": False,
        }
        if self._model.can_think:
            body["think"] = job.prompt.spec.thinking
        if top_logprobs:
            body |= {"logprobs": True, "top_logprobs": top_logprobs}
        return await client.post("/api/chat", body, read_chat)


def _whole(
    answer: ChatAnswer, size: PromptSize, window: int | None, settings: GenerationSettings
) -> int:
    return check_whole(
        size,
        answer.prompt_tokens,
        window=window,
        max_new_tokens=settings.max_new_tokens,
    )


def _first_token_alternatives(answer: ChatAnswer, lists: ListsTokens) -> Listed:
    """The likeliest first tokens; raises RequestError or BackendError where there are none."""
    if answer.first_tokens is None and (answer.content or answer.thinking):
        lists.missing()
    # Where nothing was written an empty list is left out of the answer.
    if not answer.first_tokens:
        raise RequestError("the model ended its answer before the first token")
    lists.given()
    return answer.first_tokens
