"""Interval, p-value and what could have been significant never contradict each other; values of others."""

from __future__ import annotations

import itertools
import random

import pytest

from lawqa.scoring import ScoredAnswer
from lawqa.scoring.comparisons import (
    PairedComparison,
    compare,
    compare_repeats,
    difference_line,
    holm,
    judge_by_holm,
    sign_flip_bar,
    sign_flip_p,
    significance_sentence,
)


def run_of(right: list[bool], repeat: int = 0, order: int = 0) -> list[ScoredAnswer]:
    del order
    return [
        ScoredAnswer(
            f"q{i:03}", "a", "a" if ok else "b", "correct" if ok else "wrong", repeat=repeat
        )
        for i, ok in enumerate(right)
    ]


def counted(both: int, lost: int, won: int, neither: int) -> PairedComparison:
    cells = [(True, True)] * both + [(True, False)] * lost
    cells += [(False, True)] * won + [(False, False)] * neither
    return compare(run_of([b for b, _ in cells]), run_of([o for _, o in cells]))


def holds_zero(comparison: PairedComparison) -> bool:
    return comparison.interval.low <= 0 <= comparison.interval.high


def test_the_bar_for_36_discordant_of_140_is_ten_points_and_the_power_difference_another() -> None:
    found = counted(52, 13, 23, 52)
    assert found.only_base + found.only_other == 36
    assert found.smallest_significant_difference == pytest.approx(14 / 140)
    assert 100 * (found.minimum_detectable_difference or 0) == pytest.approx(12.4, abs=0.05)
    # As the smallest of eight: 12.9 and 15.3.
    assert found.significant_at(0.05 / 8) == pytest.approx(18 / 140)
    assert 100 * (found.detectable_at(0.05 / 8) or 0) == pytest.approx(15.3, abs=0.05)
    (judged,) = judge_by_holm({"x": found}).values()
    assert significance_sentence(judged) == (
        "with these 36 discordant questions the smallest significant difference is 10.0 points (p <= 0.05)"
    )


