"""How far something long is: a bar on a terminal or in a notebook, elsewhere and in logs a line a minute."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from importlib.util import find_spec
from types import TracebackType
from typing import Any, TextIO, TypeVar

Say = Callable[[str], object]
"""What is called with each line that is reported, such as a logger's `info`."""

Item = TypeVar("Item")

LINE_SECONDS = 60.0
"""Between two plain lines."""

NOTEBOOK_COLUMNS = 110
"""Of a bar of text in a notebook, whose cells are about as wide."""

FILE_ONLY: Mapping[str, object] = {"file_only": True}
"""`extra` of a log record that a log file keeps and a terminal does not show: it has been shown, or is not
to be."""

logger = logging.getLogger(__name__)


def draws_bars(stream: TextIO) -> bool:
    """Return whether bars can be drawn there: on a terminal that knows how wide it is.

    `docker exec -t` and JupyterHub give terminals of 0 columns, on which a bar would be a line for each step.
    """
    if not stream.isatty():
        return False
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal():
        return int(columns) > 0
    try:
        return os.get_terminal_size(stream.fileno()).columns > 0
    except (OSError, ValueError):
        return False


def is_notebook(stream: TextIO) -> bool:
    """Return whether a notebook shows what is written there, and takes a carriage return for what it is."""
    return type(stream).__module__.partition(".")[0] == "ipykernel"


def open_bar(stream: TextIO, **options: Any) -> Any:  # tqdm has no types
    """Open a bar of tqdm's where one can be drawn: the one mechanism for all progress.

    A notebook gets tqdm's widget where ipywidgets is installed, else a bar of text.

    Args:
        stream: where to.
        options: for tqdm.

    Returns:
        The bar; None where only lines can be shown.
    """
    if is_notebook(stream):
        if find_spec("ipywidgets") is not None:
            from tqdm.notebook import tqdm as widget

            return widget(file=stream, **options)
        options |= {"ncols": NOTEBOOK_COLUMNS}  # there is no terminal to ask
    elif not draws_bars(stream):
        return None
    from tqdm import tqdm

    return tqdm(file=stream, **options)


class Bar(AbstractContextManager["Bar"]):
    """Counts finished items and shows rate and time left, until it is closed.

    Args:
        name: what is being done, such as `indexing`.
        unit: what is counted, in the plural.
        total: how many there will be; None where nobody knows.
        done: how many were done before.
        quiet: show nothing; a log file gets its lines all the same.
        stream: where to; None for standard error.
        clock: seconds; for tests.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        total: int | None = None,
        *,
        done: int = 0,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._unit, self._total = name, unit, total
        self._done, self._before = done, done
        self._quiet, self._stream, self._clock = quiet, stream or sys.stderr, clock
        self._started = self._said = clock()
        self._bar: Any = None  # as `open_bar` says
        if not quiet:
            self._bar = open_bar(
                self._stream,
                total=total,
                initial=done,
                desc=name,
                unit=f" {unit}",
                leave=False,
            )

    def add(self, count: int = 1) -> None:
        """Count one more as done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        if self._clock() - self._said < LINE_SECONDS:
            return
        self._said = self._clock()
        line = self._line()
        if self._bar is None and not self._quiet:
            print(line, file=self._stream, flush=True)
        logger.info(line, extra=FILE_ONLY)

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the same items; each counts when the next one is asked for."""
        for item in items:
            yield item
            self.add()

    def close(self) -> None:
        """Take the bar away, where there is one."""
        if self._bar is not None:
            self._bar.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _line(self) -> str:
        seconds = max(self._clock() - self._started, 1e-9)
        rate = (self._done - self._before) / seconds
        if self._total is None:
            return f"{self._name}: {self._done:,} {self._unit}, {pace(rate, self._unit)}"
        left = duration((self._total - self._done) / rate)
        return (
            f"{self._name}: {self._done:,} of {self._total:,} {self._unit}, "
            f"{pace(rate, self._unit)}, {left} left"
        )


class Parts:
    """Reports after each of a few long parts, which have bars of their own, how long the others take.

    Args:
        unit: what the parts are, in the plural.
        total: how many are waiting.
        say: called with a line after each but the last.
        clock: seconds; for tests.
    """

    def __init__(
        self,
        unit: str,
        total: int,
        say: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._unit, self._total, self._say, self._clock = unit, total, say, clock
        self._done, self._started = 0, clock()

    def add(self) -> None:
        """Count one more as done."""
        self._done += 1
        if self._done < self._total:
            each = (self._clock() - self._started) / self._done
            left = duration(each * (self._total - self._done))
            self._say(
                f"{self._done} of {self._total} {self._unit}, {duration(each)} each, {left} left"
            )


def pace(rate: float, unit: str) -> str:
    """Return a rate as people say it: `12.5 articles/s`, or `8 s each` where it is below one a second."""
    return f"{rate:,.1f} {unit}/s" if rate >= 1 else f"{duration(1 / rate)} each"


def duration(seconds: float) -> str:
    """Return a time as people say it: `8 s`, `12 min`, `3 h 5 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
