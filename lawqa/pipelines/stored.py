"""Runs that were stored: our run directories, our output files, and the lab's old result files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lawqa.answers import SOFT, ParsedAnswer, parse
from lawqa.choices import LABELS, ORIGINAL_ORDER, Label, Order
from lawqa.errors import DataError
from lawqa.files import read_json
from lawqa.prompting import prompt_thought
from lawqa.runs.directory import MANIFEST, RESULTS, read_manifest, require_keys
from lawqa.runs.result_log import Found, damaged_note, find_results
from lawqa.runs.rows import check_row
from lawqa.scoring import OUTCOMES, By, Outcome, ScoredAnswer, outcome_of, rule_of, with_tie_drawn

# The lab's scripts stored what their HTTP client raised in place of an answer.
_TRANSPORT_ERROR = re.compile(
    r"\s*(?:\[?(?:error|エラー|exception|timeout)\]?\s*[:：]|traceback \(most recent call last\)"
    r"|https?connectionpool|\S*(?:connectionerror|readtimeout|connecttimeout|httperror)\b"
    r"|(?:read )?timed out|connection (?:refused|reset|aborted))",
    re.IGNORECASE,
)
_SHOWN = 10
_NO_LABEL = (None, "", "unknown")


@dataclass(frozen=True)
class StoredResult:
    """One stored answer with everything that parsing and scoring it again needs."""

    question_id: str
    """The id of the question."""
    order_number: int
    """The data set's number of the choice order shown."""
    gold: Label
    """The right label as displayed."""
    recorded: Label | None
    """The label that was read when it was stored."""
    response: str
    """The raw text; for scored labels the label itself."""
    choices: tuple[str, ...]
    """The four choice texts as displayed, without letters; empty where they are not stored."""
    generated: bool
    """Whether the response is text that can be parsed again; not so for labels scored by logits."""
    hit_limit: bool
    """Whether the text ran into its token limit; False where that was not stored."""
    failed: bool
    """Whether the backend broke."""
    law: str
    """The law the question is on."""
    order: Order = ORIGINAL_ORDER
    """The choice order shown."""
    repeat: int = 0
    """Which of the answers to one prompt it is."""
    has_context: bool = False
    """Whether the prompt held statute text."""
    outcome: Outcome | None = None
    """The recorded outcome; None where none was stored (the lab's old files)."""
    logprobs: tuple[float, float, float, float] | None = None
    """Log-probabilities of the labels, where they were scored."""
    question: str = ""
    """Its text; empty where that was not stored."""
    gold_retrieved: bool | None = None
    """Whether an article that the question's own context quotes was retrieved; None where nobody looked."""
    label_mass: float | None = None
    """The probability that the next token was any label; None where that is not known."""
    in_thought: bool = False
    """Whether the text begins inside a think block that its prompt opened."""
    rule: str = ""
    """The rule that read the recorded label; empty where that was not stored."""
    after_text: Label | None = None
    """The likeliest label right after a text without an answer; None where that was not scored."""

    def parsed(self) -> ParsedAnswer:
        """What today's parser reads in the response."""
        return parse(
            self.response,
            self.choices or None,
            hit_limit=self.hit_limit,
            in_thought=self.in_thought,
        )

    def as_recorded(self) -> ScoredAnswer:
        """The answer as it was read when it was stored."""
        outcome = self.outcome
        if outcome is None:
            outcome = self._outcome_of_recorded()
        label = None if outcome == "failed" else self.recorded
        return self._scored(label, outcome, soft=label is not None and self.rule in SOFT)

    def as_reparsed(self) -> ScoredAnswer:
        """The answer as today's parser reads it; of scored labels the likeliest, level ones drawn."""
        if self.failed:
            return self._scored(None, "failed")
        if not self.generated:
            return with_tie_drawn(self.as_recorded())
        found = self.parsed()
        outcome = outcome_of(self.gold, found.label, found.status)
        return self._scored(found.label, outcome, soft=found.soft)

    def _outcome_of_recorded(self) -> Outcome:
        if self.failed:
            return "failed"
        return outcome_of(self.gold, self.recorded, "answered" if self.recorded else "unanswered")

    def _scored(self, label: Label | None, outcome: Outcome, *, soft: bool = False) -> ScoredAnswer:
        return ScoredAnswer(
            question_id=self.question_id,
            gold=self.gold,
            predicted=label,
            outcome=outcome,
            law=self.law,
            order=self.order,
            repeat=self.repeat,
            has_context=self.has_context,
            label_logprobs=self.logprobs,
            gold_retrieved=self.gold_retrieved,
            soft=soft,
        )


