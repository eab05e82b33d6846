"""Accuracy with its interval; answers to one question in several orders count as one cluster."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lawqa.errors import DataError
from lawqa.scoring.outcomes import ScoredAnswer, by_question


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    """The lower bound, in the unit of the estimate."""

    high: float
    """The upper bound, in the unit of the estimate."""


@dataclass(frozen=True)
class Accuracy:
    """Correct answers among all asked prompts."""

    correct: int
    """How many answers are right."""

    asked: int
    """How many prompts were asked, whatever became of them."""

    value: float
    """correct / asked, from 0 to 1."""

    interval: Interval
    """Wilson's interval, widened where several prompts ask the same question."""


def wilson(correct: int, asked: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion, without continuity correction.

    Args:
        correct: successes.
        asked: independent trials, at least 1.
        confidence: two-sided confidence, between 0 and 1.

    Raises:
        DataError: nothing was asked.
        ValueError: correct is not between 0 and asked, or confidence not between 0 and 1.

    Source: Wilson (1927), JASA 22:209-212; recommended for small n by Brown, Cai and DasGupta
    (2001), Statistical Science 16:101-133.
    """
    if asked < 1:
        raise DataError("no prompt was asked, so there is not an accuracy")
    if not 0 <= correct <= asked:
        raise ValueError(f"{correct} correct of {asked} asked")
    return _score_interval(correct / asked, asked, confidence)


def accuracy_of(answers: Sequence[ScoredAnswer], confidence: float = 0.95) -> Accuracy:
    """Return the accuracy of these answers, with an interval that knows of clusters.

    Four orders of one question say less than four questions. The interval is Wilson's at the
    effective number of prompts: those asked divided by the design effect (the cluster-robust
    variance of the accuracy over its variance were all prompts independent, never taken below 1).
    One prompt for each question gives the plain Wilson interval. Where all answers are alike the
    variance says nothing, and the number of questions takes its place.

    Args:
        answers: asked prompts, in any order.
        confidence: two-sided confidence, between 0 and 1.

    Raises:
        DataError: there are no answers.

    Source: Korn and Graubard (1998), Survey Methodology 24:193-201 (effective sample size); with
    the Wilson interval: Dean and Pagano (2015), J. Survey Statistics and Methodology 3:484-503.
    """
    asked, correct = len(answers), sum(answer.is_correct for answer in answers)
    clusters = [
        (sum(answer.is_correct for answer in group), len(group))
        for _, group in by_question(answers)
    ]
    if len(clusters) == asked:
        interval = wilson(correct, asked, confidence)
    else:
        interval = _score_interval(correct / asked, _effective_number(clusters), confidence)
    return Accuracy(correct, asked, correct / asked, interval)


def accuracy_by(
    answers: Sequence[ScoredAnswer], name: Callable[[ScoredAnswer], str]
) -> dict[str, Accuracy]:
    """Return the accuracy of each group of answers, sorted by the group's name."""
    groups: dict[str, list[ScoredAnswer]] = {}
    for answer in answers:
        groups.setdefault(name(answer), []).append(answer)
    return {group: accuracy_of(groups[group]) for group in sorted(groups)}


def _effective_number(clusters: Sequence[tuple[int, int]]) -> float:
    """Return independent prompts worth as much as these clusters, each (correct, asked)."""
    groups, asked = len(clusters), sum(size for _, size in clusters)
    share = sum(correct for correct, _ in clusters) / asked
    if groups == 1 or share in (0, 1):
        return groups
    residuals = math.fsum((correct - share * size) ** 2 for correct, size in clusters)
    clustered_variance = groups / (groups - 1) * residuals / asked**2
    independent_variance = share * (1 - share) / (asked - 1)
    return asked / max(1.0, clustered_variance / independent_variance)


def _score_interval(share: float, asked: float, confidence: float) -> Interval:
    from statistics import NormalDist  # 20 ms that `lawqa --help` need not spend

    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it lies between 0 and 1")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = share + z**2 / (2 * asked)
    half = z * math.sqrt(share * (1 - share) / asked + (z / (2 * asked)) ** 2)
    scale = 1 + z**2 / asked
    # At 0 and 1 the bound equals the share; rounding must not move it past.
    return Interval(
        max(0.0, min(share, (centre - half) / scale)), min(1.0, max(share, (centre + half) / scale))
    )
