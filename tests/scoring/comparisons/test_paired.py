"""Two runs on the same questions."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.choices import LABELS, cyclic_orders, permute_label
from lawqa.errors import DataError
from lawqa.scoring import ScoredAnswer, accuracy_of
from lawqa.scoring.comparisons import compare, minimum_detectable_difference, sign_flip_p
from lawqa.settings import By

pytestmark = pytest.mark.every_python


def run_of(rights: dict[tuple[str, int], bool]) -> list[ScoredAnswer]:
    """A run by (question, number of the cyclic order)."""
    found = []
    for (q, o), right in rights.items():
        gold, wrong = (permute_label(label, cyclic_orders()[o]) for label in LABELS[:2])
        found.append(
            ScoredAnswer(
                q,
                gold,
                gold if right else wrong,
                "correct" if right else "wrong",
                order=cyclic_orders()[o],
            )
        )
    return found


def runs_with(
    both: int, only_base: int, only_other: int, neither: int
) -> tuple[list[ScoredAnswer], list[ScoredAnswer]]:
    cells = [(True, True)] * both + [(True, False)] * only_base
    cells += [(False, True)] * only_other + [(False, False)] * neither
    base = run_of({(f"q{i:03}", 0): b for i, (b, _) in enumerate(cells)})
    other = run_of({(f"q{i:03}", 0): o for i, (_, o) in enumerate(cells)})
    return base, other


RUN_PAIRS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans(), st.booleans()),
    min_size=2,
    max_size=25,
    unique_by=lambda row: row[:2],
).filter(lambda rows: len({row[0] for row in rows}) >= 2)


def runs_of(rows: list[Any]) -> tuple[list[ScoredAnswer], list[ScoredAnswer]]:
    return (
        run_of({(f"q{i}", o): base for i, o, base, _ in rows}),
        run_of({(f"q{i}", o): other for i, o, _, other in rows}),
    )


@pytest.mark.slow
def test_the_table_the_test_and_the_difference() -> None:
    from scipy.stats import binomtest

    comparison = compare(*runs_with(both=50, only_base=9, only_other=24, neither=57))
    table = (comparison.both, comparison.only_base, comparison.only_other, comparison.neither)
    assert table == (50, 9, 24, 57)
    assert (comparison.prompts, comparison.questions) == (140, 140)
    assert comparison.test == "exact McNemar"
    assert comparison.p_value == pytest.approx(binomtest(9, 33).pvalue)
    assert comparison.difference == pytest.approx(15 / 140)
    assert comparison.interval.low < comparison.difference < comparison.interval.high
    assert comparison.discordance == 33 / 140
    assert comparison.minimum_detectable_difference == pytest.approx(
        minimum_detectable_difference(140, 33 / 140), abs=1e-9
    )
    assert (comparison.base.correct, comparison.other.correct) == (59, 74)


@pytest.mark.slow
def test_the_interval_is_near_the_wald_interval_of_the_paired_difference() -> None:
    # Agresti (2013), Categorical Data Analysis, 3rd ed., section 11.1: 1,600 Britons approve of the
    # Prime Minister, 794 twice, 150 at first only, 86 later only, 570 never; difference -0.04, 95%
    # interval (-0.06, -0.02).
    comparison = compare(*runs_with(both=794, only_base=150, only_other=86, neither=570))
    assert comparison.difference == pytest.approx(-0.04)
    assert comparison.interval.low == pytest.approx(-0.0587, abs=0.002)
    assert comparison.interval.high == pytest.approx(-0.0213, abs=0.002)
    assert comparison.p_value < 1e-4


def test_several_orders_of_a_question_are_one_cluster() -> None:
    # Six questions won in all four orders, 14 unchanged.
    base = run_of({(f"q{i:02}", o): False for i in range(20) for o in range(4)})
    other = run_of({(f"q{i:02}", o): i < 6 for i in range(20) for o in range(4)})
    comparison = compare(base, other, by="prompts")
    assert (comparison.prompts, comparison.questions, comparison.only_other) == (80, 20, 24)
    assert comparison.test == "exact sign-flip by question"
    assert comparison.p_value == 2 / 2**6
    # As many questions in one order say the same.
    one_order = compare(base[::4], other[::4])
    assert one_order.test == "exact McNemar"
    assert one_order.p_value == comparison.p_value
    assert one_order.interval_method == "Newcombe's paired score"
    assert comparison.interval_method == "bootstrap by question"
    assert one_order.minimum_detectable_difference == pytest.approx(
        comparison.minimum_detectable_difference
    )


def test_the_detectable_difference_of_clusters_is_seen_four_times_in_five() -> None:
    # Questions move by 1 to 4 of 4 orders; wins outnumber losses so that the mean move is what the
    # comparison calls detectable. The power of its test is simulated.
    moves = [1] * 20 + [2] * 15 + [3] * 5 + [4] * 10
    signs = [1, -1] * 25
    base = run_of({(f"q{i:03}", o): i < 50 and signs[i] < 0 and o < moves[i]
                   for i in range(140) for o in range(4)})  # fmt: skip
    other = run_of({(f"q{i:03}", o): i < 50 and signs[i] > 0 and o < moves[i]
                    for i in range(140) for o in range(4)})  # fmt: skip
    detectable = compare(base, other, by="prompts").minimum_detectable_difference
    assert detectable is not None
    # Larger moves carry more of the difference in one direction as in the other: each question that
    # moves is won with a probability that makes the mean move the detectable difference.
    mean_move = sum(moves) / 4 / 140
    won = (1 + detectable / mean_move) / 2
    generator = random.Random(2)  # noqa: S311 - a simulation
    seen = 0
    for _ in range(1500):
        drawn = [m for m in generator.choices([*moves, *[0] * 90], k=140) if m]
        differences = [m if generator.random() < won else -m for m in drawn]
        seen += sign_flip_p(differences) <= 0.05
    assert seen / 1500 == pytest.approx(0.8, abs=0.06)


def test_prompts_that_only_one_run_was_asked_are_counted_and_left_out() -> None:
    base = run_of({("q1", 0): True, ("q2", 0): False, ("q3", 0): True, ("q1", 1): True})
    other = run_of({("q1", 0): True, ("q2", 0): True, ("q9", 0): True})
    comparison = compare(base, other, by="prompts")
    assert (comparison.prompts, comparison.left_out_base, comparison.left_out_other) == (2, 2, 1)
    assert comparison.base == accuracy_of(base[:2])
    finals = compare(base, other)
    assert (finals.questions, finals.left_out_base, finals.left_out_other) == (2, 1, 1)


def test_repeats_pair_by_number() -> None:
    base = [ScoredAnswer(q, "a", "a", "correct") for q in ("q1", "q2")]
    other = [ScoredAnswer(q, "a", "a", "correct", repeat=r) for q in ("q1", "q2") for r in (0, 1)]
    found = compare(base, other, by="prompts")
    assert (found.prompts, found.left_out_other) == (2, 2)
    assert (compare(base, other).prompts, compare(base, other).left_out_other) == (2, 0)


@pytest.mark.parametrize("shared", [[], ["q1"]])
def test_fewer_than_two_shared_questions_are_an_error(shared: list[str]) -> None:
    base = run_of({(q, o): True for q in [*shared, "x"] for o in range(4)})
    other = run_of({(q, o): True for q in [*shared, "y"] for o in range(4)})
    with pytest.raises(DataError, match=f"share {len(shared)} of {len(shared) + 1}") as error:
        compare(base, other)
    assert "same data file" in error.value.hint
    with pytest.raises(DataError) as error:
        compare(base, other, by="prompts")
    assert "--permutations" in error.value.hint


def test_runs_that_disagree_on_gold_are_an_error() -> None:
    base = run_of({("q1", 0): True, ("q2", 0): True})
    other = [base[0], ScoredAnswer("q2", "c", "c", "correct")]
    with pytest.raises(DataError, match="question q2, order abcd: gold is a in the base"):
        compare(base, other)


def test_a_prompt_twice_in_a_run_is_an_error_that_names_the_run() -> None:
    base = run_of({("q1", 0): True, ("q2", 0): True})
    with pytest.raises(DataError, match="the other run holds question q1"):
        compare(base, [*base, base[0]])


def test_a_run_against_itself() -> None:
    base, _ = runs_with(both=70, only_base=0, only_other=0, neither=70)
    comparison = compare(base, base)
    assert (comparison.p_value, comparison.difference, comparison.discordance) == (1, 0, 0)
    # No question differs, and yet another 140 might.
    assert comparison.interval.high == pytest.approx(-comparison.interval.low)
    assert 0 < comparison.interval.high < 0.03
    assert comparison.smallest_significant_difference is None
    assert comparison.minimum_detectable_difference == pytest.approx(0.056, abs=5e-4)


def test_five_questions_can_show_nothing() -> None:
    comparison = compare(*runs_with(both=0, only_base=0, only_other=5, neither=0))
    assert comparison.p_value == 2 / 2**5
    assert comparison.minimum_detectable_difference is None


def test_json_is_plain() -> None:
    record = compare(*runs_with(3, 2, 4, 1), seed=3, resamples=500, confidence=0.9).to_json()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert (record["seed"], record["resamples"], record["confidence"]) == (3, 500, 0.9)
    assert record["interval"].keys() == {"low", "high"}


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(RUN_PAIRS)
def test_swapping_the_runs_swaps_everything(rows: list[Any]) -> None:
    base, other = runs_of(rows)
    forth = compare(base, other, by="prompts", resamples=200)
    back = compare(other, base, by="prompts", resamples=200)
    assert (back.both, back.neither) == (forth.both, forth.neither)
    assert (back.only_base, back.only_other) == (forth.only_other, forth.only_base)
    assert (back.base, back.other) == (forth.other, forth.base)
    assert back.difference == -forth.difference
    assert back.interval.low == pytest.approx(-forth.interval.high, abs=1e-12)
    assert back.interval.high == pytest.approx(-forth.interval.low, abs=1e-12)
    assert (back.p_value, back.test) == (forth.p_value, forth.test)
    assert back.minimum_detectable_difference == forth.minimum_detectable_difference


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(RUN_PAIRS, st.randoms())
def test_the_sequence_of_the_answers_does_not_matter(
    rows: list[Any], generator: random.Random
) -> None:
    base, other = runs_of(rows)
    rules: tuple[By, ...] = ("prompts", "own")
    for by in rules:
        expected = compare(base, other, by=by, resamples=200)
        shuffled = compare(
            generator.sample(base, len(base)),
            generator.sample(other, len(other)),
            by=by,
            resamples=200,
        )
        assert shuffled == expected
        assert shuffled.interval == expected.interval


@settings(deadline=None, max_examples=50)
@given(RUN_PAIRS)
def test_the_table_sums_and_the_numbers_agree(rows: list[Any]) -> None:
    comparison = compare(*runs_of(rows), by="prompts", resamples=200)
    cells = (comparison.both, comparison.only_base, comparison.only_other, comparison.neither)
    assert sum(cells) == comparison.prompts == len(rows)
    assert comparison.difference == pytest.approx(comparison.other.value - comparison.base.value)
    assert 0 < comparison.p_value <= 1
