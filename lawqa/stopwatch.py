"""Where the time of a command goes, by parts: imports, files, weights, quantising, kernels, asking.

A part that runs inside another is counted once, as itself. Where no watch runs, parts cost nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Part = Literal["imports", "reading", "weights", "quantising", "kernels", "asking"]
PARTS: tuple[Part, ...] = ("imports", "reading", "weights", "quantising", "kernels", "asking")
"""The parts, in the order in which they are said: libraries; files looked at, the tokenizer read; weights
read and brought to the device, as far as threads have not done it meanwhile; quantised; kernels compiled and
compared, graphs captured; the questions."""


class Stopwatch:
    """Sums the seconds of parts.

    Args:
        clock: seconds; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._within: list[float] = []
        self.seconds: dict[Part, float] = {}

    @contextmanager
    def measure(self, part: Part) -> Iterator[None]:
        """Count what runs inside as this part, less what it counts as others."""
        began = self._clock()
        self._within.append(0.0)
        try:
            yield
        finally:
            whole, others = self._clock() - began, self._within.pop()
            self.seconds[part] = self.seconds.get(part, 0.0) + whole - others
            if self._within:
                self._within[-1] += whole

    def whole(self) -> float:
        """Return the seconds since it was started."""
        return self._clock() - self._started

    def sentence(self) -> str:
        """Return all parts in words, and the whole."""
        whole = self.whole()
        parts = [f"{part} {self.seconds[part]:.1f} s" for part in PARTS if part in self.seconds]
        rest = whole - sum(self.seconds.values())
        return ", ".join([*parts, f"the rest {rest:.1f} s"]) + f"; {whole:.1f} s in all"


_running: list[Stopwatch] = []


@contextmanager
def watched() -> Iterator[Stopwatch]:
    """Let `part` count into a new watch until the block ends."""
    watch = Stopwatch()
    _running.append(watch)
    try:
        yield watch
    finally:
        _running.remove(watch)


@contextmanager
def part(name: Part) -> Iterator[None]:
    """Count what runs inside as a part of the command, where one is watched."""
    if not _running:
        yield
        return
    with _running[-1].measure(name):
        yield
