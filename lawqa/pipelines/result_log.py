"""Results on disk while a run goes on: appended line by line, found again after a crash, brought together.

results.jsonl       one line for each answer
parts/rankN.jsonl   answers of one of several processes, and answers that were added to later; a line here
                    stands for the line of the same answer in results.jsonl. Gone when a run is done.

A line is flushed as it is known, so a killed process loses nothing; it is forced to the disk once a second,
so a machine that loses power loses a second. Files are never held in memory whole.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from lawqa.errors import DataError
from lawqa.files import (
    append_to_own,
    flush_directory,
    make_own_directory,
    open_own,
    require_replaceable,
)
from lawqa.runs import PARTS, RESULTS

ItemKey = tuple[str, int]
"""What names an answer within a run: `Prompt.key` and the number of the repeat."""

State = Literal["failed", "open", "whole"]
"""failed: the backend broke; open: a text without an answer and without a forced one; whole: all else."""

_SYNC_SECONDS = 1.0


class ResultLog:
    """Appends results to a file until it is closed.

    Args:
        path: the file; must end with a whole line if it exists. Its directory is made.
    """

    def __init__(self, path: Path) -> None:
        if path.parent.name == PARTS:
            make_own_directory(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = append_to_own(path)
        self._synced = time.monotonic()

    def append(self, row: Mapping[str, Any]) -> None:
        """Append one result and hand it to the operating system."""
        self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def close(self) -> None:
        """Force to the disk what is not there yet, and close the file."""
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())


@dataclass(frozen=True)
class Place:
    """Where a stored result stands."""

    path: Path
    """The file."""
    start: int
    """The offset of its line, in bytes."""
    end: int
    """The offset after its line."""
    state: State
    """What is still to be done about it."""


@dataclass(frozen=True)
class Found:
    """What the files of a run hold."""

    places: dict[ItemKey, Place]
    """The best result of each answer that has one."""
    torn: tuple[Path, ...]
    """Files that a crash left with half a line at the end; it is passed over."""
    plain: bool
    """Whether all stands in results.jsonl already, each answer once."""

    def rows(self, keys: Iterable[ItemKey]) -> Iterator[dict[str, Any]]:
        """The results of these answers, read one by one."""
        for line in self.lines(keys):
            row: dict[str, Any] = json.loads(line)
            yield row

    def lines(self, keys: Iterable[ItemKey]) -> Iterator[bytes]:
        """The results of these answers as they stand in their files, each with its line's end."""
        with ExitStack() as stack:
            files: dict[Path, BinaryIO] = {}
            for key in keys:
                place = self.places[key]
                if place.path not in files:
                    files[place.path] = stack.enter_context(place.path.open("rb"))
                files[place.path].seek(place.start)
                yield files[place.path].read(place.end - place.start)


def item_key(row: Mapping[str, Any]) -> ItemKey:
    """What names a stored result; runs from before there were repeats have none."""
    return f"{row['file_name']}#{row['order']}", int(row.get("repeat", 0))


def find_results(run_dir: Path, files: Iterable[Path] | None = None) -> Found:
    """Look through the results of a run.

    Args:
        run_dir: the run directory.
        files: only these, those that others are not writing now; None for results.jsonl and all parts.

    Raises:
        DataError: a line other than the last of a file is broken.
    """
    places: dict[ItemKey, Place] = {}
    torn: list[Path] = []
    plain = True
    files = files or [run_dir / RESULTS, *sorted((run_dir / PARTS).glob("*.jsonl"))]
    for path in (path for path in files if path.is_file()):
        for start, end, row in _scan(path):
            if row is None:
                torn.append(path)
                continue
            key, state = item_key(row), state_of(row)
            plain = plain and path.name == RESULTS and key not in places
            if key not in places or _worth(state) >= _worth(places[key].state):
                places[key] = Place(path, start, end, state)
    return Found(places, tuple(torn), plain and not torn)


def bring_together(run_dir: Path, found: Found, keys: Iterable[ItemKey]) -> None:
    """Write these answers into results.jsonl, in this sequence and each once, and remove the parts.

    Whenever this is interrupted, either the old files are there or the new one.
    """
    require_replaceable(run_dir / RESULTS)
    temporary = run_dir / f".{RESULTS}.tmp"
    with os.fdopen(open_own(temporary, os.O_WRONLY | os.O_TRUNC), "wb") as out:
        for line in found.lines(keys):
            out.write(line)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(run_dir / RESULTS)
    flush_directory(run_dir)
    shutil.rmtree(run_dir / PARTS, ignore_errors=True)


def state_of(row: Mapping[str, Any]) -> State:
    """What is still to be done about a stored result."""
    if row["outcome"] == "failed":
        return "failed"
    unanswered = row["predicted_answer"] is None and row["answer_by"] == "generate"
    return "open" if unanswered and not row.get("forced_answer") else "whole"


def _worth(state: State) -> int:
    return ("failed", "open", "whole").index(state)


def _scan(path: Path) -> Iterator[tuple[int, int, dict[str, Any] | None]]:
    """Start, end and content of every line; None for half a line at the end."""
    size, start = path.stat().st_size, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            end = start + len(line)
            try:
                row = json.loads(line)
                item_key(row)
                state_of(row)
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
                if end < size:
                    raise DataError(
                        f"{path}: line {number} is broken",
                        "only a last line can be torn by a crash; mend or remove the line, or --fresh "
                        "asks everything anew",
                    ) from None
                row = None
            yield start, end, row if line.endswith(b"\n") else None
            start = end
