"""How large a difference a paired comparison can see, before or after it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BISECTIONS = 40
"""Halvings of the interval from 0 to 1: an error below 1e-12."""


MOST_QUESTIONS = 2**16
"""Beyond it a difference is too small for any set of questions that exists."""


def mcnemar_power(n: int, discordance: float, difference: float, alpha: float = 0.05) -> float:
    """Return the power of the two-sided exact McNemar test.

    The number of discordant questions is binomial(n, discordance); given it, those won are binomial
    with probability (1 + difference / discordance) / 2, and the test is an exact sign test. The
    power is summed over both distributions: no normal approximation.

    Args:
        n: independent questions that both runs were asked.
        discordance: share of questions that exactly one of the two gets right, from 0 to 1.
        difference: true difference of the accuracies, from -discordance to discordance.
        alpha: level of the test.

    Returns:
        The probability of p <= alpha, from 0 to 1.

    Raises:
        ValueError: an argument is out of its range.

    Source: Miettinen (1968), Biometrics 24:339-352, and Lachenbruch (1992), Statistics in Medicine
    11:1521; the sum is that of SAS PROC POWER, PAIREDFREQ DIST=EXACT_COND. Connor (1987),
    Biometrics 43:207-211 gives the normal approximation.
    """
    _check(n, discordance, alpha)
    if abs(difference) > discordance:
        raise ValueError(f"a difference of {difference} needs more discordance than {discordance}")
    return _power(discordance, difference, _critical_counts(n, alpha))


def minimum_detectable_difference(
    n: int, discordance: float, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Return the smallest true difference of two accuracies that exact McNemar sees with this power.

    A difference cannot exceed the discordance. Where even one-sided discordance of this size is too
    little, the discordance is let grow with the difference: the result is then larger than the
    discordance given.

    Args:
        n: independent questions that both runs are asked.
        discordance: share of questions that exactly one of the two gets right, from 0 to 1.
        power: probability of seeing the difference, between 0 and 1.
        alpha: level of the two-sided test.

    Returns:
        The difference as a share, from 0 to 1, or None where n is too small for any difference
        (below 6 at alpha 0.05).

    Raises:
        ValueError: an argument is out of its range.

    Source: `mcnemar_power`, inverted by bisection; the power grows with the difference.
    """
    _check(n, discordance, alpha)
    if not 0 < power < 1:
        raise ValueError(f"power is {power}; it lies between 0 and 1")
    critical = _critical_counts(n, alpha)

    def reached(difference: float) -> bool:
        return _power(max(discordance, difference), difference, critical) >= power

    low, high = 0.0, 1.0
    if not reached(high):
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _check(n: int, discordance: float, alpha: float) -> None:
    if n < 1 or not 0 <= discordance <= 1 or not 0 < alpha < 1:
        raise ValueError(
            f"n {n} must be at least 1, discordance {discordance} from 0 to 1, "
            f"alpha {alpha} between 0 and 1"
        )


def _critical_counts(n: int, alpha: float) -> NDArray[np.int64]:
    """Return for 0 to n discordant questions, the largest minority that rejects; -1 where none does."""
    import numpy as np
    from scipy.special import bdtr

    counts, count = np.empty(n + 1, dtype=np.int64), -1
    for discordant in range(n + 1):
        # The same minority is rarer among more questions, so the count never falls.
        while 2 * bdtr(count + 1, discordant, 0.5) <= alpha:
            count += 1
        counts[discordant] = count
    return counts


def _power(discordance: float, difference: float, critical: NDArray[np.int64]) -> float:
    import numpy as np
    from scipy.special import bdtr

    if discordance == 0:
        return 0.0
    n = len(critical) - 1
    discordant = np.arange(n + 1)
    chance_of_each = np.diff(bdtr(discordant, n, discordance), prepend=0.0)
    won = (1 + abs(difference) / discordance) / 2
    can_reject = critical >= 0  # bdtr of a negative count is NaN
    few, many = critical[can_reject], discordant[can_reject]
    rejected = bdtr(few, many, won) + bdtr(few, many, 1 - won)
    return float((chance_of_each[can_reject] * rejected).sum())


def questions_needed(
    difference: float, discordance: float, power: float = 0.8, alpha: float = 0.05
) -> int | None:
    """Return how many questions exact McNemar needs to see a true difference with this power.

    The power of an exact test goes up and down a little with n (its level is reached in steps); this is the
    number above which a search by halves finds the difference detected.

    Args:
        difference: of the two accuracies, as a share above 0; its sign does not matter.
        discordance: share of questions that exactly one of the two gets right, at least the difference.
        power: probability of seeing the difference, between 0 and 1.
        alpha: level of the two-sided test.

    Returns:
        The number; None where there is no difference to see, or 65,536 questions are too few.
    """
    size = abs(difference)
    if size == 0:
        return None

    _check(1, discordance, alpha)

    def sees(n: int) -> bool:
        return _power(max(discordance, size), size, _critical_counts(n, alpha)) >= power

    low, high = 1, 8
    while not sees(high):
        low, high = high, high * 2
        if high > MOST_QUESTIONS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sees(middle) else (middle, high)
    return high
