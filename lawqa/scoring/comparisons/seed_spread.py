"""How far trainings with other seeds differ, and what that adds to an interval and to a p-value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The spread between the seeds of one side."""

    seeds: int
    """Its runs."""
    deviation: float
    """Standard deviation of the accuracy between trainings, from 0 to 1, without what asking few questions
    adds to it; 0 where the runs differ by no more than that explains."""

    @property
    def variance(self) -> float:
        """Of the mean over the seeds."""
        return self.deviation**2 / self.seeds


def training_spread(right: Sequence[Sequence[bool]]) -> Spread | None:
    """Return the variance component of the seed in a two-way layout of seeds and questions.

    The mean square between seeds less that of seed by question, over the number of questions; never below 0.

    Args:
        right: for each seed, whether each question was answered rightly, questions in the same sequence.

    Returns:
        None where there is one seed, or fewer than 2 questions.

    Source: Searle, Casella and McCulloch (1992), Variance Components, section 4.3 (the two-way crossed
    layout without replication, ANOVA estimates).
    """
    import numpy as np

    table = np.array(right, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2:
        return None
    seeds, questions = table.shape
    of_seed, of_question = table.mean(axis=1), table.mean(axis=0)
    rest = table - of_seed[:, None] - of_question[None, :] + table.mean()
    between = questions * float(of_seed.var(ddof=1))
    within = float((rest**2).sum()) / ((seeds - 1) * (questions - 1))
    return Spread(seeds, math.sqrt(max(0.0, (between - within) / questions)))


@dataclass(frozen=True)
class Widening:
    """What the spread between seeds does to an interval and to a p-value."""

    factor: float
    """By what the interval's distances from the difference are multiplied; at least 1."""
    half: float
    """Half the width of Student's t interval with both variances; 0 where there is no spread."""
    p_value: float
    """Of Student's t of the difference with both variances; 0 where there is no spread."""


def widening(
    difference: float, variance: float, clusters: int, spreads: Sequence[Spread], confidence: float
) -> Widening:
    """Add the spread between trainings to the variance that the questions give.

    The degrees of freedom are Satterthwaite's: a spread known from two seeds is hardly known.

    Args:
        difference: the mean difference over questions and seeds.
        variance: of it, by question.
        clusters: independent questions or groups, at least 2.
        spreads: of each side that has several seeds.
        confidence: of the interval, between 0 and 1.

    Source: Satterthwaite (1946), Biometrics Bulletin 2:110-114.
    """
    from scipy.special import stdtr, stdtrit

    parts = [(spread.variance, spread.seeds - 1) for spread in spreads if spread.variance > 0]
    if not parts:
        return Widening(1.0, 0.0, 0.0)
    whole = math.fsum([variance, *(part for part, _ in parts)])
    freedom = whole**2 / math.fsum(
        [variance**2 / (clusters - 1), *(part**2 / degrees for part, degrees in parts)]
    )
    tail = (1 - confidence) / 2
    half = -float(stdtrit(freedom, tail)) * math.sqrt(whole)
    alone = -float(stdtrit(clusters - 1, tail)) * math.sqrt(variance)
    return Widening(
        factor=max(1.0, half / alone) if alone > 0 else 1.0,
        half=half,
        p_value=2 * float(stdtr(freedom, -abs(difference) / math.sqrt(whole))),
    )
