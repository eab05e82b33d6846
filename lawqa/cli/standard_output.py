"""Standard output of all commands.

Its reader may leave early: `lawqa data leaks A B | head` keeps the exit code of its check. And it shows text
from files and servers, which must not move the terminal's cursor or change its title.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from lawqa.errors import tame

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


@contextmanager
def tolerant_output() -> Iterator[None]:
    """Discard output that nobody reads any more, so that the command still runs to its end."""
    output = sys.stdout
    tolerant: Any = _TolerantOutput(output)  # Any: it passes for a stream by `__getattr__`
    sys.stdout = tolerant
    try:
        yield
    finally:
        tolerant.flush()
        if sys.stdout is tolerant:
            sys.stdout = output


class _TolerantOutput:
    """A text stream that accepts writes after its pipe is broken, and escapes control characters."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def write(self, text: str) -> int:
        """Write; nothing where the reader has gone."""
        try:
            self._output.write(_tame_but_colours(text))
        except BrokenPipeError:
            self._discard()
        return len(text)

    def flush(self) -> None:
        """Flush; nothing where the reader has gone."""
        try:
            self._output.flush()
        except BrokenPipeError:
            self._discard()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def _discard(self) -> None:
        # What is buffered goes there too, so Python has nothing to complain of at its exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._output.fileno())
        os.close(nowhere)


def _tame_but_colours(text: str) -> str:
    """Return colours do no harm, and are ours."""
    return "".join(
        part if _COLOUR.fullmatch(part) else tame(part) for part in _COLOUR.split(text) if part
    )
