from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from lawqa.scoring.comparisons.sign_flip import sign_flip_p
from lawqa.scoring.distributions import EXACT, binomial, convolved


@pytest.mark.parametrize("sides", [2, 3])
@pytest.mark.parametrize("n", [0, 1, 7, EXACT, EXACT + 1, 50_000])
def test_chances_are_those_of_a_binomial(n: int, sides: int) -> None:
    expected = binom.pmf(np.arange(n + 1), n, 1 / sides)
    np.testing.assert_allclose(binomial(n, sides), expected, rtol=1e-8, atol=1e-300)


@pytest.mark.parametrize(("one", "other"), [(3, 5), (10, 2000), (1500, 2000)])
def test_the_sum_of_two_binomials_is_a_binomial(one: int, other: int) -> None:
    both = convolved(binomial(one, 2), binomial(other, 2))
    np.testing.assert_allclose(both, binomial(one + other, 2), atol=1e-15)


def test_a_comparison_of_a_hundred_thousand_answers_is_quick_and_exact() -> None:
    won, lost = 25_000, 25_300
    expected = 2 * binom.cdf(won, won + lost, 0.5)
    assert sign_flip_p([1] * won + [-1] * lost) == pytest.approx(expected, rel=1e-8)
