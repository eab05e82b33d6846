"""The score interval of a paired difference of two proportions."""

from __future__ import annotations

import math

from lawqa.scoring.accuracy import Interval, wilson


def newcombe_paired(
    both: int, only_base: int, only_other: int, neither: int, confidence: float = 0.95
) -> Interval:
    """Return Newcombe's interval of the other's share less the base's, from questions that both were asked.

    The Wilson intervals of the two shares are squared and added, less what the correlation phi of the pairs
    takes away; phi is corrected for continuity where it is positive (method 10). At 18 to 140 questions it
    covers at least its confidence, where a percentile bootstrap covers .77 to .94.

    Args:
        both: questions that both answer rightly.
        only_base: those that only the base answers rightly.
        only_other: those that only the other answers rightly.
        neither: those that neither does.
        confidence: two-sided confidence, between 0 and 1.

    Raises:
        DataError: there are no questions.

    Source: Newcombe (1998), Statistics in Medicine 17:2635-2650, method 10.
    """
    n = both + only_base + only_other + neither
    base, other = both + only_base, both + only_other
    of_base, of_other = wilson(base, n, confidence), wilson(other, n, confidence)
    p_base, p_other = base / n, other / n
    phi = _phi(both, only_base, only_other, neither)
    difference = (only_other - only_base) / n

    def away(one: float, two: float) -> float:
        return math.sqrt(max(0.0, one * one - 2 * phi * one * two + two * two))

    low = difference - away(p_other - of_other.low, of_base.high - p_base)
    high = difference + away(of_other.high - p_other, p_base - of_base.low)
    return Interval(max(-1.0, low), min(1.0, high))


def _phi(both: int, only_base: int, only_other: int, neither: int) -> float:
    margins = (
        (both + only_base) * (only_other + neither) * (both + only_other) * (only_base + neither)
    )
    if margins == 0:
        return 0.0
    excess: float = both * neither - only_base * only_other
    if excess > 0:
        excess = max(0.0, excess - (both + only_base + only_other + neither) / 2)
    return excess / math.sqrt(margins)


def newcombe_independent(
    correct: int, asked: int, base_correct: int, base_asked: int, confidence: float = 0.95
) -> Interval:
    """Return Newcombe's interval of a share less another that was found on its own: nothing pairs the
    answers.

    Where both answered the same questions the paired interval is narrower; this one is for a base of which
    the counts alone are known.

    Args:
        correct: right answers of the one.
        asked: its questions.
        base_correct: right answers of the other.
        base_asked: its questions.
        confidence: two-sided confidence, between 0 and 1.

    Raises:
        DataError: there are no questions.

    Source: Newcombe (1998), Statistics in Medicine 17:873-890, method 10.
    """
    one, other = wilson(correct, asked, confidence), wilson(base_correct, base_asked, confidence)
    p_one, p_other = correct / asked, base_correct / base_asked
    difference = p_one - p_other
    low = difference - math.hypot(p_one - one.low, other.high - p_other)
    high = difference + math.hypot(one.high - p_one, p_other - other.low)
    return Interval(max(-1.0, low), min(1.0, high))
