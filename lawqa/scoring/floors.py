"""What a rule that reads no law would reach on the same prompts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lawqa.choices import LABELS, Label
from lawqa.errors import DataError
from lawqa.scoring.outcomes import ScoredAnswer


@dataclass(frozen=True)
class Floors:
    """Accuracies, from 0 to 1, that take no knowledge."""

    chance: float
    """A guess among four."""

    constant_label: Label
    """The label that is most often right; of equals the first."""

    constant: float
    """Always that label."""

    longest_choice: float | None
    """Always the longest choice, equals shared out evenly; None where lengths are not known."""


def floors_of(
    answers: Sequence[ScoredAnswer], choice_lengths: Mapping[str, Sequence[int]] | None = None
) -> Floors:
    """Return the floors under these prompts.

    Args:
        answers: asked prompts; only question, gold label and order are read.
        choice_lengths: for each question id the lengths of its four choices, in characters, in the
            original order.

    Raises:
        DataError: there are no answers, or a question's four lengths are missing.
    """
    if not answers:
        raise DataError("no prompt was asked, so there are no floors")
    gold = Counter(answer.gold for answer in answers)
    constant_label = max(LABELS, key=lambda label: gold[label])  # max keeps the first of equals
    return Floors(
        chance=1 / len(LABELS),
        constant_label=constant_label,
        constant=gold[constant_label] / len(answers),
        longest_choice=None if choice_lengths is None else _longest_choice(answers, choice_lengths),
    )


def _longest_choice(
    answers: Sequence[ScoredAnswer], choice_lengths: Mapping[str, Sequence[int]]
) -> float:
    """Return the expected accuracy of picking the longest choice."""
    hits = []
    for answer in answers:
        lengths = choice_lengths.get(answer.question_id, ())
        if len(lengths) != len(LABELS):
            raise DataError(
                f"question {answer.question_id}: found {len(lengths)} choice lengths, expected 4"
            )
        longest = [i for i, length in enumerate(lengths) if length == max(lengths)]
        gold = LABELS.index(answer.original_gold)
        hits.append((gold in longest) / len(longest))
    return math.fsum(hits) / len(answers)
