"""Everything that must travel with an accuracy does."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.choices import LABELS, cyclic_orders, permute_label
from lawqa.errors import DataError
from lawqa.scoring import OUTCOMES, ScoredAnswer, outcome_of, summarise, wilson

pytestmark = pytest.mark.every_python


def a_run() -> list[ScoredAnswer]:
    return [
        ScoredAnswer(
            "q1", "a", "a", "correct", law="金商法", has_context=True, gold_retrieved=True
        ),
        ScoredAnswer("q2", "b", "a", "wrong", law="薬機法", has_context=True, gold_retrieved=False),
        ScoredAnswer(
            "q3", "b", None, "unparsed", law="金商法", has_context=True, gold_retrieved=True
        ),
        ScoredAnswer("q4", "c", None, "truncated", law="金商法"),
        ScoredAnswer("q5", "b", None, "failed", order=(1, 2, 3, 0)),
    ]


def test_a_summary_counts_what_happened() -> None:
    summary = summarise(a_run())
    assert (summary.n, summary.questions) == (5, 5)
    assert (summary.accuracy.correct, summary.accuracy.value) == (1, 0.2)
    assert summary.accuracy.interval == wilson(1, 5)
    assert summary.outcomes == dict.fromkeys(OUTCOMES, 1)
    assert summary.predicted == {"a": 2, "b": 0, "c": 0, "d": 0}
    assert summary.gold == {"a": 1, "b": 3, "c": 1, "d": 0}
    assert (summary.floors.constant_label, summary.floors.constant) == ("b", 0.6)
    assert summary.collapse is None


def test_a_summary_breaks_the_accuracy_down() -> None:
    summary = summarise(a_run())
    counts = {
        name: {group: (a.correct, a.asked) for group, a in getattr(summary, name).items()}
        for name in ("by_law", "by_context", "by_retrieval", "by_order")
    }
    assert counts == {
        "by_law": {"": (0, 1), "薬機法": (0, 1), "金商法": (1, 3)},
        "by_context": {"context": (1, 3), "no_context": (0, 2)},
        "by_retrieval": {"hit": (1, 2), "miss": (0, 1)},
        "by_order": {"abcd": (1, 4), "bcda": (0, 1)},
    }


def test_a_run_without_retrieval_has_no_retrieval_table() -> None:
    assert summarise([ScoredAnswer("q", "a", "a", "correct")]).by_retrieval == {}


def test_an_empty_run_is_an_error() -> None:
    with pytest.raises(DataError, match="no answers"):
        summarise([])


def test_a_prompt_asked_twice_is_an_error() -> None:
    with pytest.raises(DataError, match="twice"):
        summarise([ScoredAnswer("q", "a", "a", "correct")] * 2)


def test_a_pile_is_part_of_the_summary_and_of_its_json() -> None:
    golds = "abcd" * 10
    answers = [
        ScoredAnswer(f"q{i}", g, "a", outcome_of(g, "a", "answered"))  # type: ignore[arg-type]
        for i, g in enumerate(golds)
    ]
    record = summarise(answers).to_json()
    assert record["collapse"]["sentence"] == "100% of answers are a; gold has 25%"


def test_json_is_plain_and_its_keys_keep_their_sequence() -> None:
    record = summarise(
        a_run(), choice_lengths={f"q{i}": [4, 3, 2, 1] for i in range(1, 6)}
    ).to_json()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert list(record) == [
        "final", "n", "questions", "accuracy", "outcomes", "predicted", "gold", "floors", "by_law",
        "by_context", "by_retrieval", "by_order", "soft", "collapse",
    ]  # fmt: skip
    assert list(record["outcomes"]) == list(OUTCOMES)
    assert list(record["gold"]) == list(LABELS)
    assert record["accuracy"]["interval"].keys() == {"low", "high"}
    assert record["floors"]["longest_choice"] == 0.2  # q1 is right, and q5 shows b first


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.sampled_from(cyclic_orders()),
            st.sampled_from(LABELS),
            st.sampled_from((*LABELS, None)),
            st.sampled_from(["金商法", "薬機法", ""]),
            st.sampled_from([True, False, None]),
        ),
        min_size=1,
        max_size=40,
        unique_by=lambda row: row[:2],
    ),
    st.randoms(),
)
def test_the_sequence_does_not_matter_and_the_parts_sum_to_the_whole(
    rows: list[Any], generator: random.Random
) -> None:
    golds = {i: g for i, _, g, _, _, _ in rows}  # the right choice is one, whatever the order
    answers = [
        ScoredAnswer(
            f"q{i}", g, p, outcome_of(g, p, "answered" if p else "unanswered"),
            law=law, order=order, gold_retrieved=hit,
        )
        for i, order, _, p, law, hit in rows
        for g in [permute_label(golds[i], order)]
    ]  # fmt: skip
    summary = summarise(answers)
    shuffled = summarise(generator.sample(answers, len(answers)))
    assert json.dumps(shuffled.to_json()) == json.dumps(summary.to_json())
    assert sum(summary.outcomes.values()) == sum(summary.gold.values()) == summary.n
    answered = summary.outcomes["correct"] + summary.outcomes["wrong"]
    assert sum(summary.predicted.values()) == answered
    for parts in (summary.by_law, summary.by_context, summary.by_order):
        assert sum(part.asked for part in parts.values()) == summary.n
        assert sum(part.correct for part in parts.values()) == summary.accuracy.correct
    assert summary.accuracy.interval.low <= summary.accuracy.value <= summary.accuracy.interval.high
