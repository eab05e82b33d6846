"""The fields of a stored row and what each may hold: the one place that checks them.

`essential` fields say which question was answered how; a row in which one is wrong is no answer of the run.
The others only measure or explain: where one is wrong it is taken for unknown, and that is noted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from lawqa.choices import LABELS, ORIGINAL_ORDER
from lawqa.files import JsonDict, JsonObject
from lawqa.questions import Question, fingerprint
from lawqa.runs.manifest import Manifest, samples_of
from lawqa.runs.result import RESULT_SCHEMA_VERSION, Result, StopReason
from lawqa.scoring import OUTCOMES
from lawqa.settings import AnswerBy

Row = JsonObject

_LARGEST = 2**53
"""Above it JSON's numbers are no longer whole everywhere; no run has as many tokens."""

_SHOWN = 40


@dataclass(frozen=True)
class Check:
    """What a field may hold."""

    holds: Callable[[object], bool]
    """Whether a value is one of them."""
    expected: str
    """What they are, for messages."""


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _number(value: object) -> bool:
    """Return a finite number; an integer too large for a float is none."""
    if type(value) is int:
        return abs(value) < _LARGEST
    return isinstance(value, float) and math.isfinite(value)


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _four_lines(value: object) -> bool:
    """Return choices as `choices_text` writes them."""
    lines = value.split("\n") if isinstance(value, str) else []
    return len(lines) == len(LABELS) and all(
        line.startswith(f"{label} ") for label, line in zip(LABELS, lines, strict=True)
    )


def _span(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_count, value))


def _articles(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("law_title"), str)
        and isinstance(one.get("article"), (str, type(None)))
        and _number(one.get("score"))
        and isinstance(one.get("complete"), bool)
        for one in value
    )


def _or_null(check: Check) -> Check:
    return Check(lambda value: value is None or check.holds(value), f"{check.expected} or null")


_TEXT = Check(lambda value: isinstance(value, str), "text")
_NAME = Check(lambda value: isinstance(value, str) and bool(value), "text")
_FLAG = Check(lambda value: isinstance(value, bool), "true or false")
_COUNT = Check(_count, "a whole number from 0")
_NUMBER = Check(_number, "a finite number")
_LABEL = Check(lambda value: isinstance(value, str) and value in LABELS, "one of a b c d")
_FOUR = Check(
    lambda value: (
        isinstance(value, list) and len(value) == len(LABELS) and all(map(_number, value))
    ),
    "four finite numbers",
)

_ESSENTIAL = {
    "schema_version": Check(
        lambda value: type(value) is int and value == RESULT_SCHEMA_VERSION,
        str(RESULT_SCHEMA_VERSION),
    ),
    "file_name": _NAME,
    "order": Check(lambda value: type(value) is int and 1 <= value <= 24, "1 to 24"),
    "permutation": Check(
        lambda value: (
            isinstance(value, list)
            and all(type(one) is int for one in value)
            and sorted(value) == list(ORIGINAL_ORDER)
        ),
        "0 to 3 in some order",
    ),
    "question": _TEXT,
    "choices": Check(_four_lines, "four lines, a to d"),
    "correct_answer": _LABEL,
    "predicted_answer": _or_null(_LABEL),
    "outcome": Check(
        lambda value: isinstance(value, str) and value in OUTCOMES, ", ".join(OUTCOMES)
    ),
    "answer_by": Check(
        lambda value: isinstance(value, str) and value in get_args(AnswerBy),
        " or ".join(get_args(AnswerBy)),
    ),
    "prompt_spec": _NAME,
    "response": _TEXT,
    "label_logprobs": _or_null(_FOUR),
}
_ESSENTIAL_IF_THERE = {"repeat": _COUNT}

_MEASURED = {
    "is_correct": _FLAG,
    "law": _TEXT,
    "references": Check(_strings, "a list of texts"),
    "status": _or_null(_TEXT),
    "rule": _or_null(_TEXT),
    "span": _or_null(Check(_span, "two whole numbers")),
    "retrieved_docs_count": _COUNT,
    "retrieved_articles": Check(_articles, "a list of articles"),
    "retrieved_size": _COUNT,
    "gold_retrieved": _or_null(_FLAG),
    "label_mass": _or_null(_NUMBER),
    "label_at": _or_null(_COUNT),
    "label_after": _or_null(_TEXT),
    "hit_limit": _or_null(_FLAG),
    "stopped": _or_null(
        Check(lambda value: value in get_args(StopReason), ", ".join(get_args(StopReason)))
    ),
    "thinking_closed": _or_null(_FLAG),
    "in_thought": _or_null(_FLAG),
    "completion_tokens": _or_null(_COUNT),
    "prompt": _or_null(_TEXT),
    "prompt_tokens": _or_null(_COUNT),
    "seconds": _or_null(_NUMBER),
    "error": _or_null(_TEXT),
    "forced_answer": _or_null(_LABEL),
    "forced_logprobs": _or_null(_FOUR),
    "forced_label_mass": _or_null(_NUMBER),
    "forced_after": _or_null(_TEXT),
    "forced_error": _or_null(_TEXT),
}
_ALWAYS_THERE = ("hit_limit", "completion_tokens")
_OTHERWISE: JsonDict = {"references": [], "retrieved_articles": [], "retrieved_docs_count": 0}


