"""The exact sign-flip test, of which exact McNemar is the case of one prompt for each question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lawqa.scoring.distributions import binomial, convolved

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Threshold:
    """What a sum of differences must reach, their sizes as they are and their signs open."""

    significant: int | None
    """The smallest absolute sum with a two-sided p-value at or below the level; None where none has one."""
    luck: int
    """The largest absolute sum whose p-value is above the level."""


def sign_flip_p(
    differences: Sequence[int], alternative: Literal["two-sided", "greater"] = "two-sided"
) -> float:
    """Return the exact p-value of the sum of differences, one for each independent cluster.

    Under the null hypothesis the two sides of a cluster could be swapped, so each difference had
    either sign with probability 1/2. The distribution of the sum over all sign assignments is
    computed whole (one convolution for each size of difference), not sampled. Where every
    difference is -1, 0 or 1 it is the binomial of the exact McNemar test. Clusters keep several
    answers to one question together, for which McNemar's test, made for independent pairs, claims
    too much.

    Args:
        differences: for each cluster, other minus base, in counts.
        alternative: `greater` asks only whether the sum is too large.

    Returns:
        The probability of a sum at least as extreme; 1 where every difference is 0 (two-sided).

    Source: Fisher (1935), The Design of Experiments, section 21; Ernst (2004), Statistical Science
    19:676-685. McNemar (1947), Psychometrika 12:153-157. Why clusters need it: Obuchowski (1998),
    Statistics in Medicine 17:1495-1507.
    """
    positive_sum = _positive_sum(differences)
    total, observed = sum(abs(d) for d in differences), sum(differences)
    if alternative == "two-sided":
        return min(1.0, 2 * float(positive_sum[(total + abs(observed)) // 2 :].sum()))
    return min(1.0, float(positive_sum[(total + observed) // 2 :].sum()))


def sign_flip_bar(differences: Sequence[int], alpha: float) -> Threshold:
    """Return where the two-sided test begins to reject, given the sizes of these differences.

    For one prompt a question: the smallest |won - lost| that exact McNemar calls significant at this number
    of discordant questions.

    Args:
        differences: for each cluster, other minus base, in counts.
        alpha: the level, between 0 and 1.

    Raises:
        ValueError: alpha is out of its range.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it lies between 0 and 1")
    positive_sum = _positive_sum(differences)
    total = sum(abs(d) for d in differences)
    significant, luck, tail = None, 0, 0.0
    for positive in range(total, -1, -1):
        observed = 2 * positive - total
        if observed < 0:
            break
        chance = float(positive_sum[positive])
        if chance == 0:
            continue  # no signs give this sum
        tail += chance
        if min(1.0, 2 * tail) > alpha:
            luck = observed
            break
        significant = observed
    return Threshold(significant, luck)


def _positive_sum(differences: Sequence[int]) -> NDArray[np.float64]:
    """Return the distribution of the sum of those sizes that got a plus."""
    import numpy as np

    sums = np.ones(1)
    for size, count in sorted(Counter(abs(d) for d in differences if d).items()):
        pluses = np.zeros(size * count + 1)
        pluses[::size] = binomial(count, 2)
        sums = convolved(sums, pluses)
    return sums
