"""Files of JSON objects, a line each, that are appended to while something runs, and read after a crash.

A line is flushed as it is known, so a killed process loses nothing; it is forced to the disk once a second,
so a machine that loses power loses a second.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lawqa.errors import DataError
from lawqa.files.reading import JsonObject, JsonValue
from lawqa.files.writing import append_to_own

_SYNC_SECONDS = 1.0
_LONGEST_INTEGER = 4000


@dataclass(frozen=True)
class Line:
    """Where a stored line is: its file, and its start and end in bytes."""

    path: Path
    start: int
    end: int
    number: int = 0
    """Its number in the file, from 1; 0 for a line that was appended just now."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"{self.path.name} line {self.number}"


class JsonLog:
    """Appends JSON objects to a file, a line each, until it is closed.

    Args:
        path: the file; must end with a whole line if it exists. Its directory is made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = append_to_own(path)
        self._end = os.fstat(self._file.fileno()).st_size
        self._synced = time.monotonic()

    def append(self, row: JsonObject) -> Line:
        """Append one object and hand it to the operating system."""
        self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()
        start, self._end = self._end, os.fstat(self._file.fileno()).st_size
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()
        return Line(self._path, start, self._end)

    def close(self) -> None:
        """Force to the disk what is not there yet, and close the file."""
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())


def lines_again(lines: Iterable[Line]) -> Iterator[bytes]:
    """Yield the lines as they are in their files, each with its line feed."""
    with ExitStack() as stack:
        files: dict[Path, BinaryIO] = {}
        for line in lines:
            if line.path not in files:
                files[line.path] = stack.enter_context(line.path.open("rb"))
            files[line.path].seek(line.start)
            yield files[line.path].read(line.end - line.start)


def _broken(path: Path, number: int) -> DataError:
    return DataError(
        f"{path}: line {number} is broken",
        "only a last line can be torn by a crash; fix or remove the line, or --fresh asks everything again",
    )


def parsed_line(line: bytes) -> JsonValue:
    """Return the JSON value of a line; raises ValueError or RecursionError where it is none."""
    return json.loads(line, parse_int=_integer)


def _integer(text: str) -> float:
    """Return an integer; one too long for Python to read (CVE-2020-10735) is infinite, which no
    field may be.
    """
    return int(text) if len(text) < _LONGEST_INTEGER else math.inf


def scan_lines(path: Path) -> Iterator[tuple[Line, dict[str, object] | None]]:
    """Yield the place and content of every line; None for half a line at the end.

    Raises:
        DataError: a line other than the last is no JSON object.
    """
    size, start = path.stat().st_size, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            end = start + len(line)
            try:
                row = parsed_line(line)
            except (ValueError, RecursionError):
                if end < size:
                    raise _broken(path, number) from None
                row = None
            else:
                if not isinstance(row, dict) and end < size:
                    raise _broken(path, number)
                row = row if isinstance(row, dict) else None
            yield Line(path, start, end, number), row if line.endswith(b"\n") else None
            start = end
