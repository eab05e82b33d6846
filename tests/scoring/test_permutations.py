"""Several choice orders: consistency and the averaged answer."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.choices import LABELS, Label, Order, cyclic_orders, permute, permute_label
from lawqa.errors import DataError
from lawqa.scoring import (
    ScoredAnswer,
    average_over_orders,
    outcome_of,
    summarise_permutations,
    wilson,
)

CYCLIC = cyclic_orders()


def asked(
    question_id: str, gold: Label, pick: Label | None, order: Order, **rest: Any
) -> ScoredAnswer:
    """A prompt in this order; gold and pick are labels of the original order."""
    shown_gold = permute_label(gold, order)
    shown = None if pick is None else permute_label(pick, order)
    status: Any = "unanswered" if shown is None else "answered"
    outcome = outcome_of(shown_gold, shown, status)
    return ScoredAnswer(question_id, shown_gold, shown, outcome, order=order, **rest)


def scored(question_id: str, gold: Label, order: Order, shown: list[float]) -> ScoredAnswer:
    """A prompt scored with these probabilities of the displayed labels."""
    best = LABELS[shown.index(max(shown))]
    gold = permute_label(gold, order)
    a, b, c, d = (math.log(p) for p in shown)
    return ScoredAnswer(
        question_id, gold, best, outcome_of(gold, best, "answered"), order=order,
        label_logprobs=(a, b, c, d),
    )  # fmt: skip


def test_consistency_is_of_the_choice_and_not_of_the_label() -> None:
    follows_choice = [asked("q1", "b", "c", order) for order in CYCLIC]
    follows_label = [
        ScoredAnswer("q2", gold, "a", outcome_of(gold, "a", "answered"), order=order)
        for order in CYCLIC
        for gold in [permute_label("b", order)]
    ]
    once_silent = [asked("q3", "b", "b" if order != CYCLIC[2] else None, order) for order in CYCLIC]
    summary = summarise_permutations([*follows_choice, *follows_label, *once_silent])
    assert (summary.questions, summary.consistent, summary.left_out) == (3, 1, 0)
    assert summary.consistency == 1 / 3
    assert summary.consistency_interval == wilson(1, 3)
    assert summary.averaged is None


def test_the_accuracy_of_each_order_is_kept_apart() -> None:
    answers = [asked(f"q{i}", "a", "a" if i < 3 + n else "d", order)
               for n, order in enumerate(CYCLIC) for i in range(8)]  # fmt: skip
    by_order = summarise_permutations(answers).by_order
    assert {name: accuracy.correct for name, accuracy in by_order.items()} == {
        "abcd": 3, "bcda": 4, "cdab": 5, "dabc": 6,
    }  # fmt: skip


def test_a_question_asked_in_some_orders_only_is_left_out_of_consistency() -> None:
    answers = [asked("q1", "a", "a", order) for order in CYCLIC]
    answers += [asked("q2", "a", "a", order) for order in CYCLIC[:2]]
    summary = summarise_permutations(answers)
    assert (summary.questions, summary.consistent, summary.left_out) == (1, 1, 1)


def test_no_question_in_every_order_has_no_consistency() -> None:
    answers = [asked("q1", "a", "a", CYCLIC[0]), asked("q2", "a", "a", CYCLIC[1])]
    summary = summarise_permutations(answers)
    assert (summary.consistency, summary.consistency_interval) == (None, None)


@pytest.mark.parametrize("answers", [[], [asked("q1", "a", "a", CYCLIC[0])]])
def test_one_order_is_no_permutation_run(answers: list[ScoredAnswer]) -> None:
    with pytest.raises(DataError, match="choice orders") as error:
        summarise_permutations(answers)
    assert "--permutations 4" in error.value.hint


def test_the_averaged_answer_by_hand() -> None:
    # Two orders; the second shows b first. The original a has (0.5 + 0.1) / 2, and so on.
    answers = [
        scored("q", "b", (0, 1, 2, 3), [0.5, 0.3, 0.1, 0.1]),
        scored("q", "b", (1, 2, 3, 0), [0.6, 0.2, 0.1, 0.1]),
    ]
    (average,) = average_over_orders(answers)
    assert average.probabilities == pytest.approx((0.3, 0.45, 0.15, 0.1))
    assert (average.predicted, average.gold, average.prompts) == ("b", "b", 2)


def test_a_pure_label_bias_cancels_and_the_tie_is_drawn() -> None:
    # The same probabilities by displayed label in every order: nothing is known of the choices.
    answers = [scored("q", "c", order, [0.61, 0.22, 0.12, 0.05]) for order in CYCLIC]
    (average,) = average_over_orders(answers)
    assert average.probabilities is not None
    assert set(average.probabilities) == {average.probabilities[0]}
    many = [
        scored(f"q{i}", "c", order, [0.61, 0.22, 0.12, 0.05])
        for i in range(400)
        for order in CYCLIC
    ]
    drawn = [average.predicted for average in average_over_orders(many)]
    assert all(70 < drawn.count(label) < 130 for label in LABELS)


def test_averaging_rescues_a_biased_model() -> None:
    # Likes label a, and knows the answer a little: most orders are wrong, the average is right.
    def shown(gold: Label, order: Order) -> list[float]:
        weights = [4.0, 1.0, 1.0, 1.0]
        weights[LABELS.index(permute_label(gold, order))] *= 2
        return [w / sum(weights) for w in weights]

    answers = [
        scored(f"q{gold}", gold, order, shown(gold, order)) for gold in LABELS for order in CYCLIC
    ]
    summary = summarise_permutations(answers)
    assert {accuracy.correct for accuracy in summary.by_order.values()} == {1}
    assert summary.averaged is not None
    assert (summary.averaged.correct, summary.averaged.asked) == (4, 4)
    assert summary.averaged.interval == wilson(4, 4)


def test_prompts_without_probabilities_are_counted() -> None:
    answers = [
        scored("q1", "a", CYCLIC[0], [0.7, 0.1, 0.1, 0.1]),
        ScoredAnswer("q1", permute_label("a", CYCLIC[1]), None, "failed", order=CYCLIC[1]),
        ScoredAnswer("q2", "a", None, "failed"),
    ]
    first, second = average_over_orders(answers)
    assert (first.predicted, first.prompts) == ("a", 1)
    assert (second.predicted, second.probabilities, second.prompts) == (None, None, 0)
    averaged = summarise_permutations(answers).averaged
    assert averaged is not None
    assert (averaged.correct, averaged.asked, averaged.value) == (1, 2, 0.5)


def test_orders_that_disagree_on_the_gold_choice_are_an_error() -> None:
    answers = [asked("q1", "a", "a", CYCLIC[0]), asked("q1", "b", "a", CYCLIC[1])]
    with pytest.raises(DataError, match="question q1: the gold choice differs"):
        summarise_permutations(answers)


def test_json_is_plain() -> None:
    answers = [scored("q", "c", order, [0.61, 0.22, 0.12, 0.05]) for order in CYCLIC]
    record = summarise_permutations(answers).to_json()
    assert (record["questions"], record["consistency"], record["left_out"]) == (1, 0.0, 0)
    assert record["averaged"]["asked"] == 1
    assert json.loads(json.dumps(record, allow_nan=False)) == record


@settings(deadline=None)
@given(
    st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
    st.lists(st.sampled_from(CYCLIC), min_size=1, max_size=4, unique=True),
    st.randoms(),
)
def test_a_model_that_reads_only_the_choices_gives_its_own_answer_back(
    weights: list[float], orders: list[Order], generator: random.Random
) -> None:
    own = [w / math.fsum(weights) for w in weights]
    answers = [scored("q", "a", order, list(permute(own, order))) for order in orders]
    (average,) = average_over_orders(answers)
    assert average.probabilities == pytest.approx(own)
    assert average_over_orders(generator.sample(answers, len(answers))) == (average,)


@settings(deadline=None)
@given(st.lists(st.sampled_from((*LABELS, None)), min_size=4, max_size=4), st.sampled_from(LABELS))
def test_a_question_is_consistent_when_its_picks_are_one(picks: list[Any], gold: Any) -> None:
    answers = [asked("q", gold, pick, order) for pick, order in zip(picks, CYCLIC, strict=True)]
    expected = int(len(set(picks)) == 1 and picks[0] is not None)
    assert summarise_permutations(answers).consistent == expected
