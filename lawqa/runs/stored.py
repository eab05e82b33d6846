"""Runs that were stored: our run directories, our output files, and the lab's old result files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lawqa.amounts import counted
from lawqa.choices import LABELS, Label, Order
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject, Pieces, json_members, parse_json, seekable
from lawqa.made import Made
from lawqa.runs import flat
from lawqa.runs.directory import RESULTS
from lawqa.runs.manifest import MANIFEST, Manifest, samples_of
from lawqa.runs.result import LAB_FILE, ReadingName, Result
from lawqa.runs.result_log import StoredResults, damaged_note, read_results
from lawqa.runs.rows import Asked, check_row
from lawqa.scoring import ScoredAnswer, outcome_of, rule_of
from lawqa.settings import By, StrPath, as_path
from lawqa.shown import Shown

if TYPE_CHECKING:
    import pandas
    import pyarrow

# The lab's scripts stored what their HTTP client raised in place of an answer.
_TRANSPORT_ERROR = re.compile(
    r"\s*(?:\[?(?:error|エラー|exception|timeout)\]?\s*[:：]|traceback \(most recent call last\)"
    r"|https?connectionpool|\S*(?:connectionerror|readtimeout|connecttimeout|httperror)\b"
    r"|(?:read )?timed out|connection (?:refused|reset|aborted))",
    re.IGNORECASE,
)
_IN_CROSSVAL = re.compile(r"/(?:pooled|(?P<fold>fold\d+))/(?P<seed>seed\d+)(?:/run)?$")
_SHOWN = 10
_NO_LABEL = (None, "", "unknown")
_NEEDED = ("kind", "status", "notes", "config", "data")


@dataclass(frozen=True)
class StoredRun(Shown):
    """A stored run."""

    path: Path
    """The run directory or result file."""
    results: Sequence[Result]
    """In stored order; each is read from its file when it is asked for."""
    notes: tuple[str, ...] = ()
    """What a reader must know first."""
    manifest: Manifest | None = None
    """Of a run directory; None for a result file."""
    about: JsonObject = field(default_factory=dict)
    """What a result file says besides its results."""

    @property
    def legacy(self) -> bool:
        """Whether it is one of the lab's old files, whose labels its old parser read."""
        return all(result.schema_version == LAB_FILE for result in self.results)

    def answers(self, reading: ReadingName = "today") -> tuple[ScoredAnswer, ...]:
        """Return the answers for scoring; they are read once."""
        if reading not in self._answers:
            self._answers[reading] = tuple(result.scored(reading) for result in self.results)
        return self._answers[reading]

    @cached_property
    def _answers(self) -> dict[ReadingName, tuple[ScoredAnswer, ...]]:
        return {}

    def to_frame(self, reading: ReadingName = "today") -> pandas.DataFrame:
        """Return the answers as a pandas frame, a row each; `lawqa.runs.flat.COLUMNS` names the columns.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return flat.to_frame(self, reading)

    def to_arrow(self, reading: ReadingName = "today") -> pyarrow.Table:
        """Return the answers as an Arrow table, a row each.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        return flat.to_arrow(self, reading)

    def check_by(self, by: By) -> None:
        """Make sure that final answers can be made by this rule.

        Raises:
            DataError: the rule needs label probabilities, and the run stores none.
        """
        if by == "soft":
            try:
                rule_of(self.answers("recorded"), by)
            except DataError as problem:
                raise DataError(f"{self.path}: {problem.message}", problem.hint) from None


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return short names that tell the paths apart: as many of the last parts as that takes.

    A run within a cross-validation is named after that: `seed0` is the name of one in every cross-validation.
    """
    whole = {
        path: _telling(path.resolve().with_suffix("") if path.is_file() else path.resolve())
        for path in paths
    }
    for parts in range(1, max(len(known) for known in whole.values()) + 1):
        names = {path: "/".join(known[-parts:]) for path, known in whole.items()}
        if len(set(names.values())) == len(names):
            return names
    return {path: str(path) for path in paths}


def _telling(path: Path) -> tuple[str, ...]:
    """Return the parts of a path, with those that only say where in a cross-validation it is joined to its
    name.
    """
    match = _IN_CROSSVAL.search(path.as_posix())
    if match is None:
        return path.parts
    directory = Path(path.as_posix()[: match.start()])
    within = match["seed"] if match["fold"] is None else f"{match['fold']}/{match['seed']}"
    return (*directory.parts[:-1], f"{directory.name}/{within}")


def require_different(paths: Sequence[Path], hint: str) -> None:
    """Refuse a run that is given twice.

    Raises:
        ConfigError: one is.
    """
    given: set[Path] = set()
    for path in paths:
        if path.resolve() in given:
            raise ConfigError(f"{path}: is given twice", hint)
        given.add(path.resolve())


def read_stored_run(path: StrPath, manifest: Manifest | None = None) -> StoredRun:
    """Read a run directory, an output file of `lawqa evaluate`, or one of the lab's result files.

    Args:
        path: the run.
        manifest: its manifest where it was read already.

    Raises:
        DataError: it is none of these, or an item lacks what scoring needs; file and key are named.
    """
    path = as_path(path, "path")
    return _read_directory(path, manifest) if path.is_dir() else _read_file(path)


def _read_directory(path: Path, manifest: Manifest | None) -> StoredRun:
    manifest = manifest or (Manifest.read(path, _NEEDED) if (path / MANIFEST).is_file() else None)
    if manifest is None:
        raise DataError(
            f"{path}: is not a run directory: {MANIFEST} is missing",
            "give a run directory or a result file",
        )
    if manifest.kind != "evaluate":
        raise DataError(f"{path}: is a {manifest.kind} run, expected an evaluation")
    stored = read_results(path, asked=Asked.of(manifest))
    notes = _directory_notes(path, manifest, stored)
    number = len(stored.results)
    results = Made(stored.results.read, range(number))
    # Keys name the order by its number; of one question two numbers may be the same order.
    if number == 0 or len({key.rpartition("#")[0] for key, _ in stored.results}) < number:
        _require_unique(path / RESULTS, map(_shown_prompt, results))
    return StoredRun(path, results, tuple(notes), manifest)


def _directory_notes(path: Path, manifest: Manifest, stored: StoredResults) -> list[str]:
    answered = len(stored.results)
    notes = [*manifest.notes, *stored.notes]
    asked = _asked(path, manifest)
    if manifest.status != "done":
        unit = "question" if asked == manifest.data.get("questions") else "prompt"
        notes.append(
            f"UNFINISHED: {manifest.status}, {answered} of {counted(asked, unit)} answered"
        )
    elif answered != asked:
        aside = "".join(f"\n  result {one.line.number}: {one.why}" for one in stored.aside[:_SHOWN])
        why = f"; these are none:{aside}" if aside else "; was it cut off while it was copied?"
        raise DataError(
            f"{path / RESULTS}: holds {counted(answered, 'answer')}, and {asked} were given{why}",
            "copy it again; or lawqa evaluate --resume asks what is missing",
        )
    return notes


def _asked(path: Path, manifest: Manifest) -> int:
    prompts, repeats = manifest.prompts, samples_of(manifest)
    if not isinstance(prompts, int) or not isinstance(repeats, int):
        raise DataError(f"{path / MANIFEST}: does not say how many questions were asked")
    return prompts * repeats


def _read_file(path: Path) -> StoredRun:
    about, pieces = dict[str, object](), Pieces()
    prompts, damaged = list[_Prompt](), list[str]()
    with seekable(path) as file:
        pieces.hold(path, file)
        for member in json_members(file, path, ("results",)):
            if not member.number:
                about[member.key] = member.value
                continue
            result, wrong = _result_of(path, member.number, member.value)
            pieces.append(path, member.start, member.end)
            prompts.append(_shown_prompt(result))
            damaged += [f"result {member.number}: {what}" for what in wrong]
    if "" in about or about.pop("results", None) != []:
        raise DataError(f"{path}: has no list 'results'", "give a run directory or a result file")
    summary = about.get("summary")
    notes = list(summary.get("notes", ())) if isinstance(summary, dict) else []
    _require_unique(path, prompts)

    def read(place: int) -> Result:
        return _result_of(path, place + 1, parse_json(pieces.read(place).decode(), path))[0]

    results = Made(read, range(len(pieces)))
    return StoredRun(path, results, (*notes, *damaged_note(damaged)), None, about)


def _result_of(path: Path, number: int, row: object) -> tuple[Result, tuple[str, ...]]:
    """Return a result of a result file, and what is wrong with fields of it that measure."""
    if not isinstance(row, dict) or "schema_version" not in row:
        return _of_the_lab(path, number, row), ()
    checked = check_row(row)
    if checked.result is None:
        raise DataError(
            f"{path}: result {number}: {'; '.join(checked.fatal)}",
            "the run directory it was written from may still be whole",
        )
    return checked.result, checked.damaged


_Prompt = tuple[str, Order, int]


def _shown_prompt(result: Result) -> _Prompt:
    return result.question_id, result.order, result.repeat


def _require_unique(file: Path, prompts: Iterable[_Prompt]) -> None:
    counts = Counter(prompts)
    if not counts:
        raise DataError(f"{file}: holds no result")
    twice = [key for key, number in counts.items() if number > 1]
    if twice:
        raise DataError(f"{file}: question {twice[0][0]} is in it more than once in the same order")


def _of_the_lab(path: Path, number: int, row: object) -> Result:
    """Return a result of one of the lab's old files, which say neither how an answer was taken nor its
    outcome.
    """
    if not isinstance(row, dict):
        raise DataError(f"{path}: result {number}: is not an object but {type(row).__name__}")
    try:
        response, question_id = _text(row, "response"), _text(row, "file_name")
        predicted, gold = row["predicted_answer"], _label(row, "correct_answer")
        label = None if predicted in _NO_LABEL else _label(row, "predicted_answer")
        failed = _TRANSPORT_ERROR.match(response) is not None
        return Result(
            question_id=question_id,
            question=str(row.get("question", "")),
            choices=_choices(_text(row, "choices")),
            gold=gold,
            label=label,
            outcome="failed"
            if failed
            else outcome_of(gold, label, "answered" if label else "unanswered"),
            response=response,
            answer_by="generate",
            law=str(row.get("law", question_id.split("_", 1)[0])),
            references=tuple(map(str, row.get("references") or ())),
            retrieved_count=int(row.get("retrieved_docs_count") or 0),
            repeat=int(row.get("repeat", 0)),
            schema_version=LAB_FILE,
        )
    except KeyError as problem:
        raise DataError(f"{path}: result {number} has no key {problem}") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise DataError(f"{path}: result {number}: {problem}") from None


def _text(row: JsonObject, key: str) -> str:
    value = row[key]
    if not isinstance(value, str):
        raise TypeError(f"key {key!r} is not text but {type(value).__name__}")
    return value


def _label(row: JsonObject, key: str) -> Label:
    value = row[key]
    if value not in LABELS:
        raise ValueError(f"key {key!r} is {value!r}, expected one of {' '.join(LABELS)}")
    return cast("Label", value)


def _choices(text: str) -> tuple[str, ...]:
    """Return the four texts without their letters, or none where the stored form is another."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) != len(LABELS) or any(
        line[:1] != label for line, label in zip(lines, LABELS, strict=True)
    ):
        return ()
    return tuple(line[1:].strip() for line in lines)
