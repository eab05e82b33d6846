"""Results on disk while a run goes on: appended line by line, found again after a crash, brought together.

results.jsonl       one line for each answer
parts/rankN.jsonl   answers of one of several processes, and answers that were added to later; a line here
                    stands for the line of the same answer in results.jsonl. Gone when a run is done.

A line is flushed as it is known, so a killed process loses nothing; it is forced to the disk once a second,
so a machine that loses power loses a second. Files are never held in memory whole.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from lawqa.runs.directory import MANIFEST, PARTS, RESULTS, read_manifest
from lawqa.runs.rows import Asked, check_row

ItemKey = tuple[str, int]
"""What names an answer within a run: `Prompt.key` and the number of the repeat."""

State = Literal["failed", "open", "whole"]
"""failed: the backend broke; open: a text without an answer and without a forced one; whole: all else."""

SET_ASIDE = "set-aside.jsonl"
"""Where lines go that were found among a run's results and are none of them."""

_SYNC_SECONDS = 1.0
_SHOWN = 3
_LONGEST_INTEGER = 4000
_ANSWER = ("response", "predicted_answer", "outcome", "label_logprobs")


class ResultLog:
    """Appends results to a file until it is closed.

    Args:
        path: the file; must end with a whole line if it exists. Its directory is made.
        problems: what is wrong with a row that is about to be stored; None for rows of any kind.
    """

    def __init__(
        self, path: Path, problems: Callable[[object], Sequence[str]] | None = None
    ) -> None:
        self._problems = problems
        if path.parent.name == PARTS:
            make_own_directory(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = append_to_own(path)
        self._synced = time.monotonic()

    def append(self, row: Mapping[str, Any]) -> None:
        """Append one result and hand it to the operating system.

        Raises:
            ValueError: it could not be read back; nothing is written.
        """
        wrong = self._problems(row) if self._problems else ()
        if wrong:
            raise ValueError(f"a result that cannot be stored: {'; '.join(wrong)}")
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
class Aside:
    """A line that is no answer of the run whose file it is in."""

    path: Path
    """The file."""
    number: int
    """Its line, from 1."""
    start: int
    """The offset of the line, in bytes."""
    end: int
    """The offset after it."""
    why: str
    """What is wrong with it."""


@dataclass(frozen=True)
class Found:
    """What the files of a run hold."""

    places: dict[ItemKey, Place]
    """The best result of each answer that has one."""
    torn: tuple[Path, ...]
    """Files that a crash left with half a line at the end; it is passed over."""
    plain: bool
    """Whether all stands in results.jsonl already, each answer once."""
    aside: tuple[Aside, ...] = ()
    """Lines that are no answer of this run; they are not counted."""
    damaged: tuple[str, ...] = ()
    """Fields that measure and hold what they cannot, by file and line; they are taken for unknown."""

    @property
    def notes(self) -> list[str]:
        """What a reader of the figures must know of the lines, a sentence each."""
        aside = [f"{one.path.name} line {one.number}: {one.why}" for one in self.aside]
        notes = [f"SET ASIDE: not counted: {_first_few(aside)}"] if aside else []
        return notes + damaged_note(self.damaged)

    def rows(self, keys: Iterable[ItemKey]) -> Iterator[dict[str, Any]]:
        """The results of these answers, read one by one; damaged measures are null."""
        for line in self.lines(keys):
            row: dict[str, Any] = _parsed(line)
            yield check_row(row).row

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


def item_key_of(row: Mapping[str, Any]) -> ItemKey | None:
    """What names a stored result; None where it has no name or says nothing of its state."""
    try:
        state_of(row)
        return item_key(row)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def find_results(run_dir: Path, files: Iterable[Path] | None = None) -> Found:
    """Look through the results of a run.

    Args:
        run_dir: the run directory.
        files: only these, those that others are not writing now; None for results.jsonl and all parts.

    Rows are held against the manifest, where there is one: those of other questions, prompts or repeats, and
    those that lack what makes an answer, are set aside.

    Raises:
        DataError: a line other than the last of a file is broken, or two lines answer one prompt differently.
    """
    asked = _asked_by(run_dir)
    search = _Search()
    files = files or [run_dir / RESULTS, *sorted((run_dir / PARTS).glob("*.jsonl"))]
    for path in (path for path in files if path.is_file()):
        for number, (start, end, row) in enumerate(_scan(path), start=1):
            if row is None:
                search.torn.append(path)
                continue
            place = f"{path.name} line {number}"
            if asked is not None:
                checked = check_row(row)
                why = "; ".join(checked.fatal) or asked.why_foreign(row)
                if why:
                    search.aside.append(Aside(path, number, start, end, why))
                    continue
                search.damaged += [f"{place}: {what}" for what in checked.damaged]
                row = checked.row
            elif item_key_of(row) is None:
                raise _broken(path, number)
            search.add(row, Place(path, start, end, state_of(row)), place)
    return search.found()


class _Search:
    """What was found so far."""

    def __init__(self) -> None:
        self.torn: list[Path] = []
        self.aside: list[Aside] = []
        self.damaged: list[str] = []
        self._places: dict[ItemKey, Place] = {}
        self._answers: dict[tuple[Path, ItemKey], tuple[str, str]] = {}
        self._plain = True

    def add(self, row: Mapping[str, Any], place: Place, name: str) -> None:
        """Take a row, or the better of two; raises DataError where two answers contradict each other."""
        key = item_key(row)
        self._plain = self._plain and place.path.name == RESULTS and key not in self._places
        if place.state != "failed":
            said = json.dumps([row.get(field) for field in _ANSWER], default=str)
            # A line in a part stands for that in results.jsonl, so only lines of one file can contradict.
            before, first = self._answers.setdefault((place.path, key), (said, name))
            if before != said:
                raise DataError(
                    f"{place.path.parent}: {first} and {name} answer {key[0]} differently; which of the two "
                    "is this run's cannot be known",
                    "remove the line that is not; or remove both, and --resume asks that question again",
                )
        if key not in self._places or _worth(place.state) >= _worth(self._places[key].state):
            self._places[key] = place

    def found(self) -> Found:
        """All of it."""
        plain = self._plain and not self.torn and not self.aside
        return Found(self._places, tuple(self.torn), plain, tuple(self.aside), tuple(self.damaged))


def _asked_by(run_dir: Path) -> Asked | None:
    """What the run asked; None where there is no manifest to hold rows against."""
    if not (run_dir / MANIFEST).is_file():
        return None
    manifest = read_manifest(run_dir)
    return Asked.of(manifest) if manifest.get("kind") == "evaluate" else None


def bring_together(run_dir: Path, found: Found, keys: Iterable[ItemKey]) -> None:
    """Write these answers into results.jsonl, in this sequence and each once, and remove the parts.

    Whenever this is interrupted, either the old files are there or the new one. Lines that were set aside are
    kept in `set-aside.jsonl`.
    """
    require_replaceable(run_dir / RESULTS)
    if found.aside:
        handle = open_own(run_dir / SET_ASIDE, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(handle, "ab") as kept:
            for one in found.aside:
                with one.path.open("rb") as file:
                    file.seek(one.start)
                    kept.write(file.read(one.end - one.start))
            kept.flush()
            os.fsync(kept.fileno())
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


def damaged_note(damaged: Sequence[str]) -> list[str]:
    """A note on fields that hold what they cannot; none where there are none."""
    return [f"DAMAGED ROWS: taken for unknown: {_first_few(damaged)}"] if damaged else []


def _first_few(lines: Sequence[str]) -> str:
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "; ".join(lines[:_SHOWN]) + more


def _broken(path: Path, number: int) -> DataError:
    return DataError(
        f"{path}: line {number} is broken",
        "only a last line can be torn by a crash; fix or remove the line, or --fresh asks everything again",
    )


def _parsed(line: bytes) -> Any:
    return json.loads(line, parse_int=_integer)


def _integer(text: str) -> float:
    """An integer; one too long for Python to read (CVE-2020-10735) is infinite, which no field may be."""
    return int(text) if len(text) < _LONGEST_INTEGER else math.inf


def _scan(path: Path) -> Iterator[tuple[int, int, dict[str, Any] | None]]:
    """Start, end and content of every line; None for half a line at the end."""
    size, start = path.stat().st_size, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            end = start + len(line)
            try:
                row = _parsed(line)
            except (ValueError, RecursionError):
                if end < size:
                    raise _broken(path, number) from None
                row = None
            else:
                if not isinstance(row, dict) and end < size:
                    raise _broken(path, number)
                row = row if isinstance(row, dict) else None
            yield start, end, row if line.endswith(b"\n") else None
            start = end
