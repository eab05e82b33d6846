"""Rescoring: stored raw texts read again by today's parser, without a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lawqa._version import __version__
from lawqa.answers import ParsedAnswer
from lawqa.choices import LABELS, Label
from lawqa.files import JsonObject, write_json
from lawqa.runs.manifest import SCHEMA_VERSION, now
from lawqa.runs.result import Result
from lawqa.runs.stored import StoredRun, read_stored_run
from lawqa.scoring import ScoredAnswer, Summary, summarise
from lawqa.settings import By, StrPath, as_path, checks_arguments

RESCORED = "rescored.json"


@dataclass(frozen=True)
class Flip:
    """An answer that today's parser reads differently."""

    question_id: str
    order_number: int
    """The number of the choice order shown."""
    gold: Label
    """The right label."""
    recorded: Label | None
    """What was read when it was stored."""
    reparsed: Label | None
    """What is read today."""
    rule: str
    """The rule that reads it."""
    text: str
    """The span that the rule read."""


@dataclass(frozen=True)
class AfterText:
    """What the likeliest label right after a text says, of texts that commit to nothing; never counted."""

    texts: int
    """Texts without an answer that have label probabilities."""
    correct: int
    """Of them, those whose likeliest label is the right one."""
    labels: Mapping[Label, int]
    """The likeliest labels."""


@dataclass(frozen=True)
class Rescored:
    """A stored run, as recorded and as today's parser reads it."""

    run: StoredRun
    recorded: Summary
    """Its figures as recorded."""
    reparsed: Summary
    """Its figures today."""
    flips: tuple[Flip, ...]
    """The answers that differ."""
    after_text: AfterText | None = None
    """What label probabilities say where today's parser reads no answer; None where none are stored."""
    path: Path | None = None
    """Where the new reading was stored; None where it was not."""


@checks_arguments
def rescore(run: StoredRun | StrPath, by: By = "own", *, write: bool = False) -> Rescored:
    """Read every stored text of a run again with today's parser; no model is needed.

    Example:
        >>> import lawqa
        >>> lawqa.rescore("runs/none")
        Traceback (most recent call last):
        lawqa.errors.DataError: runs/none: no such file

    Args:
        run: a run directory or result file, or one that was read already.
        by: how the prompts of a question become its final answer.
        write: store the new reading beside the run, never over it; `Rescored.path` names the file.

    Raises:
        DataError: the run cannot be read, or `soft` is asked for and it stores no label probabilities.
    """
    if not isinstance(run, StoredRun):
        run = read_stored_run(as_path(run, "run"))
    run.check_by(by)
    recorded, today = list[ScoredAnswer](), list[ScoredAnswer]()
    parsed, flips, after_text = list[ParsedAnswer | None](), list[Flip](), _AfterTexts()
    for result in run.results:
        recorded.append(result.scored("recorded"))
        today.append(result.scored("today"))
        parsed.append(result.parsed if write and result.is_text else None)
        if today[-1].predicted != recorded[-1].predicted:
            flips.append(_flip(result, recorded[-1].predicted, today[-1].predicted))
        after_text.add(result, today[-1])
    rescored = Rescored(
        run,
        summarise(recorded, by=by),
        summarise(today, by=by),
        tuple(flips),
        after_text.figures(),
    )
    if not write:
        return rescored
    rows = (_row(*one) for one in zip(run.results, today, parsed, strict=True))
    return replace(rescored, path=_write(rescored, rows))


class _AfterTexts:
    """Counts the likeliest labels right after texts that commit to nothing."""

    def __init__(self) -> None:
        self._labels: Counter[Label] = Counter()
        self._correct = 0

    def add(self, result: Result, answer: ScoredAnswer) -> None:
        if result.forced_answer and answer.predicted is None and not result.is_failed:
            self._labels[result.forced_answer] += 1
            self._correct += result.forced_answer == result.gold

    def figures(self) -> AfterText | None:
        if not self._labels:
            return None
        labels = {label: self._labels[label] for label in LABELS}
        return AfterText(sum(labels.values()), self._correct, labels)


def _write(rescored: Rescored, rows: Iterator[JsonObject]) -> Path:
    """Store the new reading beside the run, never over it.

    Returns:
        The file: `rescored.json` in a run directory, `NAME.rescored.json` beside a result file.
    """
    path = rescored.run.path
    target = path / RESCORED if path.is_dir() else path.with_name(f"{path.stem}.{RESCORED}")
    write_json(
        target,
        {
            "schema_version": SCHEMA_VERSION,
            "lawqa": __version__,
            "written": now(),
            "run": path.name,
            **to_json(rescored),
            "results": rows,
        },
    )
    return target


def to_json(rescored: Rescored) -> JsonObject:
    """Return the figures and flips in plain JSON types."""
    return {
        "notes": list(rescored.run.notes),
        "recorded": rescored.recorded.to_json(),
        "reparsed": rescored.reparsed.to_json(),
        "after_text": asdict(rescored.after_text) if rescored.after_text else None,
        "flips": [vars(flip) for flip in rescored.flips],
    }


def _flip(result: Result, recorded: Label | None, label: Label | None) -> Flip:
    parsed = result.parsed
    span = result.response[slice(*parsed.span)] if parsed.span else ""
    rule = parsed.rule if result.is_text else "level-labels-drawn"
    return Flip(result.question_id, result.order_number, result.gold, recorded, label, rule, span)


def _row(result: Result, answer: ScoredAnswer, parsed: ParsedAnswer | None) -> JsonObject:
    row: dict[str, object] = {
        "file_name": result.question_id,
        "order": result.order_number,
        "recorded_answer": result.label,
        "predicted_answer": answer.predicted,
        "outcome": answer.outcome,
    }
    if parsed is not None:
        row |= {"status": parsed.status, "rule": parsed.rule}
        row["span"] = list(parsed.span) if parsed.span else None
    return row
