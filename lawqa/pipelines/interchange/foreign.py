"""What another tool's log says of a run: the questions, the answers, and who gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from lawqa.amounts import counted
from lawqa.choices import LABELS, ORIGINAL_ORDER, Label, Order, label_of
from lawqa.errors import DataError
from lawqa.files import JsonObject
from lawqa.questions import Question, from_sample
from lawqa.runs.result import Logprobs

_NEEDED = ("id", "question", "choices", "gold")
_LAWQA_JP = "問題文"


@dataclass(frozen=True)
class ForeignQuestion:
    """A question as a log holds it."""

    question: Question
    """The question as it was shown."""
    prompt_spec: str | None = None
    """lawqa's prompt spec, which its own task names; None where the words were another's."""
    repeat: int = 0
    """Which of the samples of its prompt this is, where a log of ours says it."""
    measured: JsonObject | None = None
    """What a log that lawqa exported keeps beside the answer."""


@dataclass(frozen=True)
class ForeignAnswer:
    """One answer of a log."""

    asked: ForeignQuestion
    text: str
    """What was written; empty where labels were scored."""
    repeat: int = 0
    """Which of the samples of its prompt it is."""
    prompt: str | None = None
    """As sent; None where the log does not hold it."""
    logprobs: Logprobs | None = None
    """Where labels were scored: normalised over the four."""
    mass: float | None = None
    """Probability of any label as the next token; None where that is not known."""
    by_text: bool = False
    """Whether whole choice texts were scored, not letters."""
    hit_limit: bool | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    error: str | None = None
    """What broke; None where nothing did."""
    right: bool | None = None
    """Whether the other tool counted it as right; None where it says neither."""


@dataclass(frozen=True)
class ForeignLog:
    """A log of another tool."""

    tool: str
    """lm-eval or inspect."""
    version: str | None
    """The tool's version, where the log says it."""
    model: str
    """Who answered."""
    task: str
    """What the questions are called there."""
    started: str | None
    """ISO 8601; None where the log does not say it."""
    finished: bool
    """Whether the log says that all was asked."""
    answers: tuple[ForeignAnswer, ...]
    """In the sequence of the log."""


def read_foreign_question(where: str, document: object, target: object) -> ForeignQuestion:
    """Read the question of a document: of lawqa's own task, or an item of lawqa_jp's JSON.

    Args:
        where: file and line, for messages.
        document: the document.
        target: the right answer where the document does not say it: a label or its position.

    Raises:
        DataError: it is neither; what it lacks is named.
    """
    if not isinstance(document, Mapping):
        raise DataError(f"{where}: the document is not an object but {type(document).__name__}")
    if _LAWQA_JP in document:
        try:
            return ForeignQuestion(from_sample(dict(document)))
        except ValueError as problem:
            raise DataError(f"{where}: {problem}") from None
    content = {"gold": target, **document}
    missing = [name for name in _NEEDED if content.get(name) in (None, "")]
    if missing:
        raise DataError(
            f"{where}: the document has no {', '.join(missing)} (it has: {', '.join(map(str, document))})",
            "import logs of the task of `lawqa export --format lm-eval-task`, or documents with the fields "
            "id, question, choices and gold",
        )
    question = Question(
        id=required_text(f"{where}: id", content["id"]),
        text=required_text(f"{where}: question", content["question"]),
        choices=choices_of(where, content["choices"]),
        gold=label_from(where, content["gold"]),
        context=str(content.get("context") or ""),
        references=tuple(map(str, content.get("references") or ())),
        order=_order_number(where, content.get("order", 1)),
        permutation=_permutation(where, content.get("permutation")),
    )
    spec = content.get("prompt_spec")
    measured = content.get("lawqa")
    kept: JsonObject | None = dict(measured) if isinstance(measured, Mapping) else None
    repeat = (kept or {}).get("repeat", 0)
    return ForeignQuestion(
        question,
        spec if isinstance(spec, str) and spec else None,
        repeat if type(repeat) is int and repeat >= 0 else 0,
        kept,
    )


def mass_of(measured: JsonObject | None) -> float | None:
    """Return the probability of any label that a log exported by lawqa keeps; None where there is none."""
    mass = measured.get("label_mass") if measured else None
    return float(mass) if isinstance(mass, int | float) and 0 <= mass <= 1 else None


def required_text(where: str, value: object) -> str:
    """Return a value that must be text.

    Raises:
        DataError: it is not.
    """
    if not isinstance(value, str):
        raise DataError(f"{where} is not text but {type(value).__name__}")
    return value


def choices_of(where: str, value: object) -> tuple[str, str, str, str]:
    """Return the four texts of a question's choices.

    Raises:
        DataError: they are not four texts.
    """
    texts = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    if len(texts) != len(LABELS) or not all(isinstance(one, str) and one.strip() for one in texts):
        raise DataError(
            f"{where}: has {counted(len(texts), 'choice')}, expected four texts",
            "lawqa scores four-choice questions only",
        )
    one_line = [" ".join(text.split()) for text in texts]
    return cast("tuple[str, str, str, str]", tuple(one_line))


def label_from(where: str, value: object) -> Label:
    """Return the label that a target names: a letter, or a position from 0.

    Raises:
        DataError: it names none.
    """
    if type(value) is int and 0 <= value < len(LABELS):
        return LABELS[value]
    # "1" is a position in lm-eval, whose targets are texts, and not the first of 1 to 4.
    if isinstance(value, str) and value.strip().isdigit() and int(value) < len(LABELS):
        return LABELS[int(value)]
    label = label_of(value) if isinstance(value, str) else None
    if label is None:
        raise DataError(f"{where}: the right answer is {value!r}, expected a letter a to d")
    return label


def _order_number(where: str, value: object) -> int:
    if type(value) is int and 1 <= value <= 24:
        return value
    raise DataError(f"{where}: order is {value!r}, expected 1 to 24")


def _permutation(where: str, value: object) -> Order:
    if value is None:
        return ORIGINAL_ORDER
    places = list(value) if isinstance(value, Sequence) else []
    if all(type(one) is int for one in places) and sorted(places) == list(ORIGINAL_ORDER):
        return cast("Order", tuple(places))
    raise DataError(f"{where}: permutation is {value!r}, expected 0 to 3 in some order")
