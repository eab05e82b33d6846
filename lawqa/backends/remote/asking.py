"""Asking a server many things at once: deadlines, repeated requests, answers as they come."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import anyio
from anyio.from_thread import start_blocking_portal
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from lawqa.backends.base import Failure, GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.pace import RequestPace
from lawqa.backends.remote.request_error import RequestError
from lawqa.errors import BackendError
from lawqa.made import Made
from lawqa.prompting import Prompt

logger = logging.getLogger(__name__)

Client = TypeVar("Client")
Answer = TypeVar("Answer")

_LONGEST_PAUSE = 30.0
_AHEAD = 16
"""Requests that wait for a place, so that none is empty while an answer is stored."""


@dataclass(frozen=True)
class CompletionRequest:
    """One completion that is asked for."""

    prompt: Prompt
    repeat: int = 0
    """Which of the prompt's completions it is."""


def all_requests(
    prompts: Sequence[Prompt], settings: GenerationSettings
) -> Sequence[CompletionRequest]:
    """Return each completion that is asked for, with its number."""
    numbers = range(settings.first_repeat, settings.first_repeat + settings.repeats)
    return Made(
        lambda place: CompletionRequest(
            prompts[place // settings.repeats], numbers[place % settings.repeats]
        ),
        range(len(prompts) * settings.repeats),
    )


OpenClient = Callable[[], AbstractAsyncContextManager[Client]]


def ask_all(
    requests: Sequence[CompletionRequest],
    open_client: OpenClient[Client],
    ask: Callable[[Client, CompletionRequest], Awaitable[Answer]],
    limits: Limits,
) -> Iterator[Answer | Failure]:
    """Yield every answer as it comes, or why there is none.

    An event loop in a thread of its own does the asking, so this also works where a loop runs already
    (a notebook), and an interrupt or a closed iterator drops the requests in flight at once.

    Args:
        requests: what to ask; started in this order.
        open_client: opens the client, once for all requests.
        ask: asks one request; raises RequestError where that failed, BackendError where all requests would.
        limits: deadlines, repeats, requests in flight.

    Raises:
        BackendError: `ask` raised it; the other requests are dropped.
    """
    if not requests:
        return
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_client()) as client,
    ):
        flow = portal.call(_Flow, limits)
        waiting, pending = iter(requests), deque[Future[Answer | Failure]]()

        def start(count: int) -> None:
            for request in islice(waiting, count):
                pending.append(
                    portal.start_task_soon(_one_of_many, flow, client, ask, request, limits)
                )

        try:
            start(limits.most + _AHEAD)
            while pending:
                done, _ = wait(pending, return_when=FIRST_COMPLETED)
                for future in [one for one in pending if one in done]:
                    pending.remove(future)
                    start(1)
                    yield future.result()
        finally:
            # Those that wait first: none of them is to start in the place of one that is dropped.
            for future in reversed(pending):
                future.cancel()


class _Flow:
    """Lets as many requests through as the pace allows; lives in the event loop.

    Args:
        limits: how many at first and at most.
    """

    def __init__(self, limits: Limits) -> None:
        self.pace = RequestPace(limits.concurrency, limits.most)
        self.gate = anyio.CapacityLimiter(self.pace.limit)

    def answered(self) -> None:
        """Count one more answer."""
        self.pace.answered()
        self.gate.total_tokens = self.pace.limit

    def troubled(self) -> None:
        """Count a request that failed and is repeated."""
        self.pace.troubled()
        self.gate.total_tokens = self.pace.limit


def ask_once(
    open_client: OpenClient[Client],
    ask: Callable[[Client], Awaitable[Answer]],
    limits: Limits,
    explain: Callable[[RequestError], BackendError],
) -> Answer:
    """Return one answer that everything else depends on.

    Args:
        open_client: opens the client.
        ask: asks; raises RequestError where that failed.
        limits: deadline and repeats.
        explain: the error that the user sees where it failed.

    Raises:
        BackendError: as explained.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_client()) as client,
    ):

        async def asked() -> Answer:
            return await _in_time(lambda: ask(client), limits, lambda: None)

        try:
            answer: Answer = portal.call(asked)
        except RequestError as problem:
            raise explain(problem) from None
        return answer


def request_seed(settings: GenerationSettings, request: CompletionRequest) -> int:
    """Return the seed of one request: the run's own when greedy, else one that only this completion has.

    An answer then does not depend on which other questions were asked, or in which order. 31 bits,
    which every server takes.
    """
    if settings.temperature == 0:
        return settings.seed
    text = f"{settings.seed}\n{request.prompt.key}\n{request.repeat}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


async def _one_of_many(
    flow: _Flow,
    client: Client,
    ask: Callable[[Client, CompletionRequest], Awaitable[Answer]],
    request: CompletionRequest,
    limits: Limits,
) -> Answer | Failure:
    async with flow.gate:
        try:
            answer = await _in_time(lambda: ask(client, request), limits, flow.troubled)
        except RequestError as problem:
            return Failure(request.prompt.key, problem.reason, request.repeat)
        flow.answered()
        return answer


async def _in_time(
    ask: Callable[[], Awaitable[Answer]], limits: Limits, troubled: Callable[[], None]
) -> Answer:
    """Ask, and ask again after an error that may pass, until the deadline of the whole."""
    earlier: list[str] = []

    async def attempt() -> Answer:
        try:
            return await ask()
        except RequestError as problem:
            earlier.append(problem.reason)
            logger.debug("attempt %d failed: %s", len(earlier), problem.reason)
            if problem.passing:
                troubled()
            raise

    retrying = AsyncRetrying(
        stop=stop_after_attempt(limits.retries + 1),
        # Random, so that requests which failed together do not come back together.
        wait=wait_random_exponential(multiplier=limits.backoff, max=_LONGEST_PAUSE),
        retry=retry_if_exception(lambda problem: getattr(problem, "passing", False)),
        sleep=anyio.sleep,
        reraise=True,
    )
    try:
        with anyio.fail_after(limits.timeout):
            try:
                answer: Answer = await retrying(attempt)
            except RequestError as problem:
                tries = f" (asked {len(earlier)} times)" if len(earlier) > 1 else ""
                raise RequestError(problem.reason + tries) from None
            return answer
    except TimeoutError:
        last = f"; before that: {earlier[-1]}" if earlier else ""
        raise RequestError(f"no answer within {limits.timeout:g} s (--timeout){last}") from None
