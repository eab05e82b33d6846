"""Outcomes, and the record that holds no impossible one."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.choices import LABELS, all_orders, permute_label
from lawqa.errors import DataError
from lawqa.scoring import OUTCOMES, ScoredAnswer, order_name, outcome_of
from lawqa.scoring.outcomes import by_prompt

pytestmark = pytest.mark.every_python


def test_outcomes_are_named_in_the_sequence_of_reports() -> None:
    assert OUTCOMES == ("correct", "wrong", "unparsed", "truncated", "failed")


@pytest.mark.parametrize(("gold", "label"), list(itertools.product(LABELS, LABELS)))
def test_a_label_is_correct_exactly_when_it_is_gold(gold: Any, label: Any) -> None:
    assert outcome_of(gold, label, "answered") == ("correct" if gold == label else "wrong")


def test_no_label_is_unparsed_or_truncated() -> None:
    assert outcome_of("a", None, "unanswered") == "unparsed"
    assert outcome_of("a", None, "truncated") == "truncated"


@pytest.mark.parametrize(
    ("label", "status"), [(None, "answered"), ("a", "unanswered"), ("a", "truncated")]
)
def test_a_label_and_a_status_that_contradict_each_other_are_a_bug(label: Any, status: Any) -> None:
    with pytest.raises(ValueError, match="contradicts"):
        outcome_of("a", label, status)


@pytest.mark.parametrize(
    ("predicted", "outcome"),
    [("a", "wrong"), ("b", "correct"), ("b", "unparsed"), ("a", "failed"), (None, "correct"),
     (None, "wrong"), (None, "unknown")],
)  # fmt: skip
def test_an_impossible_outcome_is_refused(predicted: Any, outcome: Any) -> None:
    with pytest.raises(DataError, match=r"question q7: outcome"):
        ScoredAnswer("q7", "a", predicted, outcome)


@pytest.mark.parametrize(
    "logprobs",
    [
        (0.0, 0.0, 0.0, 0.0),
        (-9.0, -9.0, -9.0, -9.0),
        (math.nan, -1.0, -1.0, -1.0),
        (1e6, -1.0, -1.0, -1.0),
        (math.log(0.5), math.log(0.5)),
    ],
)
def test_log_probabilities_that_are_not_normalised_are_refused(logprobs: Any) -> None:
    with pytest.raises(DataError, match="sum to 1"):
        ScoredAnswer("q", "a", "a", "correct", label_logprobs=logprobs)


def test_a_certain_answer_has_infinite_log_odds() -> None:
    certain = (0.0, -math.inf, -math.inf, -math.inf)
    assert ScoredAnswer("q", "a", "a", "correct", label_logprobs=certain).label_logprobs == certain


def test_an_order_must_show_every_choice_once() -> None:
    with pytest.raises(DataError, match="not an order"):
        ScoredAnswer("q", "a", "a", "correct", order=(0, 0, 1, 2))


def test_the_record_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ScoredAnswer("q", "a", "a", "correct").outcome = "wrong"  # type: ignore[misc]


@given(st.sampled_from(LABELS), st.sampled_from(LABELS), st.sampled_from(all_orders()))
def test_displayed_labels_map_back_to_the_original_ones(gold: Any, label: Any, order: Any) -> None:
    shown = permute_label(label, order)
    shown_gold = permute_label(gold, order)
    answer = ScoredAnswer(
        "q", shown_gold, shown, outcome_of(shown_gold, shown, "answered"), order=order
    )
    assert (answer.original_gold, answer.original_predicted) == (gold, label)


def test_an_order_is_named_by_what_it_shows() -> None:
    assert [order_name(order) for order in [(0, 1, 2, 3), (1, 2, 3, 0), (3, 0, 1, 2)]] == [
        "abcd",
        "bcda",
        "dabc",
    ]


def test_a_prompt_cannot_be_asked_twice_in_a_run() -> None:
    answers = [ScoredAnswer("q1", "a", "a", "correct", order=(1, 2, 3, 0))] * 2
    with pytest.raises(DataError, match="base run holds question q1, order bcda, repeat 0 twice"):
        by_prompt(answers, "the base run")
