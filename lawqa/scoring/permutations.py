"""A question asked in several choice orders: does the answer follow the choice or its label?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from lawqa.choices import LABELS, Label, permute_label
from lawqa.errors import DataError
from lawqa.scoring.accuracy import Accuracy, Interval, accuracy_by, wilson
from lawqa.scoring.final_answer import most_probable
from lawqa.scoring.outcomes import ScoredAnswer, by_question, order_name, require_each_once

Probabilities = tuple[float, float, float, float]
"""Probabilities of the choices in the question's original order; they sum to 1."""


@dataclass(frozen=True)
class AveragedAnswer:
    """One question's answer from all its orders; labels are those of the original order."""

    question_id: str

    gold: Label
    """The right label in the original order."""

    predicted: Label | None
    """The most probable choice, ties broken as in `final_answers`; None where no order has probabilities."""

    probabilities: Probabilities | None
    """Mean over the prompts of each choice's probability."""

    prompts: int
    """Prompts with probabilities; fewer than the run's orders leave some label bias in the mean."""


@dataclass(frozen=True)
class PermutationSummary:
    """How a run over several choice orders depends on the order."""

    by_order: Mapping[str, Accuracy]
    """Accuracy by choice order, named by the original labels in the sequence shown (`abcd`)."""

    questions: int
    """Questions asked in every order of the run; consistency is of these."""

    left_out: int
    """Questions asked in some of the orders only."""

    consistent: int
    """Questions for which every prompt got an answer and all picked the same choice."""

    consistency: float | None
    """consistent / questions, from 0 to 1; None where no question was asked in every order."""

    consistency_interval: Interval | None
    """Wilson's interval of the consistency."""

    averaged: Accuracy | None
    """Accuracy of the averaged-probability answers, one for each question asked at all; None where
    the run holds no probabilities."""

    def to_json(self) -> dict[str, object]:
        """Return this summary in plain JSON types; the file around it carries the schema version."""
        return asdict(self)


def summarise_permutations(answers: Sequence[ScoredAnswer]) -> PermutationSummary:
    """Return how much the answers depend on the choice order.

    A question is consistent when the same choice, mapped back to the original order, was picked in
    every order (and repeat). A prompt without an answer breaks consistency.

    Raises:
        DataError: there are fewer than 2 orders, a prompt occurs twice, or the orders of a question
            disagree on its gold choice.

    Source: Zheng et al. (2024), ICLR, arXiv:2309.03882 (label bias; averaging over cyclic orders).
    """
    require_each_once(answers)
    orders = {answer.order for answer in answers}
    if len(orders) < 2:
        raise DataError(
            f"the run holds {len(orders)} choice orders; consistency needs at least 2",
            hint="evaluate with --permutations 4",
        )
    picks = [
        {answer.original_predicted for answer in group}
        for _, group in by_question(answers)
        if {answer.order for answer in group} == orders
    ]
    consistent = sum(len(picked) == 1 and None not in picked for picked in picks)
    averages = average_over_orders(answers)
    return PermutationSummary(
        by_order=accuracy_by(answers, lambda a: order_name(a.order)),
        questions=len(picks),
        left_out=len(averages) - len(picks),
        consistent=consistent,
        consistency=consistent / len(picks) if picks else None,
        consistency_interval=wilson(consistent, len(picks)) if picks else None,
        averaged=_averaged_accuracy(averages),
    )


def average_over_orders(answers: Sequence[ScoredAnswer]) -> tuple[AveragedAnswer, ...]:
    """Return one answer for each question, from the mean probability of each choice over its prompts.

    Over the four cyclic orders each choice is once under each label, so a bias for a label
    cancels. The mean is of probabilities, not of their logarithms.

    Returns:
        The answers, sorted by question id.

    Raises:
        DataError: the orders of a question disagree on its gold choice.
    """
    averages = []
    for question_id, group in by_question(answers):
        gold = {answer.original_gold for answer in group}
        if len(gold) > 1:
            raise DataError(
                f"question {question_id}: the gold choice differs between orders, originally "
                + " and ".join(sorted(gold))
            )
        known = [a for a in group if a.label_logprobs is not None]
        probabilities = _mean_probabilities(known) if known else None
        averages.append(
            AveragedAnswer(
                question_id=question_id,
                gold=gold.pop(),
                predicted=most_probable(known) if known else None,
                probabilities=probabilities,
                prompts=len(known),
            )
        )
    return tuple(averages)


def _mean_probabilities(group: Sequence[ScoredAnswer]) -> Probabilities:
    by_choice = [_original_probabilities(answer) for answer in group]
    # fsum rounds once, so the sequence of the orders cannot decide a tie
    a, b, c, d = (math.fsum(column) / len(group) for column in zip(*by_choice, strict=True))
    return (a, b, c, d)


def _original_probabilities(answer: ScoredAnswer) -> list[float]:
    logprobs = answer.label_logprobs or ()
    displayed = [LABELS.index(permute_label(label, answer.order)) for label in LABELS]
    return [math.exp(logprobs[position]) for position in displayed]


def _averaged_accuracy(averages: Sequence[AveragedAnswer]) -> Accuracy | None:
    if not any(average.probabilities for average in averages):
        return None
    correct = sum(average.predicted == average.gold for average in averages)
    asked = len(averages)
    return Accuracy(correct, asked, correct / asked, wilson(correct, asked))
