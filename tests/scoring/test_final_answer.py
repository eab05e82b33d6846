"""The final answer of a run to a question, against counting by hand and by other code."""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.choices import LABELS, cyclic_orders, permute_label
from lawqa.errors import DataError
from lawqa.scoring import (
    ScoredAnswer,
    final_answers,
    likeliest_label,
    outcome_of,
    summarise,
    summarise_final,
    votes_curve,
    with_tie_drawn,
)
from lawqa.scoring.comparisons import compare
from lawqa.settings import By

pytestmark = pytest.mark.every_python

Q = "金商法_問題番号7"


def one(
    label: str | None, repeat: int = 0, order: int = 0, gold: str = "c", question: str = Q,
    probabilities: list[float] | None = None,
) -> ScoredAnswer:  # fmt: skip
    """An answer by original labels, shown in a rotation; probabilities by original label too."""
    shown = cyclic_orders()[order]
    there: Any = permute_label(gold, shown)  # type: ignore[arg-type]
    given_label: Any = permute_label(label, shown) if label else None  # type: ignore[arg-type]
    logprobs: Any = None
    if probabilities is not None:
        logprobs = tuple(math.log(probabilities[source]) for source in shown)
    outcome = outcome_of(there, given_label, "answered" if label else "unanswered")
    return ScoredAnswer(
        question, there, given_label, outcome, order=shown, repeat=repeat, label_logprobs=logprobs
    )


def drawn(labels: str, question: str = Q) -> str:
    """The documented draw, written again: SHA-256 of the id, first eight bytes, modulo the level labels."""
    digest = hashlib.sha256(question.encode()).digest()
    return sorted(labels)[int.from_bytes(digest[:8], "big") % len(labels)]


def test_one_prompt_is_its_own_final_answer_by_every_rule() -> None:
    rules: tuple[By, ...] = ("own", "plain", "vote", "soft", "orders", "orders-samples")
    for by in rules:
        (final,) = final_answers([one("b")], by)
        assert (final.predicted, final.outcome, final.level, final.prompts) == ("b", "wrong", (), 1)
        assert summarise_final([one("b")], by).name == "single answers"


def test_the_rule_of_a_run_follows_from_what_it_asked() -> None:
    samples = [one("a", k) for k in range(8)]
    orders = [one("a", order=k) for k in range(4)]
    both = [one("a", k, order) for k in range(2) for order in range(4)]
    known = [one("a", order=k, probabilities=[0.7, 0.1, 0.1, 0.1]) for k in range(4)]
    names = [summarise_final(run).name for run in (samples, orders, both, known)]
    assert names == [
        "the vote of 8", "the vote over 4 orders", "the vote over 4 orders of 2 samples",
        "the mean over 4 orders",
    ]  # fmt: skip


def test_questions_in_one_order_each_are_single_answers_whatever_the_orders() -> None:
    run = [one("a", order=k, question=f"q{k}") for k in range(4)]
    assert summarise_final(run).name == "single answers"


def test_a_tied_vote_goes_to_the_larger_summed_log_probability_of_its_voters() -> None:
    sure, unsure = [0.1, 0.7, 0.1, 0.1], [0.4, 0.2, 0.2, 0.2]
    run = [one("a", 0, probabilities=unsure), one("a", 1, probabilities=unsure),
           one("b", 2, probabilities=sure), one("b", 3, probabilities=sure)]  # fmt: skip
    (final,) = final_answers(run)
    assert (final.predicted, final.level, final.broken_by) == ("b", ("a", "b"), "logprob")


def test_a_tied_vote_without_log_probabilities_is_drawn_by_the_question_not_given_to_a() -> None:
    winners = Counter()
    for i in range(300):
        run = [one(label, k, question=f"q{i}") for k, label in enumerate("aabb")]
        (final,) = final_answers(run)
        assert (final.level, final.broken_by) == (("a", "b"), "draw")
        assert final.predicted == drawn("ab", f"q{i}")
        winners[final.predicted] += 1
    assert 110 < winners["a"] < 190


def test_log_probabilities_of_some_voters_decide_nothing() -> None:
    run = [one("a", 0, probabilities=[0.9, 0.04, 0.03, 0.03]), one("b", 1)]
    (final,) = final_answers(run)
    assert (final.broken_by, final.predicted) == ("draw", drawn("ab"))


