"""The exact test against SciPy, statsmodels, brute force and a textbook."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.scoring.comparisons import sign_flip_p


def enumerated(differences: list[int], alternative: str) -> float:
    """The same p-value by writing out all sign assignments."""
    observed = sum(differences)
    sums = [
        sum(sign * d for sign, d in zip(signs, differences, strict=True))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    if alternative == "greater":
        return sum(s >= observed for s in sums) / len(sums)
    return sum(abs(s) >= abs(observed) for s in sums) / len(sums)


def test_the_textbook_example_of_mcnemar() -> None:
    # Armitage and Berry (1994), Statistical Methods in Medical Research, p. 127: two culture media,
    # 12 specimens grow on A only and 2 on B only; exact two-sided P = 0.0129.
    assert round(sign_flip_p([1] * 12 + [-1] * 2 + [0] * 36), 4) == 0.0129


@settings(deadline=None)
@given(st.lists(st.integers(-4, 4), max_size=9), st.sampled_from(["two-sided", "greater"]))
def test_it_is_what_writing_out_all_signs_gives(differences: list[int], alternative: str) -> None:
    ours = sign_flip_p(differences, alternative)  # type: ignore[arg-type]
    assert ours == pytest.approx(enumerated(differences, alternative), abs=1e-12)


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_single_pairs_give_the_exact_mcnemar_of_scipy(only_base: int, only_other: int) -> None:
    from scipy.stats import binomtest

    differences = [1] * only_other + [-1] * only_base
    ours = sign_flip_p(differences)
    n = only_base + only_other
    assert ours == pytest.approx(binomtest(only_base, n).pvalue if n else 1.0, rel=1e-9)
    one_sided = binomtest(only_other, n, alternative="greater").pvalue if n else 1.0
    assert sign_flip_p(differences, "greater") == pytest.approx(one_sided, rel=1e-9)


def test_single_pairs_give_the_exact_mcnemar_of_statsmodels() -> None:
    tables = pytest.importorskip(
        "statsmodels.stats.contingency_tables", reason="statsmodels is a test extra"
    )
    expected = tables.mcnemar([[50, 24], [9, 57]], exact=True).pvalue
    assert sign_flip_p([1] * 9 + [-1] * 24 + [0] * 107) == pytest.approx(expected)


def test_clusters_give_the_exact_paired_permutation_test_of_scipy() -> None:
    import numpy as np
    from scipy.stats import permutation_test

    base = np.array([4, 0, 1, 3, 2, 0, 1, 0, 2, 4])
    other = np.array([4, 3, 2, 4, 1, 2, 4, 1, 2, 4])
    expected = permutation_test(
        (other, base),
        lambda x, y: np.sum(x - y),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=False,
    ).pvalue
    assert sign_flip_p([int(d) for d in other - base]) == pytest.approx(expected)


def test_dependent_answers_are_no_evidence_of_their_own() -> None:
    # Five questions won in all four orders: 5 independent wins, not 20.
    assert sign_flip_p([4] * 5) == 2 / 2**5
    assert sign_flip_p([1] * 20) == 2 / 2**20


def test_no_difference_is_no_evidence() -> None:
    assert sign_flip_p([]) == sign_flip_p([0, 0]) == sign_flip_p([3, -3]) == 1
    assert sign_flip_p([0], "greater") == 1


@settings(deadline=None)
@given(st.lists(st.integers(-24, 24), max_size=40))
def test_it_is_a_probability_and_knows_no_direction(differences: list[int]) -> None:
    ours = sign_flip_p(differences)
    assert 0 < ours <= 1
    assert sign_flip_p([-d for d in differences]) == ours
    assert sign_flip_p(differences[::-1]) == ours


@pytest.mark.slow
def test_thousands_of_discordant_questions_stay_finite() -> None:
    assert sign_flip_p([1, -1] * 2000) == 1
    assert 0 <= sign_flip_p([1] * 3000) < 1e-300
