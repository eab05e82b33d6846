"""The questions of a ladder in two halves: one to choose settings on, one to judge the choice on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.errors import ConfigError
from lawqa.questions import Question
from lawqa.splits import kfold


@dataclass(frozen=True)
class Halves:
    """Questions divided in two by a seed; groups that give each other away are in one half."""

    tuning: frozenset[str]
    """Ids of the questions that settings are chosen on."""
    judged: frozenset[str]
    """Ids of those that the choice is judged on."""


def halves_of(questions: Sequence[Question], seed: int) -> Halves | None:
    """Divide questions in two; None where they are all of one group."""
    by_id: dict[str, Question] = {}
    for question in questions:
        by_id.setdefault(question.id, question)
    try:
        first, _ = kfold(tuple(by_id.values()), folds=2, seed=seed)
    except ConfigError:
        return None
    return Halves(
        frozenset(question.id for question in first.train),
        frozenset(question.id for question in first.test),
    )