def test_accuracy_difference_and_p_use_the_broken_answers_and_the_shared_value_is_beside_them() -> (
    None
):
    runs = [[one(label, k, question=f"q{i}", gold="b") for k, label in enumerate("aabb")]
            for i in range(40)]  # fmt: skip
    run = [answer for group in runs for answer in group]
    right = sum(drawn("ab", f"q{i}") == "b" for i in range(40))
    summary = summarise(run)
    assert (summary.final.accuracy.correct, summary.final.accuracy.asked) == (right, 40)
    assert (summary.final.ties, summary.final.by_draw, summary.final.by_logprob) == (40, 40, 0)
    assert summary.final.expected == 0.5
    assert next(iter(summary.to_json())) == "final"
    base = [one("a", question=f"q{i}", gold="b") for i in range(40)]
    found = compare(base, run)
    assert found.difference == right / 40 == summary.final.accuracy.value
    assert found.p_value == pytest.approx(2 * 0.5**right)


def test_samples_without_an_answer_vote_for_nothing_and_a_question_without_any_is_wrong() -> None:
    finals = final_answers([one(None, 0), one(None, 1), one("c", 2), one(None, 0, question="z"),
                            one(None, 1, question="z")])  # fmt: skip
    by_id = {final.question_id: final for final in finals}
    assert by_id[Q].outcome == "correct"
    assert (by_id["z"].predicted, by_id["z"].outcome, by_id["z"].expected) == (
        None,
        "unparsed",
        0.0,
    )


def test_a_dead_head_is_no_vote_for_a() -> None:
    flat = [0.25] * 4
    run = [one("a", question=f"q{i}", gold="abcd"[i % 4], probabilities=flat) for i in range(200)]
    broken = [with_tie_drawn(answer) for answer in run]
    counts = Counter(answer.predicted for answer in broken)
    assert all(25 < counts[label] < 75 for label in LABELS)
    summary = summarise_final(broken)
    assert (summary.ties, summary.expected) == (200, 0.25)
    assert likeliest_label([-1.0] * 4, Q) == drawn("abcd")
    assert likeliest_label([-1.0, -2.0, -2.0, -2.0], Q) == "a"


def test_soft_vote_and_mean_over_orders_by_hand() -> None:
    run = [one("a", 0, probabilities=[0.5, 0.3, 0.1, 0.1]), one("a", 1, probabilities=[0.4, 0.3, 0.2, 0.1]),
           one("b", 2, probabilities=[0.05, 0.85, 0.05, 0.05])]  # fmt: skip
    assert final_answers(run, "vote")[0].predicted == "a"
    assert final_answers(run, "soft")[0].predicted == "b"  # .95 against 1.45
    orders = [one("a", order=0, probabilities=[0.6, 0.2, 0.1, 0.1]),
              one("b", order=1, probabilities=[0.1, 0.7, 0.1, 0.1])]  # fmt: skip
    assert final_answers(orders)[0].predicted == "b"  # .7 against .9


def test_order_by_sample_weighs_orders_alike_however_many_samples_each_has() -> None:
    run = [one("a", k, 0) for k in range(3)] + [one("b", 0, 1), one("b", 0, 2)]
    assert final_answers(run, "vote")[0].predicted == "a"  # 3 against 2
    assert final_answers(run, "orders-samples")[0].predicted == "b"  # one order against two
    assert final_answers(run, "orders")[0].predicted == "b"
    assert final_answers(run, "plain")[0].predicted == "a"


def test_the_soft_vote_of_a_run_without_probabilities_is_refused() -> None:
    with pytest.raises(DataError, match="stores none") as error:
        final_answers([one("a", 0), one("b", 1)], "soft")
    assert "--by vote" in error.value.hint


def test_orders_that_disagree_on_gold_are_an_error() -> None:
    with pytest.raises(DataError, match="originally b and c"):
        final_answers([one("a"), one("a", order=1, gold="b")])


def test_the_curve_ends_at_the_expected_value_of_the_vote() -> None:
    generator = random.Random(3)  # noqa: S311 - a simulation
    run = [one(generator.choice("abc"), k, question=f"q{i}") for i in range(20) for k in range(6)]
    curve = votes_curve(run)
    assert [point.k for point in curve] == [1, 2, 4, 6]
    summary = summarise_final(run)
    assert curve[-1].accuracy == pytest.approx(summary.expected)
    assert curve[0].accuracy == pytest.approx(sum(a.is_correct for a in run) / len(run))


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 3),
                          st.sampled_from((*LABELS, None))), min_size=1, max_size=30,
                unique_by=lambda row: row[:3]), st.randoms())  # fmt: skip
def test_the_sequence_of_the_answers_does_not_matter(
    rows: list[Any], generator: random.Random
) -> None:
    run = [one(label, repeat, order, question=f"q{i}") for i, repeat, order, label in rows]
    assert final_answers(generator.sample(run, len(run))) == final_answers(run)
