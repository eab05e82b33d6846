"""How long the rest of a run takes, judged by what its answers have cost so far."""

from __future__ import annotations

from collections.abc import Callable

FEWEST_TIMED = 4
"""Answers that must be known first: as many as are under way at a server at once."""


class TimeLeft:
    """Work that is done, and what it cost.

    Answers come in bursts, a batch at a time, each with its share of its batch's time. That share says
    the pace with the first answer of a burst, where the clock has seen the whole batch and one answer.

    Args:
        work: all that is to be done, in any unit.
        clock: seconds.
    """

    def __init__(self, work: float, clock: Callable[[], float]) -> None:
        self._waiting, self._clock = work, clock
        self._began = self._last = clock()
        self._answers = 0
        self._finished = self._shares = 0.0
        self._under_way = 0.0  # seconds that went into answers which are not known yet

    def add(self, work: float, share: float | None) -> None:
        """Count an answer.

        Args:
            work: what part of the work it was.
            share: its seconds of the time in which its batch was computed; None where that is not known.
        """
        now = self._clock()
        if self._answers:  # what came before the first answer is start-up as well
            self._under_way = max(0.0, self._under_way + now - self._last - (share or 0.0))
        self._last = now
        self._answers += 1
        self._waiting -= work
        self._finished += work
        self._shares += share or 0.0

    def seconds(self) -> float | None:
        """Return what the rest takes; None until there is something to judge by."""
        if self._answers < FEWEST_TIMED or self._finished <= 0:
            return None
        passed = self._last - self._began
        if not self._shares:  # nobody says what an answer cost
            return max(0.0, passed / self._finished * self._waiting)
        # Answers that were under way at the same time each count the whole time, together more than passed.
        pace = min(self._shares, passed) / self._finished
        return max(0.0, pace * self._waiting - self._under_way)
