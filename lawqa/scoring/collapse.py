"""The alarm for a run whose predictions pile up on one label."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.choices import LABELS, Label
from lawqa.scoring.outcomes import ScoredAnswer

MIN_EXCESS = 0.15
"""Excess share below which no alarm is given.

A model that guesses evenly already says a 9 points more often than lawqa_jp's gold does (25 %
against 23 of 140); 15 points is clear of that. An excess of x means that at least x of the answers
are wrong.
"""

ALPHA = 0.05
"""Chance of an alarm for a run that draws its answers from the gold shares."""

MIN_QUESTIONS = 20
"""Fewer questions give no alarm: four labels need expected counts of about 5 (Cochran 1954,
Biometrics 10:417-451)."""


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
    """Of the chi-square test of the whole predicted histogram against the gold shares."""

    @property
    def sentence(self) -> str:
        """The alarm in words, for the first line of a report."""
        return (
            f"{100 * self.predicted_share:.0f} % of answers are {self.label}; "
            f"gold has {100 * self.gold_share:.0f} %"
        )


def collapse_alarm(
    answers: Sequence[ScoredAnswer], *, min_excess: float = MIN_EXCESS, alpha: float = ALPHA
) -> Collapse | None:
    """The label on which predictions pile up, or None.

    A label counts as piled up when its share among the answers exceeds its share among the gold
    labels of the same prompts by at least `min_excess`, and the two histograms differ by more than
    luck. Prompts without a
    predicted label are left out on both sides. Of several such labels the one with the largest
    excess is named.

    The test is Pearson's chi-square of the predicted histogram against the shares of the gold
    histogram (Pearson 1900; 3 degrees of freedom). Gold is taken as it stands, not as a sample: the
    question is whether the answers fit *these* questions. Half a count is added to every label, so
    that one which is absent from gold has an expected share above 0. Orders and repeats of a
    question are no evidence of their own: the statistic is divided by their number (Rao and Scott
    1981, JASA 76:221-230, with the largest design effect that clusters of that size can have).
    Under `MIN_QUESTIONS` questions the approximation does not hold and no alarm is given.

    Args:
        answers: asked prompts, in any order.
        min_excess: the smallest excess share that matters, from 0 to 1.
        alpha: the largest p-value that alarms.
    """
    from scipy.special import chdtrc

    answered = [answer for answer in answers if answer.predicted is not None]
    asked = len(answered)
    questions = len({answer.question_id for answer in answered})
    if questions < MIN_QUESTIONS:
        return None
    gold = Counter(answer.gold for answer in answered)
    predicted = Counter(answer.predicted for answer in answered)
    shares = {label: (gold[label] + 0.5) / (asked + 2) for label in LABELS}
    statistic = math.fsum(
        (predicted[label] - asked * share) ** 2 / (asked * share) for label, share in shares.items()
    )
    p_value = float(chdtrc(len(LABELS) - 1, statistic * questions / asked))
    # max keeps the first of equals, so ties go by label
    label = max(LABELS, key=lambda candidate: predicted[candidate] - gold[candidate])
    excess = (predicted[label] - gold[label]) / asked
    if p_value > alpha or excess < min_excess:
        return None
    return Collapse(label, asked, predicted[label] / asked, gold[label] / asked, p_value)
