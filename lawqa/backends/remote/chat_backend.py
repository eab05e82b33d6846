"""A backend on the chat endpoint of any server; the modules beside this one know the protocols."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import ClassVar, NoReturn

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import Address
from lawqa.backends.remote.answer import ChatAnswer
from lawqa.backends.remote.asking import CompletionRequest, all_requests, ask_all
from lawqa.backends.remote.client import ServerClient
from lawqa.backends.remote.labels import TOP_LOGPROBS, ListsTokens, scores_with_bounds
from lawqa.backends.remote.reading import Listed
from lawqa.backends.remote.request_error import RequestError
from lawqa.backends.remote.text import begins_in_thought, raw_text, sent_text
from lawqa.backends.remote.window import TokenCount
from lawqa.errors import BackendError
from lawqa.prompting import Prompt


class ChatBackend(ABC):
    """Asks a model on a server, which applies the model's chat template itself.

    Args:
        address: where the server is.
        limits: deadlines, repeats, requests in flight.
        count: counts tokens with the model's own tokenizer; None to bound prompts by their bytes.
    """

    server: ClassVar[str]
    """What messages call such a server."""
    key_variable: ClassVar[str]
    """The environment variable that holds the server's key."""
    no_logprobs: ClassVar[tuple[str, str]]
    """Message and hint where the server lists no tokens."""
    hides_opened_thoughts: ClassVar[bool]
    """Whether the template may open a think block in the prompt without the server reporting it."""

    def __init__(self, address: Address, limits: Limits | None, count: TokenCount | None) -> None:
        self._address = address
        self._limits = limits or Limits()
        self._count = count
        self._unlisted: Counter[str] = Counter()

    @abstractmethod
    async def _chat(
        self,
        client: ServerClient,
        request: CompletionRequest,
        settings: GenerationSettings,
        top_logprobs: int = 0,
    ) -> tuple[ChatAnswer, int]:
        """Return the answer to one request and the length of its prompt in tokens.

        Raises:
            RequestError: the request failed, or the server did not read the whole prompt.
        """

    def _prepare(self, prompts: Sequence[Prompt], settings: GenerationSettings) -> None:
        """Make the server ready for these prompts, where it needs that."""
        del prompts, settings

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        """Return the log-probabilities of the labels, from the likeliest tokens that the server lists.

        A label that is not among them gets the largest log-probability it can have; `describe` counts
        these. The question fails where no label is among them.

        Raises:
            BackendError: the server gives no log-probabilities, or cannot take a prompt.
        """
        settings = GenerationSettings(max_new_tokens=1)
        self._prepare(prompts, settings)
        lists = ListsTokens(len(prompts), BackendError(*self.no_logprobs))

        async def ask(client: ServerClient, request: CompletionRequest) -> ChoiceScores:
            start = time.perf_counter()
            answer, tokens = await self._chat(client, request, settings, TOP_LOGPROBS)
            scores, unlisted = scores_with_bounds(
                request.prompt,
                _first_tokens(answer, lists),
                prompt_tokens=tokens,
                seconds=time.perf_counter() - start,
            )
            self._unlisted.update(unlisted)
            return scores

        yield from ask_all(all_requests(prompts, settings), self._open, ask, self._limits)

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        """Yield text for each prompt, as it is done; `seconds` is the whole time of its request.

        The server stops at the model's end tokens and at `max_new_tokens` only: `stop_at_final_answer`
        and `stop_at_loops`, which only save time, have no effect.

        Raises:
            BackendError: a thinking budget is asked for, or the server cannot take a prompt.
        """
        if settings.thinking_budget is not None:
            raise BackendError(
                f"{self.server} cannot close a think block at a budget",
                "leave the thinking budget out, or use --llm-backend hf",
            )
        self._prepare(prompts, settings)

        async def ask(client: ServerClient, request: CompletionRequest) -> Completion:
            start = time.perf_counter()
            answer, tokens = await self._chat(client, request, settings)
            written, thinking = answer.written(settings), request.prompt.spec.thinking
            return Completion(
                key=request.prompt.key,
                text=raw_text(written, thinking=thinking),
                hit_limit=written.hit_limit,
                prompt_text=sent_text(request.prompt.messages),
                prompt_tokens=tokens,
                completion_tokens=written.tokens,
                seconds=time.perf_counter() - start,
                repeat=request.repeat,
                stopped="limit" if written.hit_limit else "end",
                in_thought=self.hides_opened_thoughts
                and begins_in_thought(written, thinking=thinking),
            )

        yield from ask_all(all_requests(prompts, settings), self._open, ask, self._limits)

    def no_text_labels(self) -> str | None:
        """Return the reason: no chat endpoint continues a text."""
        return f"{self.server} cannot score labels after a text that the model wrote"

    def score_after(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> NoReturn:
        """Refuse: no chat endpoint continues a text that a client sends.

        Raises:
            BackendError: always.
        """
        del prompts, texts
        raise BackendError(
            f"{self.server} cannot score labels after a text that the model wrote",
            "--llm-backend hf can",
        )

    def _open(self) -> ServerClient:
        return ServerClient(self._address, self.key_variable)

    def _describe_client(self) -> dict[str, object]:
        """Return how the server was asked, for the manifest."""
        return {
            "client": f"httpx {version('httpx')}",
            "tokens_counted_by": "tokenizer" if self._count else "bytes",
            "concurrency": self._limits.concurrency,
            "max_concurrency": self._limits.most,
            "timeout": self._limits.timeout,
            "labels_below_the_top_tokens": dict(self._unlisted),
        }


def _first_tokens(answer: ChatAnswer, lists: ListsTokens) -> Listed:
    """Return the likeliest first tokens; raises RequestError or BackendError where there are none."""
    if answer.first_tokens is None and (answer.content or answer.thinking):
        lists.missing()
    # Servers leave the list out where nothing was written, or send an empty one.
    if not answer.first_tokens:
        raise RequestError("the model ended its answer before the first token")
    lists.given()
    return answer.first_tokens
