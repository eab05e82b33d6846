"""The clustered bootstrap against its exact distribution and SciPy's."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.scoring.comparisons.bootstrap import bootstrap_by_question

QUESTIONS = st.lists(
    st.integers(1, 4).flatmap(lambda m: st.tuples(st.integers(-m, m), st.just(m))),
    min_size=2,
    max_size=30,
)


def enumerated_share_below(
    differences: Sequence[int], sizes: Sequence[int], bound: float
) -> tuple[float, float]:
    """Bootstrap probability of values below the bound, and at or below it, by all resamples."""
    drawn = list(itertools.product(range(len(sizes)), repeat=len(sizes)))
    values = [sum(differences[i] for i in draw) / sum(sizes[i] for i in draw) for draw in drawn]
    below = sum(value < bound - 1e-9 for value in values) / len(values)
    return below, sum(value <= bound + 1e-9 for value in values) / len(values)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("differences", "sizes"),
    [([1, 0, -1, 1, 1], [1, 1, 1, 1, 1]), ([4, -1, 0, 2, 3], [4, 4, 4, 4, 4]),
     ([2, -1, 0, 1, -3], [2, 4, 1, 3, 4])],
)  # fmt: skip
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_bounds_are_quantiles_of_all_resamples(
    differences: list[int], sizes: list[int], confidence: float
) -> None:
    interval = bootstrap_by_question(
        differences, sizes, confidence=confidence, resamples=50_000, seed=1, expanded=False
    )
    # Five standard errors of 50,000 draws are below 0.01.
    for bound, quantile in (
        (interval.low, (1 - confidence) / 2),
        (interval.high, (1 + confidence) / 2),
    ):
        below, at_or_below = enumerated_share_below(differences, sizes, bound)
        assert below - 0.01 <= quantile <= at_or_below + 0.01


@pytest.mark.slow
def test_single_prompts_give_scipys_percentile_interval() -> None:
    import numpy as np
    from scipy.stats import bootstrap

    differences = [1] * 24 + [-1] * 9 + [0] * 107
    expected = bootstrap(
        (np.array(differences),), np.mean, method="percentile", n_resamples=20_000, rng=4
    ).confidence_interval
    interval = bootstrap_by_question(differences, [1] * 140, resamples=20_000, expanded=False)
    assert interval.low == pytest.approx(expected.low, abs=1.01 / 140)
    assert interval.high == pytest.approx(expected.high, abs=1.01 / 140)


def test_orders_of_a_question_move_together() -> None:
    # Four prompts that agree are worth one: the same interval as a quarter of the prompts.
    single = [1] * 20 + [-1] * 10 + [0] * 70
    assert bootstrap_by_question([4 * d for d in single], [4] * 100) == bootstrap_by_question(
        single, [1] * 100
    )


@pytest.mark.slow
@settings(deadline=None)
@given(QUESTIONS, st.integers(0, 5))
def test_swapping_the_runs_mirrors_the_interval(
    questions: list[tuple[int, int]], seed: int
) -> None:
    differences, sizes = [d for d, _ in questions], [m for _, m in questions]
    interval = bootstrap_by_question(differences, sizes, resamples=200, seed=seed)
    mirrored = bootstrap_by_question([-d for d in differences], sizes, resamples=200, seed=seed)
    assert mirrored.low == pytest.approx(-interval.high, abs=1e-12)
    assert mirrored.high == pytest.approx(-interval.low, abs=1e-12)
    assert -1 <= interval.low <= interval.high <= 1


def test_the_seed_decides() -> None:
    differences, sizes = [2, -1, 0, 1, -3, 4, 1], [2, 4, 1, 3, 4, 4, 3]
    first = bootstrap_by_question(differences, sizes, resamples=200, seed=1)
    assert bootstrap_by_question(differences, sizes, resamples=200, seed=1) == first
    assert bootstrap_by_question(differences, sizes, resamples=200, seed=2) != first


def test_no_difference_has_a_plain_zero_interval() -> None:
    interval = bootstrap_by_question([0, 0, 0], [1, 4, 1])
    assert f"{interval.low} {interval.high}" == "0.0 0.0"


@pytest.mark.parametrize(
    "options", [{"confidence": 0.0}, {"confidence": 1.0}, {"confidence": 95}, {"resamples": 0}]
)
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        bootstrap_by_question([1, 0], [1, 1], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("differences", "sizes"), [([], []), ([1, 0], [1])])
def test_every_question_needs_a_size(differences: list[int], sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="differences and"):
        bootstrap_by_question(differences, sizes)


def test_expanded_percentiles_lie_as_far_out_as_students_t() -> None:
    from scipy.stats import norm, t

    from lawqa.scoring.comparisons.bootstrap import _expanded_tail

    for n in (5, 18, 140):
        expected = norm.cdf((n / (n - 1)) ** 0.5 * t.ppf(0.025, n - 1))
        assert _expanded_tail(0.025, n) == pytest.approx(expected)
    differences = [1, 0, -1, 1, 1, 0, 0, 0]
    wide = bootstrap_by_question(differences, [1] * 8)
    narrow = bootstrap_by_question(differences, [1] * 8, expanded=False)
    assert wide.low < narrow.low < narrow.high < wide.high
