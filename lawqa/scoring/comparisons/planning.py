"""How large a difference a planned comparison could see: questions, votes, orders, seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from lawqa.scoring.comparisons.power import minimum_detectable_difference

GRID = 400
"""Quantiles over which how well questions are known is averaged."""


@dataclass(frozen=True)
class Design:
    """A planned comparison of a run with its base."""

    questions: int
    """Questions that both are asked."""
    discordance: float
    """Share of the questions that exactly one of two single answers gets right, from 0 to 1."""
    orders: int = 1
    """Choice orders of each question."""
    votes: int = 1
    """Samples in each order; the final answer is the vote of orders times samples."""
    seeds: int = 1
    """Trainings of the run, compared together; the base is one."""


def final_discordance(design: Design, repeatable: float) -> float:
    """Return the discordance of the final answers, less than that of single ones where part of it is chance.

    A question is answered rightly with its own probability, Beta(a, a) over the questions with
    a = (1 / repeatable - 1) / 2, so that two answers of one run to a question correlate by `repeatable`. Two
    runs that know the same differ by chance on (1 - repeatable) / 2 of the questions; a vote takes away as
    much of that as it makes probabilities surer, which is little where they are near one half. The rest of
    the discordance is lasting. The chance of the trained side is averaged over its seeds.

    Args:
        design: what is planned.
        repeatable: from 0 (all chance) to 1 (greedy answers in one order: asking again changes nothing).

    Raises:
        ValueError: repeatable is out of its range, or a number is below 1.
    """
    if not 0 <= repeatable <= 1:
        raise ValueError(f"repeatable is {repeatable}; it lies between 0 and 1")
    if min(design.orders, design.votes, design.seeds) < 1:
        raise ValueError(f"orders, votes and seeds are 1 or more, found {design}")
    chance = min(design.discordance, (1 - repeatable) / 2)
    left = chance * _chance_left(design.orders * design.votes, repeatable)
    return design.discordance - chance + left * (1 + 1 / design.seeds) / 2


def detectable_difference(
    design: Design,
    *,
    repeatable: float = 0.8,
    spread: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float | None:
    """Return the smallest true difference that the planned comparison sees with this power.

    Exact for single answers (`minimum_detectable_difference`); votes, orders and seeds lower the discordance
    (`final_discordance`), and the spread between trainings is added as a variance.

    Args:
        design: what is planned.
        repeatable: how alike two answers of one run to a question are, from 0 to 1.
        spread: standard deviation between trainings, as a share of the questions.
        alpha: level of the two-sided test; over the number of comparisons where there are several.
        power: probability of seeing the difference.

    Returns:
        The difference as a share; None where the questions are too few for any.

    Raises:
        ValueError: an argument is out of its range.
    """
    difference = minimum_detectable_difference(
        design.questions, final_discordance(design, repeatable), power, alpha
    )
    if difference is None or spread == 0:
        return difference
    from statistics import NormalDist

    normal = NormalDist()
    reach = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    return min(1.0, math.hypot(difference, reach * spread / math.sqrt(design.seeds)))


@lru_cache(maxsize=256)
def _chance_left(prompts: int, repeatable: float) -> float:
    """Return what a vote leaves of the chance in single answers: mean P(1-P) of the vote over that of one."""
    if prompts == 1 or repeatable in (0, 1):
        # Coins stay coins, and where nothing is chance nothing can be taken away.
        return 1.0
    import numpy as np
    from scipy.special import bdtr, betaincinv

    shape = (1 / repeatable - 1) / 2
    known = betaincinv(shape, shape, (np.arange(GRID) + 0.5) / GRID)
    half = prompts // 2
    lost = bdtr(half, prompts, known)  # half of the votes or fewer
    if prompts % 2 == 0:  # a tie is shared
        lost = (lost + bdtr(half - 1, prompts, known)) / 2
    return float((lost * (1 - lost)).mean() / (known * (1 - known)).mean())
