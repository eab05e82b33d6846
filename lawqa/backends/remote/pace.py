"""How many requests a server gets at a time: as many as make it faster.

A server that batches (vLLM, SGLang, llama.cpp with slots) answers more a second the more it is asked at once,
up to what its memory holds; one that does not only lets them wait. Which it is shows in the rate of answers:
the number is doubled while the rate grows, halved once it does not, and halved while the server is too busy,
after which it is tried again (multiplicative decrease as in Jacobson 1988).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

WORTH = 1.1
"""How much faster twice the requests must be, or the server is as fast as it gets."""
_ROUNDS = 3
"""Answers of a measurement, in requests that are in flight at once."""


class RequestPace:
    """The number of requests in flight, which follows the rate of answers.

    Args:
        first: how many at the start.
        most: how many it may become; `first` where it stays as it is.
        clock: seconds; for tests.
    """

    def __init__(self, first: int, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = first
        """Requests that may be in flight now."""
        self._most, self._clock = most, clock
        self._adapts = first < most
        self._settled = self._troubled = False
        self._rate = 0.0
        self._answers, self._since = 0, clock()

    def answered(self) -> None:
        """Count an answer, and ask for more at a time or fewer where enough are known."""
        self._answers += 1
        self._troubled = False
        if not self._adapts or self._settled or self._answers < _ROUNDS * self.limit:
            return
        rate = self._answers / max(self._clock() - self._since, 1e-9)
        if rate >= WORTH * self._rate:
            self._settled = self.limit == self._most
            self._rate = rate
            self._set(min(2 * self.limit, self._most))
        else:
            self._settled = True
            self._set(max(1, self.limit // 2))

    def troubled(self) -> None:
        """Count a request that failed and is repeated: the server is too busy, or is not there.

        Those that fail together count once: the number is halved again only after an answer.
        """
        if self._adapts and not self._troubled:
            self._troubled, self._settled, self._rate = True, False, 0.0
            self._set(max(1, self.limit // 2))

    def _set(self, limit: int) -> None:
        if limit != self.limit:
            logger.debug("%d requests in flight instead of %d", limit, self.limit)
        self.limit = limit
        self._answers, self._since = 0, self._clock()
