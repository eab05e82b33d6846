"""The exact sign-flip test, of which exact McNemar is the case of one prompt for each question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal


def sign_flip_p(
    differences: Sequence[int], alternative: Literal["two-sided", "greater"] = "two-sided"
) -> float:
    """Exact p-value of the sum of differences, one for each independent cluster.

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
    import numpy as np

    positive_sum = np.ones(1)  # distribution of the sum of those sizes that got a plus
    for size, count in sorted(Counter(abs(d) for d in differences if d).items()):
        pluses = np.zeros(size * count + 1)
        pluses[::size] = [math.comb(count, k) / 2**count for k in range(count + 1)]
        positive_sum = np.convolve(positive_sum, pluses)

    total, observed = sum(abs(d) for d in differences), sum(differences)
    if alternative == "two-sided":
        return min(1.0, 2 * float(positive_sum[(total + abs(observed)) // 2 :].sum()))
    return min(1.0, float(positive_sum[(total + observed) // 2 :].sum()))
