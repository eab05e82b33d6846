"""How far a run is: a bar on a terminal or in a notebook, a plain line a minute elsewhere and in logs."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from lawqa.bars import FILE_ONLY, LINE_SECONDS, duration, open_bar, pace
from lawqa.pipelines.evaluation.time_left import TimeLeft
from lawqa.runs.result import Result
from lawqa.scoring import wilson

_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
"""Without tqdm's own estimate, which counts answers and not what they cost."""

logger = logging.getLogger(__name__)


class Progress:
    """Shows how many answers are known and how good they are so far, until it is closed.

    Args:
        total: how many answers are asked for now.
        name: what is counted.
        work: what an answer costs in proportion to others, by the key of its prompt; None
            for all the same.
        all_work: what all of them cost together.
        quiet: say nothing.
        stream: where to; None for standard error.
        clock: seconds; for tests.
    """

    def __init__(
        self,
        total: int,
        name: str = "asking",
        *,
        work: Callable[[str], float] | None = None,
        all_work: float = 0.0,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._name, self._quiet = total, name, quiet
        self._stream, self._clock = stream or sys.stderr, clock
        self._done = self._correct = self._unparsed = self._failed = 0
        self._work = work
        self._left = TimeLeft(all_work if work else total, clock)
        self._started = self._said = clock()
        self._bar: Any = None  # tqdm has no types
        if not quiet:
            # Answers come in bursts: a bar that skips redraws would stay at the first of each.
            self._bar = open_bar(
                self._stream, total=total, desc=name, unit="answer", leave=False,
                bar_format=_BAR, mininterval=0, miniters=1,
            )  # fmt: skip

    def add(self, result: Result) -> None:
        """Count one stored result."""
        self._done += 1
        self._correct += result.outcome == "correct"
        self._unparsed += result.outcome in ("unparsed", "truncated")
        self._failed += result.is_failed
        self._left.add(self._work(result.key[0]) if self._work else 1.0, result.seconds)
        if self._bar is not None:
            self._bar.set_postfix_str(self._beside_bar(), refresh=False)
            self._bar.update()
        if self._clock() - self._said >= LINE_SECONDS:
            self._said = self._clock()
            line = f"{self._name}: {self._done} of {self._total}, {self._so_far()}"
            if self._bar is None and not self._quiet:
                print(line, file=self._stream, flush=True)
            logger.info(line, extra=FILE_ONLY)

    def close(self) -> None:
        """Take the bar away, where there is one."""
        if self._bar is not None:
            self._bar.close()

    def _beside_bar(self) -> str:
        """Return what is shown beside a bar, what is wanted most first: a narrow terminal cuts the end."""
        interval = wilson(self._correct, self._done)
        parts = [] if (left := self._left.seconds()) is None else [f"{duration(left)} left"]
        parts += [
            f"{self._correct / self._done:.1%} right ({100 * interval.low:.0f}-{100 * interval.high:.0f})"
        ]
        parts += [f"{self._failed} failed"] if self._failed else []
        parts += [f"{self._unparsed} unparsed"]
        rate = self._done / max(self._clock() - self._started, 1e-9)
        return ", ".join([*parts, pace(rate, "answers")])

    def _so_far(self) -> str:
        interval = wilson(self._correct, self._done)
        share = f"{self._correct / self._done:.1%} correct so far"
        text = f"{share} ({interval.low:.1%} - {interval.high:.1%}), {self._unparsed} unparsed"
        text = f"{text}, {self._failed} failed" if self._failed else text
        left = self._left.seconds()
        if left is None:
            return text
        rate = self._done / max(self._clock() - self._started, 1e-9)
        return f"{text}, {pace(rate, 'answers')}, {duration(left)} left"