def test_the_bar_is_where_statsmodels_mcnemar_begins_to_reject() -> None:
    tables = pytest.importorskip("statsmodels.stats.contingency_tables", reason="a test extra")
    for discordant in (5, 6, 13, 36, 61):
        significant = [
            won - lost
            for lost, won in ((k, discordant - k) for k in range(discordant // 2 + 1))
            if tables.mcnemar([[9, won], [lost, 9]], exact=True).pvalue <= 0.05
        ]
        bar = sign_flip_bar([1] * discordant, 0.05)
        assert bar.significant == (min(significant) if significant else None)


def test_the_bar_of_unequal_moves_is_that_of_all_signs() -> None:
    moves = [4, 3, 3, 2, 2, 1, 1, 1, 1]
    sums = [abs(sum(s * m for s, m in zip(signs, moves, strict=True)))
            for signs in itertools.product((1, -1), repeat=len(moves))]  # fmt: skip
    for alpha in (0.05, 0.2):
        significant = [s for s in set(sums) if sum(t >= s for t in sums) / len(sums) <= alpha]
        luck = [s for s in set(sums) if sum(t >= s for t in sums) / len(sums) > alpha]
        bar = sign_flip_bar(moves, alpha)
        assert (bar.significant, bar.luck) == (min(significant), max(luck))
    assert sign_flip_bar([], 0.05).significant is None


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 13, 24])
def test_interval_and_p_never_contradict_at_one_prompt_a_question(n: int) -> None:
    for lost in range(n // 2 + 1):
        for won in range(n - lost + 1):
            for both in {0, (n - lost - won) // 2, n - lost - won}:
                found = counted(both, lost, won, n - lost - won - both)
                assert holds_zero(found) == (found.p_value > 0.05), (both, lost, won)
                assert found.interval.low <= found.difference <= found.interval.high
                bar = found.smallest_significant_difference
                reached = bar is not None and abs(found.difference) >= bar - 1e-12
                assert reached == (found.p_value <= 0.05)


@pytest.mark.slow
def test_interval_and_p_never_contradict_under_holm() -> None:
    generator = random.Random(5)  # noqa: S311 - a simulation
    for _ in range(60):
        base = [generator.random() < 0.5 for _ in range(60)]
        others = {
            f"r{k}": run_of([generator.random() < (0.9 if b else 0.1 + 0.12 * k) for b in base])
            for k in range(4)
        }
        judged = judge_by_holm(
            {name: compare(run_of(base), other) for name, other in others.items()}
        )
        adjusted = holm([one.comparison.p_value for one in judged.values()])
        for one, p in zip(judged.values(), adjusted, strict=True):
            assert one.p_holm == p
            assert one.significant == (p <= 0.05)
            assert holds_zero(one.comparison) == (p > 0.05)


def test_interval_and_p_never_contradict_where_questions_have_several_prompts() -> None:
    generator = random.Random(6)  # noqa: S311 - a simulation
    for number in range(40):
        n = 12 + number % 10
        sides = []
        for shift in (0.0, 0.25):
            sides.append([
                answer for k in range(3)
                for answer in run_of([generator.random() < 0.3 + shift for _ in range(n)], repeat=k)
            ])  # fmt: skip
        found = compare(*sides, by="prompts", resamples=300)
        assert found.test == "exact sign-flip by question"
        assert holds_zero(found) == (found.p_value > 0.05)


def test_groups_are_the_unit_where_they_are_asked_for() -> None:
    base, other = run_of([False] * 12), run_of([True] * 12)
    groups = {f"q{i:03}": f"g{i // 3}" for i in range(12)}
    found = compare(base, other, groups=groups)
    assert (found.clusters, found.questions, found.test) == (4, 12, "exact sign-flip by group")
    assert found.p_value == 2 / 2**4  # four groups won, where twelve questions would be 2 / 2**12
    assert compare(base, other).p_value == 2 / 2**12


def test_seeds_are_one_comparison_by_question_not_rivals() -> None:
    # 30 questions; each of three seeds wins ten, and they are the same eight with two of their own.
    base = run_of([False] * 30)
    won = [set(range(8)) | {8 + 2 * k, 9 + 2 * k} for k in range(3)]
    others = [run_of([i in one for i in range(30)]) for one in won]
    found = compare_repeats([base], others)
    assert (found.questions, found.prompts, found.seeds_other) == (30, 90, 3)
    assert found.difference == pytest.approx(10 / 30)
    assert found.p_value == pytest.approx(sign_flip_p([3] * 8 + [1] * 6))
    assert found.spread_other == 0.0
    assert found.test == "exact sign-flip by question"


def test_a_spread_between_trainings_is_estimated_and_widens_interval_and_p() -> None:
    generator = random.Random(8)  # noqa: S311 - a simulation
    base = run_of([generator.random() < 0.4 for _ in range(400)])
    others = [run_of([generator.random() < p for _ in range(400)]) for p in (0.3, 0.5, 0.7)]
    found = compare_repeats([base], others)
    assert found.spread_other == pytest.approx(0.2, abs=0.04)  # the deviation of .3, .5, .7 is .2
    blind = sign_flip_p(found.gains)
    assert blind < 0.001
    assert found.p_value > 0.2  # three trainings between -10 and +30 points
    assert holds_zero(found)


def test_the_difference_line_has_the_promised_form() -> None:
    (judged,) = judge_by_holm({"new": counted(0, 0, 9, 9)}).values()
    line = difference_line("new", "old", judged)
    assert line.startswith("new - old: +50.0 points, higher, more than luck (95% interval +")
    assert line.endswith("Newcombe's paired score; exact McNemar p = 0.004)")
    (worse,) = judge_by_holm({"new": counted(0, 9, 0, 9)}).values()
    assert difference_line("new", "old", worse).startswith(
        "new - old: -50.0 points, lower, more than luck"
    )
    (same,) = judge_by_holm({"new": counted(5, 3, 3, 7)}).values()
    assert difference_line("new", "old", same).startswith(
        "new - old: +0.0 points, equal, may be luck"
    )
