"""Holm's correction, and the sentence that says what is more than luck."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.errors import DataError
from lawqa.scoring import ScoredAnswer
from lawqa.scoring.comparisons import PairedComparison, compare, holm, significance_text

P_VALUES = st.lists(st.floats(0, 1), max_size=7)


def closed_testing(p_values: list[float]) -> list[float]:
    """Adjusted p-values by the closure of Bonferroni tests: the largest of all sets."""
    adjusted = [0.0] * len(p_values)
    for size in range(1, len(p_values) + 1):
        for chosen in itertools.combinations(range(len(p_values)), size):
            bonferroni = min(1.0, size * min(p_values[i] for i in chosen))
            for i in chosen:
                adjusted[i] = max(adjusted[i], bonferroni)
    return adjusted


@given(P_VALUES)
def test_holm_is_the_closure_of_bonferroni(p_values: list[float]) -> None:
    # Marcus, Peritz and Gabriel (1976), Biometrika 63:655-660.
    assert list(holm(p_values)) == pytest.approx(closed_testing(p_values))


@pytest.mark.slow
def test_holm_agrees_with_statsmodels() -> None:
    multitest = pytest.importorskip(
        "statsmodels.stats.multitest", reason="statsmodels is a test extra"
    )
    p_values = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04]
    assert list(holm(p_values)) == pytest.approx(
        multitest.multipletests(p_values, method="holm")[1]
    )


def test_holm_by_hand() -> None:
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04 -> 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


@given(P_VALUES)
def test_holm_keeps_the_ranking_and_only_raises(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert [a for _, a in pairs] == sorted(adjusted)
    assert holm(p_values[::-1]) == adjusted[::-1]


def test_one_test_needs_no_correction() -> None:
    assert holm([0.03]) == (0.03,)
    assert holm([]) == ()


@pytest.mark.parametrize("p_value", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(p_value: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, p_value])


def comparison_with(wins: int, losses: int, questions: int = 140) -> PairedComparison:
    cells = [(False, True)] * wins + [(True, False)] * losses
    cells += [(True, True)] * (questions - len(cells))

    def run(which: int) -> list[ScoredAnswer]:
        return [
            ScoredAnswer(f"q{i}", "a", "a" if c[which] else "b", "correct" if c[which] else "wrong")
            for i, c in enumerate(cells)
        ]

    return compare(run(0), run(1))


def test_the_differences_that_stand_come_first() -> None:
    # p: 20 to 2 is 0.0001, 15 to 4 is 0.019, 7 to 6 is 1. Holm: 0.0004, 0.038, 1.
    text = significance_text(
        {"rag": comparison_with(7, 6), "ft": comparison_with(20, 2), "cot": comparison_with(15, 4)},
        base="qwen3",
    )
    sentences = text.split(". ")
    assert (
        sentences[0] == "2 of 3 differences from qwen3 are larger than luck (Holm-corrected for 3)"
    )
    assert text.index("ft is more than luck: +12.9 points (98.3% interval +") < text.index(
        "cot is more than luck: +7.9 points (97.5%"
    )
    assert "p < 0.001" in text
    assert "exact McNemar p = 0.019 raw, p = 0.038 Holm-corrected for 3" in text
    assert (
        "rag may be luck: +0.7 points (95% interval -4.8 to +6.3, Newcombe's paired score;" in text
    )
    assert (
        "with these 13 discordant questions the smallest significant difference is 6.4 points"
        in text
    )


def test_a_difference_that_stands_alone_may_fall_among_several() -> None:
    # 13 to 3: p = 0.021; times three it is 0.064.
    lucky, level = comparison_with(13, 3), comparison_with(5, 5)
    assert significance_text({"x": lucky}).startswith(
        "Every difference from the base run is larger than luck."
    )
    text = significance_text({"x": lucky, "y": level, "z": level})
    assert text.startswith(
        "No difference from the base run is larger than luck (Holm-corrected for 3)."
    )
    assert "p = 0.021 raw, p = 0.064 Holm-corrected for 3" in text
    assert "x may be luck: +7.1 points (98.3% interval" in text


def test_one_of_two_is_significant() -> None:
    text = significance_text({"x": comparison_with(2, 20), "y": comparison_with(5, 5)})
    assert text.startswith(
        "1 of 2 differences from the base run is larger than luck (Holm-corrected for 2)."
    )
    assert "x is more than luck: -12.9 points" in text
    assert "y may be luck: +0.0 points" in text


def test_a_difference_exactly_at_the_level_is_significant() -> None:
    found = comparison_with(13, 3)
    text = significance_text({"x": found}, alpha=found.p_value)
    assert text.startswith("Every difference from the base run is larger than luck.")


def test_too_few_questions_are_called_so() -> None:
    text = significance_text({"x": comparison_with(5, 0, questions=5)})
    assert text.startswith(
        "No difference from the base run is larger than luck. x may be luck: +100.0 points (95% interval "
    )
    assert text.endswith(
        "exact McNemar p = 0.062); with these 5 discordant questions no difference could be significant; "
        "5 questions are too few to detect any difference."
    )


def test_one_discordant_question_and_none_are_called_so() -> None:
    for wins, few in (
        (1, "with one discordant question no"),
        (0, "with no discordant question no"),
    ):
        assert few in significance_text({"x": comparison_with(wins, 0)})


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(DataError, match="nothing to compare"):
        significance_text({})
