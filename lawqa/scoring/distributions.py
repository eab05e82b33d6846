"""Distributions of counts, computed whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT = 1000
"""Up to this many trials chances are computed in whole numbers."""


def binomial(n: int, sides: int) -> NDArray[np.float64]:
    """Return the chances of 0 to n successes, each of 1 / sides."""
    import numpy as np

    if n <= EXACT:
        return np.array([math.comb(n, k) * (sides - 1) ** (n - k) / sides**n for k in range(n + 1)])
    # Whole numbers of thousands of digits take minutes; logarithms are right to ten digits.
    hit, miss, of_all = math.log(1 / sides), math.log(1 - 1 / sides), math.lgamma(n + 1)
    return np.array(
        [
            math.exp(
                of_all - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * hit + (n - k) * miss
            )
            for k in range(n + 1)
        ]
    )


def convolved(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution of a sum of two counts; through Fourier transforms where both are long."""
    import numpy as np

    if min(len(one), len(other)) <= EXACT:
        return np.convolve(one, other)
    size = len(one) + len(other) - 1
    product = np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(other, size), size)
    return np.maximum(product, 0.0)  # what rounding leaves below 0
