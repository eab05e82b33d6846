"""Where the time of a command goes, by parts: start, imports, files, weights, quantising, kernels, asking.

A part that runs inside another is counted once, as itself. Where no watch runs, parts cost nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Part = Literal["starting", "imports", "reading", "weights", "quantising", "kernels", "asking"]
PARTS: tuple[Part, ...] = (
    "starting", "imports", "reading", "weights", "quantising", "kernels", "asking",
)  # fmt: skip
"""The parts, in the order in which they are said: interpreter, command line and settings; libraries; files
looked at, the tokenizer read; weights read and brought to the device, as far as threads have not done it
meanwhile; quantised; kernels compiled and compared, graphs captured; the questions."""


class Stopwatch:
    """Sums the seconds of parts.

    Args:
        clock: seconds; for tests.
        age: seconds that had passed when it was started, which count as the part `starting`; 0 for none.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, age: float = 0.0) -> None:
        self._clock = clock
        self._started = clock() - age
        self._within: list[float] = []
        self.seconds: dict[Part, float] = {"starting": age} if age else {}

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


def process_age() -> float:
    """Return the seconds since this process was started, its interpreter included.

    Where the system does not say, its processor seconds: about as many while nothing was waited for.
    """
    if sys.platform == "linux":
        try:
            stat = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
            # proc_pid_stat(5): the second field, in brackets, may hold spaces; the 22nd are ticks since boot.
            ticks = int(stat.rpartition(")")[2].split()[19])
            return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError, ValueError):
            pass  # /proc is hidden
    return time.process_time()


_running: list[Stopwatch] = []
_is_command = False


def count_from_process_start() -> None:
    """Let watches count what this process did before them, too: it was started for the one command."""
    global _is_command
    _is_command = True


@contextmanager
def watched() -> Iterator[Stopwatch]:
    """Let `part` count into a new watch until the block ends."""
    watch = Stopwatch(age=process_age() if _is_command else 0.0)
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
