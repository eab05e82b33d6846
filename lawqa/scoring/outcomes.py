"""What became of one asked prompt: its outcome, and the record from which every statistic is made.

Knows labels, never texts: parsing is done before, counting after.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from lawqa.choices import LABELS, ORIGINAL_ORDER, Label, Order, Status, inverse, permute_label
from lawqa.errors import DataError

Outcome = Literal["correct", "wrong", "unparsed", "truncated", "failed"]
"""What became of an asked prompt.

correct, wrong: a label was given. unparsed: the model finished without committing. truncated: it
ran into a limit before committing, or inside an unclosed think block. failed: the backend broke.
"""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

PromptKey = tuple[str, Order, int]
"""What names a prompt within a run: question id, choice order, repeat."""


def outcome_of(gold: Label, label: Label | None, status: Status) -> Outcome:
    """Return the outcome of a parsed answer; `failed` is not among them, since nothing was there to parse.

    Args:
        gold: the right label as displayed.
        label: the parsed label, None where the text commits to none.
        status: the parser's status; `answered` exactly when there is a label.

    Raises:
        ValueError: label and status contradict each other.
    """
    if (label is not None) != (status == "answered"):
        raise ValueError(f"label {label!r} contradicts the parser's status {status!r}")
    if label is None:
        return "truncated" if status == "truncated" else "unparsed"
    return "correct" if label == gold else "wrong"


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """One asked prompt: everything the statistics need, and no text.

    Labels are those displayed, after the choices were put into `order`.

    Raises:
        DataError: the outcome contradicts the labels, or a field is not what it should be.
    """

    question_id: str
    """The question; all its orders and repeats are one cluster."""

    gold: Label
    """The right label as displayed."""

    predicted: Label | None
    """The label the answer commits to; None for every outcome but correct and wrong."""

    outcome: Outcome
    """What became of the prompt."""

    law: str = ""
    """The law the question is about (金商法); empty where it is not known."""

    order: Order = ORIGINAL_ORDER
    """The choice order shown."""

    has_context: bool = False
    """Whether the prompt held statute text."""

    gold_retrieved: bool | None = None
    """Whether retrieval found the gold article; None where no retrieval was done."""

    label_logprobs: tuple[float, float, float, float] | None = None
    """Natural log-probabilities of the displayed labels a-d, normalised over the four."""

    repeat: int = 0
    """The number of the self-consistency sample, from 0."""

    soft: bool = False
    """Whether the text only called its label likely, or chose it under protest; it counts all the same."""

    by_text: bool = False
    """Whether the label was read in a text; its probabilities are then kept and do not decide it."""

    def __post_init__(self) -> None:
        if self.predicted is None:
            possible = self.outcome in ("unparsed", "truncated", "failed")
        else:
            possible = self.outcome == ("correct" if self.predicted == self.gold else "wrong")
        if not possible:
            raise DataError(
                f"question {self.question_id}: outcome {self.outcome!r} cannot be, with "
                f"predicted {self.predicted!r} and gold {self.gold!r}"
            )
        if sorted(self.order) != [0, 1, 2, 3]:
            raise DataError(
                f"question {self.question_id}: order {self.order!r} is not an order of four choices"
            )
        if self.label_logprobs is not None and not _normalised(self.label_logprobs):
            raise DataError(
                f"question {self.question_id}: label_logprobs {self.label_logprobs!r} are not the "
                "log-probabilities of four labels, whose probabilities sum to 1"
            )

    @property
    def key(self) -> PromptKey:
        """What names this prompt within its run."""
        return (self.question_id, self.order, self.repeat)

    @property
    def is_correct(self) -> bool:
        """Whether the answer counts as right."""
        return self.outcome == "correct"

    @property
    def original_gold(self) -> Label:
        """The right label in the question's original order."""
        return permute_label(self.gold, inverse(self.order))

    @property
    def original_predicted(self) -> Label | None:
        """The label that the picked choice has in the question's original order."""
        if self.predicted is None:
            return None
        return permute_label(self.predicted, inverse(self.order))


def order_name(order: Order) -> str:
    """Return an order as the original labels in the sequence shown: `bcda` shows the former b first."""
    return "".join(LABELS[source] for source in order)


def by_prompt(
    answers: Iterable[ScoredAnswer], run: str = "the run"
) -> dict[PromptKey, ScoredAnswer]:
    """Return the answers of a run by prompt.

    Args:
        answers: the answers of one run, in any order.
        run: what to call the run in an error.

    Raises:
        DataError: a prompt occurs twice.
    """
    answers_by_prompt: dict[PromptKey, ScoredAnswer] = {}
    for answer in answers:
        if answer.key in answers_by_prompt:
            raise _twice(answer, run)
        answers_by_prompt[answer.key] = answer
    return answers_by_prompt


def require_each_once(answers: Iterable[ScoredAnswer]) -> None:
    """Make sure that no prompt occurs twice among the answers of a run.

    Raises:
        DataError: one does.
    """
    for _, group in by_question(answers):
        for one, other in pairwise(group):
            if one.key == other.key:
                raise _twice(other, "the run")


def _twice(answer: ScoredAnswer, run: str) -> DataError:
    return DataError(
        f"{run} holds question {answer.question_id}, order {order_name(answer.order)}, "
        f"repeat {answer.repeat} twice"
    )


def by_question(answers: Iterable[ScoredAnswer]) -> Iterator[tuple[str, list[ScoredAnswer]]]:
    """Yield the answers of each question, questions sorted by id, answers by order and repeat."""
    groups: dict[str, list[ScoredAnswer]] = {}
    for answer in answers:
        groups.setdefault(answer.question_id, []).append(answer)
    for question_id in sorted(groups):
        yield question_id, sorted(groups[question_id], key=lambda a: (a.order, a.repeat))


def _normalised(logprobs: tuple[float, ...]) -> bool:
    """Return whether these are four log-probabilities that sum to one, as half precision allows."""
    tolerance = 1e-2
    if len(logprobs) != 4 or not all(value <= tolerance for value in logprobs):  # NaN is not <=
        return False
    return abs(math.fsum(math.exp(value) for value in logprobs) - 1) <= tolerance
