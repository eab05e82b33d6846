"""The alarm for a run whose predictions pile up on one label."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lawqa.amounts import percent
from lawqa.choices import LABELS, Label, permute_label
from lawqa.scoring.distributions import binomial, convolved
from lawqa.scoring.outcomes import ScoredAnswer, by_question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_EXCESS = 0.15
"""Excess share below which no alarm is given.

A model that guesses evenly already says a 9 points more often than lawqa_jp's gold does (25%
against 23 of 140); 15 points is clear of that. An excess of x means that at least x of the answers
are wrong.
"""

ALPHA = 0.05
"""Chance of an alarm for a run whose wrong answers prefer no label."""

MIN_QUESTIONS = 20
"""Fewer questions give no alarm."""


@dataclass(frozen=True)
class Collapse:
    """Predictions pile up on one label."""

    label: Label
    """The label given too often."""

    answered: int
    """Prompts with a predicted label; both shares are of these."""

    predicted_share: float
    """Share of the answers that are this label, from 0 to 1."""

    gold_share: float
    """Share of the same prompts for which this label is right, from 0 to 1."""

    p_value: float
    """Of this many wrong answers with this label if wrong answers preferred none, times the four labels."""

    @property
    def sentence(self) -> str:
        """The alarm in words, for the first line of a report."""
        return (
            f"{percent(self.predicted_share, 0)} of answers are {self.label}; "
            f"gold has {percent(self.gold_share, 0)}"
        )


def collapse_alarm(
    answers: Sequence[ScoredAnswer], *, min_excess: float = MIN_EXCESS, alpha: float = ALPHA
) -> Collapse | None:
    """Return the label on which predictions pile up, or None.

    A label counts as piled up when its share among the answers exceeds its share among the gold
    labels of the same prompts by at least `min_excess`, and it is given more often among the *wrong*
    answers than luck explains. Prompts without a predicted label are left out on both sides. Of several such
    labels the one with the largest excess is named.

    A model without a preference for a label, whatever its accuracy, gives each of a question's three wrong
    labels alike when it errs. So the number of wrong answers with one label is a sum of chances of 1/3, one
    for each wrong answer whose gold is another label: a binomial, whose upper tail is the p-value, times four
    for the four labels. The gold labels' own shares play no part, as they do where answers are tested against
    being drawn from gold, which no unbiased model does. Orders and samples of a question are no evidence of
    their own: the wrong choices of a question change places in all of its prompts together, and the sum is
    over the six ways of each question (a randomisation test, Fisher 1935, computed whole).

    Args:
        answers: asked prompts, in any order.
        min_excess: the smallest excess share that matters, from 0 to 1.
        alpha: the largest p-value that alarms.
    """
    answered = [answer for answer in answers if answer.predicted is not None]
    asked = len(answered)
    if len({answer.question_id for answer in answered}) < MIN_QUESTIONS:
        return None
    gold = Counter(answer.gold for answer in answered)
    predicted = Counter(answer.predicted for answer in answered)
    piled = [label for label in LABELS if (predicted[label] - gold[label]) / asked >= min_excess]
    p_values = {label: min(1.0, len(LABELS) * _preference_p(answered, label)) for label in piled}
    piled = [label for label in piled if p_values[label] <= alpha]
    if not piled:
        return None
    # max keeps the first of equals, so ties go by label
    label = max(piled, key=lambda candidate: predicted[candidate] - gold[candidate])
    return Collapse(label, asked, predicted[label] / asked, gold[label] / asked, p_values[label])


def _preference_p(answered: Sequence[ScoredAnswer], label: Label) -> float:
    """Return the chance of at least as many wrong answers with this label if wrong choices could change
    places.
    """
    import numpy as np

    wrong = [answer for answer in answered if answer.predicted != answer.gold]
    groups = [group for _, group in by_question(wrong)]
    # Questions with one wrong answer: chances of 1/3 each, whose sum is binomial.
    could = sum(len(group) == 1 and group[0].gold != label for group in groups)
    of_several = Counter(tuple(_of_question(group, label)) for group in groups if len(group) > 1)
    distribution = binomial(could, 3)
    for ways, times in of_several.items():
        distribution = convolved(distribution, _power(np.array(ways), times))
    observed = sum(answer.predicted == label for answer in wrong)
    return float(distribution[observed:].sum())


def _power(ways: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    """Return the distribution of a sum of equal, independent counts, by repeated squaring."""
    import numpy as np

    total = np.ones(1)
    while times:
        if times & 1:
            total = convolved(total, ways)
        times >>= 1
        if times:
            ways = convolved(ways, ways)
    return total


def _of_question(wrong: Sequence[ScoredAnswer], label: Label) -> NDArray[np.float64]:
    """Return how often a question's wrong answers carry the label, over the six ways to place its wrong
    choices.
    """
    import numpy as np

    gold = wrong[0].original_gold
    choices = [choice for choice in LABELS if choice != gold]
    ways = np.zeros(len(wrong) + 1)
    for places in itertools.permutations(choices):
        moved = dict(zip(choices, places, strict=True))
        picked = [(a.original_predicted, a.order) for a in wrong]
        counted = sum(
            permute_label(moved.get(choice, choice), order) == label
            for choice, order in picked
            if choice is not None
        )
        ways[counted] += 1 / 6
    return ways
