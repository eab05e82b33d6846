"""The score interval of a paired difference of two proportions."""

from __future__ import annotations

import pytest

from lawqa.scoring.comparisons import newcombe_independent, newcombe_paired

pytestmark = pytest.mark.slow


def test_the_interval_of_independent_shares_is_newcombes() -> None:
    # Newcombe (1998), table II, example (a): 56 of 70 less 48 of 80.
    interval = newcombe_independent(56, 70, 48, 80)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.0524, 0.3339)


def test_newcombe_gives_published_values() -> None:
    # Fagerland, Lydersen and Laake (2014), Statistics in Medicine 33:2850-2875: airway hyper-responsiveness
    # before and after stem cell transplantation, 21 children; Newcombe's interval is -0.507 to -0.026.
    found = newcombe_paired(both=1, only_base=7, only_other=1, neither=12)
    assert (round(found.low, 3), round(found.high, 3)) == (-0.507, -0.026)
    mirrored = newcombe_paired(both=1, only_base=1, only_other=7, neither=12)
    assert (round(mirrored.low, 3), round(mirrored.high, 3)) == (0.026, 0.507)


def test_newcombe_agrees_with_the_formula_written_again_with_statsmodels_wilson() -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion", reason="a test extra")
    for both, lost, won, neither in [(50, 9, 24, 57), (7, 3, 1, 7), (0, 5, 0, 13), (127, 6, 7, 0)]:
        n = both + lost + won + neither
        p1, p2 = (both + won) / n, (both + lost) / n
        l1, u1 = proportion.proportion_confint(both + won, n, method="wilson")
        l2, u2 = proportion.proportion_confint(both + lost, n, method="wilson")
        top = both * neither - lost * won
        bottom = ((both + lost) * (won + neither) * (both + won) * (lost + neither)) ** 0.5
        phi = (max(top - n / 2, 0) if top > 0 else top) / bottom if bottom else 0
        low = p1 - p2 - ((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2) ** 0.5
        high = p1 - p2 + ((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2) ** 0.5
        found = newcombe_paired(both, lost, won, neither)
        assert (found.low, found.high) == pytest.approx((low, high))