@dataclass(frozen=True)
class StoredRun:
    """A stored run."""

    path: Path
    """The run directory or result file."""
    results: tuple[StoredResult, ...]
    """In stored order."""
    legacy: bool
    """Whether it is one of the lab's old files, whose labels its old parser read."""
    notes: tuple[str, ...] = ()
    """What a reader must know first."""

    def answers(self, *, recorded: bool = False) -> tuple[ScoredAnswer, ...]:
        """The answers for scoring.

        Args:
            recorded: as they were read when they were stored; else as today's parser reads them.
        """
        return tuple(r.as_recorded() if recorded else r.as_reparsed() for r in self.results)

    def check_by(self, by: By) -> None:
        """Make sure that final answers can be made by this rule.

        Raises:
            DataError: the rule needs label probabilities, and the run stores none.
        """
        if by != "prompts":
            try:
                rule_of(self.answers(recorded=True), by)
            except DataError as problem:
                raise DataError(f"{self.path}: {problem.message}", problem.hint) from None


def names_of(paths: Sequence[Path]) -> dict[Path, str]:
    """Short names that tell the paths apart: as many of the last parts as that takes."""
    whole = {
        path: path.resolve().with_suffix("") if path.is_file() else path.resolve() for path in paths
    }
    for parts in range(1, max(len(path.parts) for path in whole.values()) + 1):
        names = {path: "/".join(full.parts[-parts:]) for path, full in whole.items()}
        if len(set(names.values())) == len(names):
            return names
    return {path: str(path) for path in paths}


def read_stored_run(path: Path) -> StoredRun:
    """Read a run directory, an output file of `lawqa evaluate`, or one of the lab's result files.

    Raises:
        DataError: it is none of these, or an item lacks what scoring needs; file and key are named.
    """
    if path.is_dir():
        if not (path / MANIFEST).is_file():
            raise DataError(
                f"{path}: is not a run directory: {MANIFEST} is missing",
                "give a run directory or a result file",
            )
        found = find_results(path)
        notes = _directory_notes(path, found)
        return _stored(path, path / RESULTS, list(found.rows(found.places)), tuple(notes))
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("results"), list):
        raise DataError(f"{path}: has no list 'results'", "give a run directory or a result file")
    summary = content.get("summary")
    notes = list(summary.get("notes", ())) if isinstance(summary, dict) else []
    rows, damaged = _readable(path, content["results"])
    return _stored(path, path, rows, (*notes, *damaged))


