"""Whether label probabilities mean what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.choices import LABELS
from lawqa.scoring.accuracy import Accuracy, accuracy_of
from lawqa.scoring.outcomes import ScoredAnswer
from lawqa.shown import Shown

BINS = 10
"""Bins of equal width, as in Guo et al. (2017)."""


@dataclass(frozen=True)
class CalibrationBin:
    """Answers given with a similar confidence."""

    low: float
    """The lower edge of the bin, from 0 to 1."""
    high: float
    """The upper edge, which belongs to the bin."""
    confidence: float
    """The mean probability of the answered label."""
    accuracy: Accuracy
    """How many of them are right."""


@dataclass(frozen=True)
class Calibration(Shown):
    """How far the probability of the answered label is from the share of right answers."""

    prompts: int
    """Answers with label probabilities."""
    ece: float
    """Expected calibration error: the mean over the answers of |accuracy - confidence| of their bin."""
    brier: float
    """Mean squared distance of the four probabilities from the right label's 0 and 1; from 0 to 2."""
    confidence: float
    """The mean probability of the answered label."""
    accuracy: Accuracy
    """Of the same answers."""
    bins: tuple[CalibrationBin, ...]
    """Bins that hold an answer, by rising confidence."""


def calibration_of(answers: Sequence[ScoredAnswer], bins: int = BINS) -> Calibration | None:
    """Return the calibration of the answers that have label probabilities; None where none has.

    With few answers the ECE is too large by chance alone: of perfectly calibrated answers it is not 0.

    Args:
        answers: asked prompts, in any order.
        bins: how many bins of equal width there are between 0 and 1.

    Raises:
        ValueError: bins is below 1.

    Source: Guo et al. (2017), ICML, arXiv:1706.04599 (ECE, reliability diagram); Brier (1950), Monthly
    Weather Review 78:1-3.
    """
    if bins < 1:
        raise ValueError(f"{bins} bins; at least 1 is needed")
    known = [(a, a.label_logprobs) for a in answers if a.label_logprobs is not None]
    if not known:
        return None
    grouped: dict[int, list[tuple[ScoredAnswer, float]]] = {}
    for answer, logprobs in known:
        confidence = min(1.0, math.exp(max(logprobs)))
        number = min(bins - 1, max(0, math.ceil(confidence * bins) - 1))
        grouped.setdefault(number, []).append((answer, confidence))
    made = tuple(
        CalibrationBin(
            low=number / bins,
            high=(number + 1) / bins,
            confidence=math.fsum(c for _, c in group) / len(group),
            accuracy=accuracy_of([answer for answer, _ in group]),
        )
        for number, group in sorted(grouped.items())
    )
    asked = len(known)
    return Calibration(
        prompts=asked,
        ece=math.fsum(abs(b.accuracy.value - b.confidence) * b.accuracy.asked for b in made)
        / asked,
        brier=math.fsum(_brier(answer, logprobs) for answer, logprobs in known) / asked,
        confidence=math.fsum(b.confidence * b.accuracy.asked for b in made) / asked,
        accuracy=accuracy_of([answer for answer, _ in known]),
        bins=made,
    )


def _brier(answer: ScoredAnswer, logprobs: Sequence[float]) -> float:
    return math.fsum(
        (math.exp(logprob) - (label == answer.gold)) ** 2
        for label, logprob in zip(LABELS, logprobs, strict=True)
    )
