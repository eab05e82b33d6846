"""Results on disk while a run is in progress: appended line by line, read after a crash, put together.

results.jsonl       one line for each answer
parts/rankN.jsonl   answers of one of several processes, and answers that were added to later; a line here
                    replaces the line of the same answer in results.jsonl. Gone when a run is done.

How a line comes to the disk: `lawqa.files.json_log`.
"""

from __future__ import annotations

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
from lawqa.runs.result import ItemKey, Result
from lawqa.runs.result_index import WORTH, ResultIndex, result_in
from lawqa.runs.rows import Asked, check_row, row_problems

SET_ASIDE = "set-aside.jsonl"
"""Where lines go that were among a run's results and are none of them."""

_SHOWN = 3


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
    """The results of a run as its files hold them: the best one of each answer."""

    def __init__(self) -> None:
        self.results = ResultIndex()
        """The best result of each answer that has one, and where it is."""
        self.torn: list[Path] = []
        """Files that a crash left with half a line at the end; it is passed over."""
        self.aside: list[Aside] = []
        """Lines that are no answer of this run; they are not counted."""
        self.damaged: dict[ItemKey, tuple[str, ...]] = {}
        """Fields that measure and hold what they cannot, by answer; they are taken for unknown."""
        self._beside: dict[tuple[Path, ItemKey], Line] = {}
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
            f"{self.results.line(key).name}: {what}"
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
        is_new = key not in self.results
        self._once = self._once and line.path.name == RESULTS and is_new
        if not is_new and line.number and not result.is_failed:
            self._require_one_answer(result, line)
        if is_new or WORTH.index(result.state) >= WORTH.index(self.results.state(key)):
            self.results.put(key, line, result.state)
            self.damaged.pop(key, None)
            if damaged:
                self.damaged[key] = damaged

    def known(self, keys: Iterable[ItemKey]) -> Iterator[Result]:
        """Return the results of these answers."""
        return (self.results[key] for key in keys)

    def write_together(self, run_dir: Path, keys: Sequence[ItemKey]) -> None:
        """Write these answers into results.jsonl, in this sequence and each once, and remove the parts.

        Whenever this is interrupted, either the old files are there or the new one. Lines that were set aside
        are kept in `set-aside.jsonl`.
        """
        results = run_dir / RESULTS
        require_replaceable(results)
        if self.aside:
            handle = open_own(run_dir / SET_ASIDE, os.O_WRONLY | os.O_APPEND)
            with os.fdopen(handle, "ab") as kept:
                kept.writelines(lines_again(one.line for one in self.aside))
                kept.flush()
                os.fsync(kept.fileno())
        temporary = run_dir / f".{RESULTS}.tmp"
        together = ResultIndex()
        with os.fdopen(open_own(temporary, os.O_WRONLY | os.O_TRUNC), "wb") as out:
            end = 0
            contents = lines_again(map(self.results.line, keys))
            for number, (key, content) in enumerate(zip(keys, contents, strict=True), start=1):
                out.write(content)
                line = Line(results, end, end := end + len(content), number)
                together.put(key, line, self.results.state(key))
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(results)
        flush_directory(run_dir)
        shutil.rmtree(run_dir / PARTS_FOLDER, ignore_errors=True)
        self.results = together
        self.damaged = {key: what for key, what in self.damaged.items() if key in together}
        self.torn, self.aside, self._beside, self._once = [], [], {}, True

    def _require_one_answer(self, result: Result, line: Line) -> None:
        """Compare a line with an earlier one of the same answer in its file; the two say the same.

        A line in a part replaces that in results.jsonl, so only lines of one file can contradict.
        """
        first = self.results.line(result.key)
        if (
            first.path != line.path
            or not first.number
            or self.results.state(result.key) == "failed"
        ):
            self._beside.setdefault((line.path, result.key), line)
            first = self._beside[line.path, result.key]
        before = result_in(next(lines_again([first])), first.path)
        if _said(before) != _said(result):
            raise DataError(
                f"{line.path.parent}: {first.name} and {line.name} answer {result.key[0]} differently; which "
                "of the two is this run's cannot be known",
                "remove the line that is not; or remove both, and --resume asks that question again",
            )


def _said(result: Result) -> tuple[object, ...]:
    return result.response, result.label, result.outcome, result.label_logprobs


def read_results(
    run_dir: Path,
    files: Iterable[Path] | None = None,
    *,
    asked: Asked | None = None,
    into: StoredResults | None = None,
) -> StoredResults:
    """Read the results of a run, each file once from end to end.

    Args:
        run_dir: the run directory.
        files: only these, those that others are not writing now; None for results.jsonl and all parts.
        asked: what the run asked; None for what its manifest says. Results of other questions, prompts or
            samples are set aside, as is what lacks a part of an answer.
        into: results that are known already, to be added to.

    Raises:
        DataError: a line other than the last of a file is broken, or two lines answer one prompt differently.
    """
    asked = asked or _asked_by(run_dir)
    stored = into or StoredResults()
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
