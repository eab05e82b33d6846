"""The alarm rings for a pile and for nothing else."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.choices import LABELS, cyclic_orders, permute_label
from lawqa.scoring import ScoredAnswer, collapse_alarm, outcome_of

LAWQA_GOLD = ["a"] * 23 + ["b"] * 37 + ["c"] * 48 + ["d"] * 32  # lawqa_jp's 140 questions


def answers_of(gold: list[Any], predicted: list[Any]) -> list[ScoredAnswer]:
    return [
        ScoredAnswer(f"q{i:04}", g, p, outcome_of(g, p, "answered" if p else "unanswered"))
        for i, (g, p) in enumerate(zip(gold, predicted, strict=True))
    ]


def test_the_pile_of_the_issue_is_named_in_its_words() -> None:
    # 106 of 140 answers are a (76 %), 23 of 140 gold labels are (16 %).
    predicted = ["a"] * 106 + ["d"] * 34
    alarm = collapse_alarm(answers_of(LAWQA_GOLD, predicted))
    assert alarm is not None
    assert alarm.sentence == "76 % of answers are a; gold has 16 %"
    assert (alarm.label, alarm.answered) == ("a", 140)
    assert alarm.p_value < 1e-10


def test_the_p_value_is_pearsons_with_half_a_count_added_to_gold() -> None:
    from scipy.stats import chisquare

    predicted = ["c"] * 90 + ["a"] * 50
    alarm = collapse_alarm(answers_of(LAWQA_GOLD, predicted))
    assert alarm is not None
    assert alarm.label == "c"
    shares = [(count + 0.5) / 142 for count in (23, 37, 48, 32)]
    expected = chisquare([50, 0, 90, 0], [140 * share for share in shares]).pvalue
    assert alarm.p_value == pytest.approx(expected)


def test_a_pile_on_a_small_test_part_is_seen() -> None:
    # 27 questions: 19 answers a where gold has 11.
    gold = ["a"] * 11 + ["b"] * 6 + ["c"] * 6 + ["d"] * 4
    predicted = ["a"] * 19 + ["b"] * 5 + ["c"] * 2 + ["d"]
    alarm = collapse_alarm(answers_of(gold, predicted))
    assert alarm is not None
    assert alarm.sentence == "70 % of answers are a; gold has 41 %"


def test_a_thousand_questions_do_not_alarm_for_a_harmless_deviation() -> None:
    # 320 answers a where gold has 250: far more than luck (p < 1e-7), 7 points of excess.
    gold = list("abcd") * 250
    predicted = list(gold)
    for i in [i for i, g in enumerate(gold) if g == "b"][:70]:
        predicted[i] = "a"
    answers = answers_of(gold, predicted)
    assert collapse_alarm(answers) is None
    alarm = collapse_alarm(answers, min_excess=0.05)
    assert alarm is not None
    assert alarm.p_value < 1e-7


def test_guessing_evenly_is_no_pile_though_gold_is_uneven() -> None:
    assert collapse_alarm(answers_of(LAWQA_GOLD, list("abcd") * 35)) is None


def test_right_answers_are_no_pile_however_uneven_gold_is() -> None:
    gold = ["c"] * 95 + ["a"] * 5
    assert collapse_alarm(answers_of(gold, gold)) is None
    assert collapse_alarm(answers_of(["c"] * 100, ["c"] * 100)) is None


def test_too_few_questions_give_no_alarm() -> None:
    assert collapse_alarm(answers_of(list("abcd") * 4, ["b"] * 16)) is None
    assert collapse_alarm(answers_of(list("abcd") * 5, ["b"] * 20)) is not None


def test_a_label_that_gold_lacks_can_be_the_pile() -> None:
    alarm = collapse_alarm(answers_of(list("abc") * 10, ["d"] * 15 + list("abc") * 5))
    assert alarm is not None
    assert (alarm.label, alarm.gold_share) == ("d", 0.0)


def test_answers_without_a_label_leave_both_histograms() -> None:
    predicted: list[Any] = ["a"] * 100 + [None] * 40
    alarm = collapse_alarm(answers_of(LAWQA_GOLD, predicted))
    assert alarm is not None
    assert (alarm.answered, alarm.predicted_share, alarm.gold_share) == (100, 1.0, 0.23)
    assert collapse_alarm(answers_of(LAWQA_GOLD, [None] * 140)) is None
    assert collapse_alarm([]) is None


def test_orders_of_a_question_are_no_evidence_of_their_own() -> None:
    def answers(*labels_by_question: str) -> list[ScoredAnswer]:
        return [
            ScoredAnswer(f"q{i}", gold, label, outcome_of(gold, label, "answered"), order=order)
            for i, labels in enumerate(labels_by_question)
            for order, label in zip(cyclic_orders(), labels, strict=True)
            for gold in [permute_label("c", order)]
        ]

    always_a = collapse_alarm(answers(*["aaaa"] * 20))
    assert always_a is not None
    assert (always_a.predicted_share, always_a.gold_share) == (1.0, 0.25)
    # 35 of 80 answers are a: p < 0.01 were they independent, but they are 20 questions.
    assert collapse_alarm(answers(*["aabc"] * 15, *["abcd"] * 5)) is None


def test_of_two_piles_the_larger_is_named() -> None:
    gold = ["c"] * 50 + ["d"] * 50
    alarm = collapse_alarm(answers_of(gold, ["b"] * 60 + ["a"] * 40))
    assert alarm is not None
    assert alarm.label == "b"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(LABELS), st.sampled_from((*LABELS, None))),
        min_size=1,
        max_size=60,
    ),
    st.randoms(),
)
def test_an_alarm_bounds_the_errors_and_ignores_the_sequence(
    pairs: list[tuple[Any, Any]], generator: random.Random
) -> None:
    answers = answers_of([g for g, _ in pairs], [p for _, p in pairs])
    alarm = collapse_alarm(answers)
    assert collapse_alarm(generator.sample(answers, len(answers))) == alarm
    if alarm is not None:
        excess = alarm.predicted_share - alarm.gold_share
        wrong = sum(a.outcome == "wrong" for a in answers)
        assert excess >= 0.15 - 1e-12
        assert wrong / alarm.answered >= excess - 1e-12
        assert alarm.p_value <= 0.05


def test_a_run_that_draws_from_the_gold_shares_seldom_alarms() -> None:
    generator = random.Random(11)  # noqa: S311 - a simulation
    gold = generator.sample(LAWQA_GOLD, 40)
    alarms = sum(
        collapse_alarm(answers_of(gold, generator.choices(gold, k=40))) is not None
        for _ in range(500)
    )
    assert alarms / 500 < 0.05
