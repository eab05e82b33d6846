"""The vote of self-consistency."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.choices import LABELS
from lawqa.errors import DataError
from lawqa.scoring import Majority, ScoredAnswer, majority, summarise_votes, wilson

VOTES = st.lists(st.sampled_from((*LABELS, None)), min_size=1, max_size=12)


def test_most_votes_win() -> None:
    assert majority(["b", "c", "b", "a", "b"]) == Majority("b", votes=3, samples=5, agreement=0.6)


def test_a_tie_goes_to_the_larger_summed_log_probability() -> None:
    labels: list[Any] = ["a", "a", "d", "d"]
    assert majority(labels, [-3.0, -1.0, -2.0, -1.5]).label == "d"
    assert majority(labels, [-2.0, -1.0, -2.0, -1.5]).label == "a"


def test_log_probabilities_never_beat_votes() -> None:
    assert majority(["a", "a", "d"], [-90.0, -90.0, -0.1]).label == "a"


def test_a_tie_without_or_with_equal_log_probabilities_is_drawn_by_the_question() -> None:
    drawn = Counter(majority(["d", "b"], seed=f"q{i}").label for i in range(400))
    assert 160 < drawn["b"] < 240
    for i in range(20):
        winner = majority(["d", "b"], seed=f"q{i}").label
        assert majority(["b", "d"], [-1.0, -1.0], seed=f"q{i}").label == winner
        # 0.1 + 0.2 + 0.3 depends on the sequence of adding; the vote must not.
        weights = [-0.1, -0.3, -0.2, -0.2, -0.3, -0.1]
        assert majority(["d", "b"] * 3, weights, seed=f"q{i}").label == winner


def test_an_impossible_sample_loses_the_tie() -> None:
    assert majority(["a", "b"], [-math.inf, -5.0]).label == "b"


def test_samples_without_a_label_never_win_but_lower_the_agreement() -> None:
    assert majority([None, None, None, "d"]) == Majority("d", votes=1, samples=4, agreement=0.25)
    assert majority([None, None]) == Majority(None, votes=0, samples=2, agreement=0.0)


def test_one_sample_is_its_own_majority() -> None:
    assert majority(["c"]) == Majority("c", votes=1, samples=1, agreement=1.0)


def test_no_samples_are_an_error() -> None:
    with pytest.raises(DataError, match="no samples"):
        majority([])


@pytest.mark.parametrize("logprobs", [[-1.0], [-1.0, math.nan]])
def test_log_probabilities_must_be_one_number_for_each_sample(logprobs: list[float]) -> None:
    with pytest.raises(ValueError, match="2 samples need"):
        majority(["a", "b"], logprobs)


@pytest.mark.slow
@given(VOTES, st.randoms())
def test_the_winner_has_most_votes_in_any_sequence(
    votes: list[Any], generator: random.Random
) -> None:
    logprobs = [generator.uniform(-9, 0) for _ in votes]
    vote = majority(votes, logprobs)
    counted = Counter(v for v in votes if v is not None)
    assert vote.votes == max(counted.values(), default=0)
    assert vote.agreement == vote.votes / len(votes)
    assert (vote.label is None) == (not counted)
    shuffled = generator.sample(list(zip(votes, logprobs, strict=True)), len(votes))
    assert majority([v for v, _ in shuffled], [w for _, w in shuffled]) == vote


def answer(question: str, predicted: str | None, repeat: int = 0, **fields: Any) -> ScoredAnswer:
    gold = fields.pop("gold", "a")
    outcome = "unparsed" if predicted is None else "correct" if predicted == gold else "wrong"
    return ScoredAnswer(question, gold, predicted, outcome, repeat=repeat, **fields)  # type: ignore[arg-type]


def test_every_question_has_one_vote_whatever_its_samples() -> None:
    found = summarise_votes(
        [answer("1", label, repeat) for repeat, label in enumerate(["a", "a", "b"])]
        + [answer("2", label, repeat) for repeat, label in enumerate(["b", None, "b"])]
        + [answer("3", None, repeat) for repeat in range(3)]
    )
    assert (found.accuracy.correct, found.accuracy.asked) == (1, 3)
    assert found.accuracy.interval == wilson(1, 3)
    assert [a.correct for a in found.by_sample] == [1, 1, 0]
    assert found.agreement == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert (found.samples, found.undecided) == (3, 1)


def test_a_question_with_one_sample_has_a_vote_beside_those_with_several() -> None:
    found = summarise_votes([answer("1", "a"), answer("2", "a"), answer("2", "b", 1)])
    assert (found.accuracy.correct, found.accuracy.asked, found.samples) == (2, 2, 2)


def test_samples_in_different_orders_vote_for_choices() -> None:
    # Both say the choice that is at a in the original order.
    found = summarise_votes([answer("1", "a"), answer("1", "d", gold="d", order=(1, 2, 3, 0))])
    assert (found.accuracy.correct, found.agreement) == (1, 1.0)


def test_a_vote_of_nobody_is_refused() -> None:
    with pytest.raises(DataError, match="no samples"):
        summarise_votes([])
