"""Results on disk while a run is in progress: appended line by line, read after a crash, put together.

results.jsonl       one line for each answer
parts/rankN.jsonl   answers of one of several processes, and answers that were added to later; a line here
                    replaces the line of the same answer in results.jsonl. Gone when a run is done.

How a line comes to the disk: `lawqa.files.json_log`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import DataError
from lawqa.files import flush_directory, make_own_directory, open_own, require_replaceable
from lawqa.files.json_log import JsonLog, Line, lines_again, scan_lines
from lawqa.runs.directory import PARTS_FOLDER, RESULTS
from lawqa.runs.manifest import Manifest
from lawqa.runs.result import ItemKey, Result, State
from lawqa.runs.rows import Asked, check_row, row_problems

SET_ASIDE = "set-aside.jsonl"
"""Where lines go that were among a run's results and are none of them."""

_SHOWN = 3
_WORTH: tuple[State, ...] = ("failed", "open", "whole")


class ResultLog:
    """Appends the results of a run to a file until it is closed; see `JsonLog`."""

    def __init__(self, path: Path) -> None:
        if path.parent.name == PARTS_FOLDER:
            make_own_directory(path.parent)
        self._log = JsonLog(path)

    def append(self, result: Result) -> Line:
        """Append one result.

        Raises:
            ValueError: it could not be read back; nothing is written.
        """
        row = result.to_json()
        wrong = row_problems(row)
        if wrong:
            raise ValueError(f"a result that cannot be stored: {'; '.join(wrong)}")
        return self._log.append(row)

    def close(self) -> None:
        """Force to the disk what is not there yet, and close the file."""
        self._log.close()


@dataclass(frozen=True)
class Aside:
    """A line that is no answer of the run whose file it is in."""

    line: Line
    why: str
    """What is wrong with it."""


class StoredResults:
    """The results of a run as its files hold them: the best one of each answer.

    Args:
        texts: keep prompts and responses too. Without them memory does not grow with the length of the
            texts; results that are still open keep theirs, for a label can be forced after them.
    """

    def __init__(self, *, texts: bool = True) -> None:
        self._texts = texts
        self.results: dict[ItemKey, Result] = {}
        """The best result of each answer that has one."""
        self.lines: dict[ItemKey, Line] = {}
        """Where each of them is."""
        self.torn: list[Path] = []
        """Files that a crash left with half a line at the end; it is passed over."""
        self.aside: list[Aside] = []
        """Lines that are no answer of this run; they are not counted."""
        self.damaged: dict[ItemKey, tuple[str, ...]] = {}
        """Fields that measure and hold what they cannot, by answer; they are taken for unknown."""
        self._answers: dict[tuple[Path, ItemKey], tuple[bytes, str]] = {}
        self._once = True

    @property
    def plain(self) -> bool:
        """Whether all is in results.jsonl already, each answer once."""
        return self._once and not self.torn and not self.aside

    @property
    def notes(self) -> list[str]:
        """What a reader of the figures must know of the lines, a sentence each."""
        aside = [f"{one.line.name}: {one.why}" for one in self.aside]
        notes = [f"SET ASIDE: not counted: {_first_few(aside)}"] if aside else []
        damaged = [
            f"{self.lines[key].name}: {what}"
            for key, problems in self.damaged.items()
            for what in problems
        ]
        return notes + damaged_note(damaged)

    def add(self, result: Result, line: Line, damaged: tuple[str, ...] = ()) -> None:
        """Take a result, or the better of two for one answer; of equals the later.

        Args:
            result: the result.
            line: where it is stored.
            damaged: what is wrong with fields of it that measure.

        Raises:
            DataError: two lines of one file contradict each other.
        """
        key = result.key
        self._once = self._once and line.path.name == RESULTS and key not in self.results
        if line.number and not result.is_failed:
            self._require_one_answer(result, line)
        known = self.results.get(key)
        if known is None or _WORTH.index(result.state) >= _WORTH.index(known.state):
            kept = self._texts or result.state == "open"
            self.results[key] = result if kept else result.without_texts()
            self.lines[key] = line
            self.damaged.pop(key, None)
            if damaged:
                self.damaged[key] = damaged

    def known(self, keys: Iterable[ItemKey]) -> Iterator[Result]:
        """Return the results of these answers."""
        return (self.results[key] for key in keys)

    def write_together(self, run_dir: Path, keys: Iterable[ItemKey]) -> None:
        """Write these answers into results.jsonl, in this sequence and each once, and remove the parts.

        Whenever this is interrupted, either the old files are there or the new one. Lines that were set aside
        are kept in `set-aside.jsonl`.
        """
        keys = list(keys)
        results = run_dir / RESULTS
        require_replaceable(results)
        if self.aside:
            handle = open_own(run_dir / SET_ASIDE, os.O_WRONLY | os.O_APPEND)
            with os.fdopen(handle, "ab") as kept:
                kept.writelines(lines_again(one.line for one in self.aside))
                kept.flush()
                os.fsync(kept.fileno())
        temporary = run_dir / f".{RESULTS}.tmp"
        lines: dict[ItemKey, Line] = {}
        with os.fdopen(open_own(temporary, os.O_WRONLY | os.O_TRUNC), "wb") as out:
            end = 0
            contents = lines_again(self.lines[key] for key in keys)
            for number, (key, content) in enumerate(zip(keys, contents, strict=True), start=1):
                out.write(content)
                lines[key] = Line(results, end, end := end + len(content), number)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(results)
        flush_directory(run_dir)
        shutil.rmtree(run_dir / PARTS_FOLDER, ignore_errors=True)
        self.lines, self.results = lines, {key: self.results[key] for key in keys}
        self.damaged = {key: what for key, what in self.damaged.items() if key in lines}
        self.torn, self.aside, self._answers, self._once = [], [], {}, True

    def _require_one_answer(self, result: Result, line: Line) -> None:
        said = (result.response, result.label, result.outcome, result.label_logprobs)
        digest = hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).digest()
        # A line in a part replaces that in results.jsonl, so only lines of one file can contradict.
        before, first = self._answers.setdefault((line.path, result.key), (digest, line.name))
        if before != digest:
            raise DataError(
                f"{line.path.parent}: {first} and {line.name} answer {result.key[0]} differently; which "
                "of the two is this run's cannot be known",
                "remove the line that is not; or remove both, and --resume asks that question again",
            )


