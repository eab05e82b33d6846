"""Power and detectable difference against enumeration, published values and approximations."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.scoring.comparisons import (
    mcnemar_power,
    minimum_detectable_difference,
    questions_needed,
    sign_flip_p,
)


def enumerated_power(n: int, discordance: float, difference: float, alpha: float) -> float:
    """The trinomial written out, each table tested with SciPy's binomial test."""
    from scipy.stats import binomtest, multinomial

    won, lost = (discordance + difference) / 2, (discordance - difference) / 2
    total = 0.0
    for wins in range(n + 1):
        for losses in range(n + 1 - wins):
            if wins + losses and binomtest(wins, wins + losses).pvalue <= alpha:
                table = [wins, losses, n - wins - losses]
                total += multinomial.pmf(table, n, [won, lost, 1 - discordance])
    return float(total)


@pytest.mark.parametrize(
    ("n", "discordance", "difference", "alpha"),
    [(20, 0.4, 0.3, 0.05), (25, 0.3, 0.3, 0.05), (30, 0.5, 0.0, 0.05), (15, 1.0, 0.6, 0.1),
     (25, 0.6, -0.4, 0.01)],
)  # fmt: skip
def test_the_power_is_that_of_the_enumerated_tables(
    n: int, discordance: float, difference: float, alpha: float
) -> None:
    expected = enumerated_power(n, discordance, difference, alpha)
    assert mcnemar_power(n, discordance, difference, alpha) == pytest.approx(expected, abs=1e-9)


def test_the_power_of_a_published_example() -> None:
    # Odds ratio 0.25, 0.4 discordant, 50 pairs, one-sided alpha 0.05 (O'Brien 2002): 0.839343 in the
    # G*Power 3.1 manual, 0.839357 in the tests of the R package pwrss. Two-sided at 0.1 adds only the
    # rejections in the wrong direction, about 1e-6.
    power = mcnemar_power(50, discordance=0.4, difference=0.32 - 0.08, alpha=0.1)
    assert power == pytest.approx(0.839356985, abs=2e-6)


def test_the_size_of_the_exact_test_stays_below_its_level() -> None:
    for n in (10, 50, 140):
        assert mcnemar_power(n, 0.3, 0.0) <= 0.05


def connor_pairs(discordance: float, difference: float) -> float:
    """Pairs for 80% power at two-sided 5%, by Connor (1987), Biometrics 43:207-211."""
    from scipy.stats import norm

    needed = norm.ppf(0.975) * math.sqrt(discordance)
    needed += norm.ppf(0.8) * math.sqrt(discordance - difference**2)
    return float((needed / difference) ** 2)


def test_connor_as_published_online() -> None:
    # p01 0.45, p10 0.05: 23 pairs (zarathucorp.github.io/open-powersamplesize, citing Connor).
    assert math.ceil(connor_pairs(0.5, 0.4)) == 23


@pytest.mark.parametrize("discordance", [0.1, 0.25, 0.5])
def test_the_detectable_difference_nears_connors_for_many_questions(discordance: float) -> None:
    detectable = minimum_detectable_difference(4000, discordance)
    assert detectable is not None
    # The exact test is a little conservative: it needs more pairs, by a few per cent.
    assert 0.97 * 4000 / 1.1 < connor_pairs(discordance, detectable) < 4000


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.integers(8, 200), st.floats(0, 1), st.sampled_from([0.5, 0.8, 0.9]))
def test_the_detectable_difference_has_just_the_power(
    n: int, discordance: float, power: float
) -> None:
    detectable = minimum_detectable_difference(n, discordance, power)
    assert detectable is not None
    assert 0 < detectable <= 1
    reached = mcnemar_power(n, max(discordance, detectable), detectable)
    assert reached == pytest.approx(power, abs=1e-6)
    assert mcnemar_power(n, max(discordance, detectable), 0.99 * detectable) < power


def test_a_simulated_study_sees_the_detectable_difference_four_times_in_five() -> None:
    n, discordance = 140, 0.25
    detectable = minimum_detectable_difference(n, discordance)
    assert detectable is not None
    generator = random.Random(7)  # noqa: S311 - a simulation
    weights = [(discordance + detectable) / 2, (discordance - detectable) / 2, 1 - discordance]
    seen = sum(
        sign_flip_p(generator.choices([1, -1, 0], weights, k=n)) <= 0.05 for _ in range(2000)
    )
    assert seen / 2000 == pytest.approx(0.8, abs=0.03)


def test_140_questions_show_about_ten_points() -> None:
    points = {
        discordance: round(100 * (minimum_detectable_difference(140, discordance) or 0), 1)
        for discordance in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
    }
    assert points == {0.1: 7.6, 0.15: 9.4, 0.2: 10.9, 0.25: 12.2, 0.3: 13.3, 0.4: 15.3}


def test_a_difference_larger_than_the_discordance_brings_its_own() -> None:
    # No discordance observed: 6 questions must all go one way, which 80% of binomial(140, d) do
    # from d = 5.6% on.
    from scipy.stats import binom

    detectable = minimum_detectable_difference(140, 0.0)
    assert detectable is not None
    assert binom.sf(5, 140, detectable) == pytest.approx(0.8, abs=1e-6)


def test_five_questions_show_nothing() -> None:
    assert minimum_detectable_difference(5, 0.5) is None
    assert minimum_detectable_difference(6, 0.5) == pytest.approx(0.8 ** (1 / 6))


def test_no_discordance_has_no_power() -> None:
    assert mcnemar_power(140, 0.0, 0.0) == 0


@pytest.mark.parametrize(
    ("n", "discordance", "difference", "alpha"),
    [(0, 0.2, 0.1, 0.05), (9, 1.2, 0.1, 0.05), (9, 0.2, 0.3, 0.05), (9, 0.2, 0.1, 0.0)],
)
def test_arguments_out_of_range_are_refused(
    n: int, discordance: float, difference: float, alpha: float
) -> None:
    with pytest.raises(ValueError, match=r"n|difference"):
        mcnemar_power(n, discordance, difference, alpha)


def test_a_power_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="power is 1"):
        minimum_detectable_difference(140, 0.2, power=1)


def test_one_question_is_enough_to_ask_and_too_few_to_see_anything() -> None:
    assert mcnemar_power(1, 0.5, 0.25) == 0.0
    assert minimum_detectable_difference(1, 0.5) is None


@pytest.mark.parametrize(
    ("difference", "discordance"), [(0.1, 0.3), (0.3, 0.4), (-0.3, 0.4), (0.5, 0.5), (0.2, 0.1)]
)
def test_the_questions_needed_detect_the_difference_and_a_tenth_fewer_do_not(
    difference: float, discordance: float
) -> None:
    needed = questions_needed(difference, discordance)
    assert needed is not None
    size = abs(difference)
    moved = max(discordance, size)
    assert mcnemar_power(needed, moved, size) >= 0.8
    assert mcnemar_power(max(1, int(needed * 0.9) - 1), moved, size) < 0.8


def test_no_number_of_questions_shows_what_is_not_there() -> None:
    assert questions_needed(0.0, 0.3) is None
    with pytest.raises(ValueError, match="discordance"):
        questions_needed(0.1, 1.5)