@dataclass(frozen=True)
class CheckedRow:
    """What a stored row holds, and what is wrong with it."""

    result: Result | None
    """The result, measures that are wrong taken for unknown; None for a row that is no answer."""
    fatal: tuple[str, ...]
    """Why it is no answer of a run; empty for one that is."""
    damaged: tuple[str, ...]
    """What was wrong with fields that measure."""


def check_row(row: object) -> CheckedRow:
    """Check every field of a stored row and read it."""
    if not isinstance(row, dict):
        return CheckedRow(None, (f"is not an object but {type(row).__name__}",), ())
    fatal = tuple(_wrong_essentials(row)) or tuple(_inconsistencies(row))
    wrong = dict(_wrong_measures(row))
    if fatal:
        return CheckedRow(None, fatal, tuple(wrong.values()))
    kept = {**row, **{key: _OTHERWISE.get(key) for key in wrong}}
    if "law" in wrong:
        del kept["law"]
    return CheckedRow(Result.from_json(kept), (), tuple(wrong.values()))


def row_problems(row: object) -> tuple[str, ...]:
    """Return all that is wrong with a row; empty for one that may be stored."""
    checked = check_row(row)
    return (*checked.fatal, *checked.damaged)


def _wrong_essentials(row: Row) -> Iterator[str]:
    for key, check in _ESSENTIAL.items():
        if key not in row:
            yield f"key {key!r} is missing"
        elif not check.holds(row[key]):
            yield _wrong(key, row[key], check)
    for key, check in _ESSENTIAL_IF_THERE.items():
        if key in row and not check.holds(row[key]):
            yield _wrong(key, row[key], check)


def _inconsistencies(row: Row) -> Iterator[str]:
    answered = row["outcome"] in ("correct", "wrong")
    right = row["predicted_answer"] == row["correct_answer"]
    if answered != (row["predicted_answer"] is not None) or (
        answered and right != (row["outcome"] == "correct")
    ):
        yield (
            f"outcome is {row['outcome']}, predicted_answer {_shown(row['predicted_answer'])} and "
            f"correct_answer {_shown(row['correct_answer'])}, which contradict each other"
        )


def _wrong_measures(row: Row) -> Iterator[tuple[str, str]]:
    for key, check in _MEASURED.items():
        if key in row and not check.holds(row[key]):
            yield key, _wrong(key, row[key], check)
    for key in _ALWAYS_THERE:
        if key not in row:
            yield key, f"key {key!r} is missing"
    text = row.get("answer_by") == "generate" and row.get("outcome") != "failed"
    # A text that was neither counted nor timed is of another tool (`lawqa import`).
    if text and row.get("seconds") is not None and row.get("completion_tokens", 0) is None:
        yield "completion_tokens", _wrong("completion_tokens", None, _COUNT)


def _wrong(key: str, value: object, check: Check) -> str:
    return f"key {key!r} is {_shown(value)}, expected {check.expected}"


def _shown(value: object) -> str:
    """Return a value as a message shows it; Python refuses to write integers of thousands of digits."""
    if type(value) is int and abs(value) >= _LARGEST:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = repr(value)
    except (RecursionError, ValueError):
        text = type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@dataclass(frozen=True)
class Asked:
    """What a run asked, as its manifest says: rows are held against it."""

    fingerprints: Mapping[tuple[str, int], str]
    """Of every question by id and order."""
    repeats: int
    """Answers to each prompt."""
    specs: frozenset[str]
    """Prompt specs."""
    answer_by: str | None
    """How answers are taken; None where the manifest does not say."""

    @classmethod
    def of(cls, manifest: Manifest) -> Asked:
        """Read it from an evaluation's manifest."""
        ensemble = samples_of(manifest)
        return cls(
            {
                (entry["id"], entry["order"]): entry["fingerprint"]
                for entry in manifest.questions
                if isinstance(entry, dict) and entry.keys() >= {"id", "order", "fingerprint"}
            },
            ensemble if type(ensemble) is int else 1,
            frozenset(manifest.prompt_specs),
            manifest.config.get("answer_by"),
        )

    def why_foreign(self, result: Result) -> str | None:
        """Return why a result is no answer of this run; None for one that is."""
        name, repeat = result.key
        known = self.fingerprints.get((result.question_id, result.order_number))
        if self.fingerprints and known is None:
            return f"{name} was not asked by this run"
        if repeat >= self.repeats:
            return f"answer {repeat + 1} to {name}, and {self.repeats} were asked for"
        if self.specs and result.prompt_spec not in self.specs:
            return f"{name} was put as {result.prompt_spec}, this run's are {', '.join(sorted(self.specs))}"
        if self.answer_by and result.answer_by != self.answer_by:
            return f"{name} was answered by {result.answer_by}, this run's are by {self.answer_by}"
        if known is not None and _wording(result) != known:
            return f"{name} has another wording than the one asked"
        return None


def _wording(result: Result) -> str:
    """Return the fingerprint of the question that a result shows."""
    first, second, third, fourth = result.choices
    shown = Question(result.question_id, result.question, (first, second, third, fourth), "a")
    return fingerprint(shown)