def read_results(
    run_dir: Path,
    files: Iterable[Path] | None = None,
    *,
    asked: Asked | None = None,
    texts: bool = True,
    into: StoredResults | None = None,
) -> StoredResults:
    """Read the results of a run, each file once from end to end.

    Args:
        run_dir: the run directory.
        files: only these, those that others are not writing now; None for results.jsonl and all parts.
        asked: what the run asked; None for what its manifest says. Results of other questions, prompts or
            samples are set aside, as is what lacks a part of an answer.
        texts: keep prompts and responses.
        into: results that are known already, to be added to; `texts` is theirs.

    Raises:
        DataError: a line other than the last of a file is broken, or two lines answer one prompt differently.
    """
    asked = asked or _asked_by(run_dir)
    stored = into or StoredResults(texts=texts)
    files = files or [run_dir / RESULTS, *sorted((run_dir / PARTS_FOLDER).glob("*.jsonl"))]
    for path in (path for path in files if path.is_file()):
        for line, row in scan_lines(path):
            if row is None:
                stored.torn.append(path)
                continue
            checked = check_row(row)
            why = "; ".join(checked.fatal)
            if checked.result is not None and asked is not None:
                why = asked.why_foreign(checked.result) or ""
            if checked.result is None or why:
                stored.aside.append(Aside(line, why))
                continue
            stored.add(checked.result, line, checked.damaged)
    return stored


def _asked_by(run_dir: Path) -> Asked | None:
    """Return what the run asked; None where there is no manifest to hold results against."""
    manifest = Manifest.read_if_there(run_dir)
    return Asked.of(manifest) if manifest and manifest.kind == "evaluate" else None


def damaged_note(damaged: Sequence[str]) -> list[str]:
    """Return a note on fields that hold what they cannot; none where there are none."""
    return [f"DAMAGED ROWS: taken for unknown: {_first_few(damaged)}"] if damaged else []


def _first_few(lines: Sequence[str]) -> str:
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "; ".join(lines[:_SHOWN]) + more
