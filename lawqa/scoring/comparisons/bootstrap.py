"""The bootstrap of a paired accuracy difference, by question."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lawqa.scoring.accuracy import Interval


def bootstrap_by_question(
    differences: Sequence[int],
    sizes: Sequence[int],
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    expanded: bool = True,
) -> Interval:
    """Return the percentile interval of an accuracy difference, whole questions drawn with replacement.

    All prompts of a question are drawn together (cluster bootstrap), and both runs with them
    (paired). The same draws serve either direction, so swapping the runs mirrors the interval.
    Percentiles of few questions are too close together; the expanded ones lie as far out as Student's t
    at their number does.

    The interval is [0, 0] where no question differs: it then says nothing about other questions,
    and the minimum detectable difference does.

    Args:
        differences: for each question, answers right in the other run less those right in the base.
        sizes: for each question, the prompts that both runs were asked.
        confidence: two-sided confidence, between 0 and 1.
        resamples: number of bootstrap samples.
        seed: of numpy's default generator.
        expanded: take the percentiles that suit the number of questions.

    Raises:
        ValueError: confidence or resamples out of range, no questions, or lengths that differ.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3; by cluster:
    Davison and Hinkley (1997), Bootstrap Methods and their Application, section 3.8; Field and
    Welsh (2007), J. R. Statist. Soc. B 69:369-390; expanded percentiles: Hesterberg (2015), The American
    Statistician 69:371-386, section 4.5.
    """
    import numpy as np

    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"confidence {confidence} or resamples {resamples} out of range")
    difference, size = np.array(differences), np.array(sizes)
    if len(difference) != len(size) or len(size) == 0:
        raise ValueError(f"{len(difference)} differences and {len(size)} sizes")
    generator = np.random.default_rng(seed)
    values = np.empty(resamples)
    for i in range(resamples):
        drawn = generator.integers(len(size), size=len(size))
        values[i] = difference[drawn].sum() / size[drawn].sum()
    tail = (1 - confidence) / 2
    if expanded and len(size) > 1:
        tail = _expanded_tail(tail, len(size))
    low, high = np.quantile(values, (tail, 1 - tail))
    return Interval(float(low), float(high))


def _expanded_tail(tail: float, questions: int) -> float:
    from scipy.special import ndtr, stdtrit

    quantile = float(stdtrit(questions - 1, tail))
    return float(ndtr(math.sqrt(questions / (questions - 1)) * quantile))