def _readable(path: Path, rows: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """The rows of a result file with damaged measures nulled, and a note on them; the lab's as they are."""
    kept, damaged = [], []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or "schema_version" not in row:
            kept.append(row)
            continue
        checked = check_row(row)
        if checked.fatal:
            raise DataError(
                f"{path}: result {number}: {'; '.join(checked.fatal)}",
                "the run directory it was written from may still be whole",
            )
        kept.append(checked.row)
        damaged += [f"result {number}: {what}" for what in checked.damaged]
    return kept, damaged_note(damaged)


def _directory_notes(path: Path, found: Found) -> list[str]:
    answered = len(found.places)
    manifest = read_manifest(path)
    require_keys(manifest, path, "kind", "status", "notes", "config", "data")
    if manifest["kind"] != "evaluate":
        raise DataError(f"{path}: is a {manifest['kind']} run, expected an evaluation")
    notes = [*manifest["notes"], *found.notes]
    asked = _asked(path, manifest)
    if manifest["status"] != "done":
        notes.append(f"UNFINISHED: {manifest['status']}, {answered} of {asked} questions answered")
    elif answered != asked:
        aside = "".join(f"\n  result {one.number}: {one.why}" for one in found.aside[:_SHOWN])
        why = f"; these are none:{aside}" if aside else "; was it cut off while it was copied?"
        raise DataError(
            f"{path / RESULTS}: holds {answered} answers, and {asked} were given{why}",
            "copy it again; or lawqa evaluate --resume asks what is missing",
        )
    return notes


def _asked(path: Path, manifest: Mapping[str, Any]) -> int:
    questions, repeats = manifest["data"].get("questions"), manifest["config"].get("ensemble", 1)
    if not isinstance(questions, int) or not isinstance(repeats, int):
        raise DataError(f"{path / MANIFEST}: does not say how many questions were asked")
    return questions * repeats


def _stored(path: Path, file: Path, rows: Sequence[Any], notes: tuple[str, ...]) -> StoredRun:
    if not rows:
        raise DataError(f"{file}: holds no result")
    results = []
    for number, row in enumerate(rows, start=1):
        try:
            results.append(_result(row))
        except KeyError as problem:
            raise DataError(f"{file}: result {number} has no key {problem}") from None
        except (TypeError, ValueError, AttributeError, OverflowError) as problem:
            raise DataError(f"{file}: result {number}: {problem}") from None
    counts = Counter((r.question_id, r.order, r.repeat) for r in results)
    twice = [key for key, number in counts.items() if number > 1]
    if twice:
        raise DataError(f"{file}: question {twice[0][0]} stands more than once in the same order")
    legacy = not any("schema_version" in row for row in rows)
    return StoredRun(path, tuple(results), legacy, notes)


def _result(row: Any) -> StoredResult:
    if not isinstance(row, dict):
        raise TypeError(f"is not an object but {type(row).__name__}")
    response, question_id = _text(row, "response"), _text(row, "file_name")
    predicted = row["predicted_answer"]
    ours = "schema_version" in row
    return StoredResult(
        question_id=question_id,
        order_number=int(row["order"]) if ours else 1,
        gold=_label(row, "correct_answer"),
        recorded=None if predicted in _NO_LABEL else _label(row, "predicted_answer"),
        response=response,
        choices=_choices(_text(row, "choices")),
        generated=not ours or row["answer_by"] == "generate",
        hit_limit=bool(row["hit_limit"]) if ours else False,
        failed=row["outcome"] == "failed" if ours else bool(_TRANSPORT_ERROR.match(response)),
        law=str(row.get("law", question_id.split("_", 1)[0])),
        order=_order(row) if ours else ORIGINAL_ORDER,
        repeat=int(row.get("repeat", 0)),
        has_context=(
            "-closed-" not in row["prompt_spec"] if ours else bool(row.get("retrieved_docs_count"))
        ),
        outcome=_outcome(row) if ours else None,
        logprobs=_logprobs(row) if ours else None,
        question=str(row.get("question", "")),
        gold_retrieved=row.get("gold_retrieved"),
        label_mass=row.get("label_mass"),
        in_thought=_in_thought(row) if ours else False,
        rule=str(row.get("rule") or "") if ours else "",
        after_text=row.get("forced_answer") if ours else None,
    )


def _in_thought(row: dict[str, Any]) -> bool:
    """Whether the text begins in a thought; for rows from before this was stored, as the prompt says."""
    stored = row.get("in_thought")
    if stored is not None:
        return bool(stored)
    prompt = row.get("prompt")
    return isinstance(prompt, str) and prompt_thought(prompt) is not None


def _text(row: dict[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str):
        raise TypeError(f"key {key!r} is not text but {type(value).__name__}")
    return value


def _label(row: dict[str, Any], key: str) -> Label:
    value = row[key]
    if value not in LABELS:
        raise ValueError(f"key {key!r} is {value!r}, expected one of {' '.join(LABELS)}")
    return cast("Label", value)


def _outcome(row: dict[str, Any]) -> Outcome:
    if row["outcome"] not in OUTCOMES:
        raise ValueError(
            f"key 'outcome' is {row['outcome']!r}, expected one of {', '.join(OUTCOMES)}"
        )
    return cast("Outcome", row["outcome"])


def _order(row: dict[str, Any]) -> Order:
    value = row["permutation"]
    numbers = isinstance(value, list) and all(type(item) is int for item in value)
    if not numbers or sorted(value) != list(ORIGINAL_ORDER):
        raise ValueError(f"key 'permutation' is {value!r}, expected 0 to 3 in some order")
    return cast("Order", tuple(value))


def _logprobs(row: dict[str, Any]) -> tuple[float, float, float, float] | None:
    value = row["label_logprobs"]
    if value is None:
        return None
    numbers = isinstance(value, list) and all(type(item) in (int, float) for item in value)
    if not numbers or len(value) != len(LABELS):
        raise TypeError(f"key 'label_logprobs' is {value!r}, expected four numbers or null")
    a, b, c, d = map(float, value)
    return a, b, c, d


def _choices(text: str) -> tuple[str, ...]:
    """The four texts without their letters, or none where the stored form is another."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) != len(LABELS) or any(
        line[:1] != label for line, label in zip(lines, LABELS, strict=True)
    ):
        return ()
    return tuple(line[1:].strip() for line in lines)
