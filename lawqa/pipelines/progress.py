"""How far a run is: a bar on a terminal, a plain line a minute elsewhere and in the log file."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from tqdm import tqdm

from lawqa.bars import FILE_ONLY, LINE_SECONDS, duration, pace
from lawqa.scoring import wilson

logger = logging.getLogger(__name__)


class Progress:
    """Tells how many answers are known and how good they are so far, until it is closed.

    Args:
        total: how many answers are asked for now.
        name: what is counted.
        quiet: say nothing.
        stream: where to; None for standard error.
        clock: seconds; for tests.
    """

    def __init__(
        self,
        total: int,
        name: str = "asking",
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._name, self._quiet = total, name, quiet
        self._stream, self._clock = stream or sys.stderr, clock
        self._done = self._correct = self._unparsed = self._failed = 0
        self._started = self._said = clock()
        self._bar: Any = None
        if not quiet and self._stream.isatty():
            self._bar = tqdm(total=total, desc=name, unit="answer", file=self._stream, leave=False)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one stored result."""
        self._done += 1
        self._correct += row["outcome"] == "correct"
        self._unparsed += row["outcome"] in ("unparsed", "truncated")
        self._failed += row["outcome"] == "failed"
        if self._bar is not None:
            self._bar.set_postfix_str(self._so_far(), refresh=False)
            self._bar.update()
        if self._clock() - self._said >= LINE_SECONDS:
            self._said = self._clock()
            line = self._line()
            if self._bar is None and not self._quiet:
                print(line, file=self._stream, flush=True)
            logger.info(line, extra=FILE_ONLY)

    def close(self) -> None:
        """Take the bar away, where there is one."""
        if self._bar is not None:
            self._bar.close()

    def _line(self) -> str:
        per_answer = (self._clock() - self._started) / self._done
        left = per_answer * (self._total - self._done)
        return (
            f"{self._name}: {self._done} of {self._total}, {self._so_far()}, "
            f"{pace(1 / max(per_answer, 1e-9), 'answers')}, {duration(left)} left"
        )

    def _so_far(self) -> str:
        interval = wilson(self._correct, self._done)
        share = f"{self._correct / self._done:.1%} correct so far"
        text = f"{share} ({interval.low:.1%} - {interval.high:.1%}), {self._unparsed} unparsed"
        return f"{text}, {self._failed} failed" if self._failed else text
