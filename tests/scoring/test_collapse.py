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
    # 106 of 140 answers are a (76%), 23 of 140 gold labels are (16%).
    predicted = ["a"] * 106 + ["d"] * 34
    alarm = collapse_alarm(answers_of(LAWQA_GOLD, predicted))
    assert alarm is not None
    assert alarm.sentence == "76% of answers are a; gold has 16%"
    assert (alarm.label, alarm.answered) == ("a", 140)
    assert alarm.p_value < 1e-10


@pytest.mark.slow
def test_the_p_value_is_a_binomial_of_the_wrong_answers_times_four() -> None:
    from scipy.stats import binomtest

    predicted: list[Any] = ["c"] * 90 + ["a"] * 50
    alarm = collapse_alarm(answers_of(LAWQA_GOLD, predicted))
    assert alarm is not None
    assert alarm.label == "c"
    wrong = [(g, p) for g, p in zip(LAWQA_GOLD, predicted, strict=True) if g != p]
    could = [p for g, p in wrong if g != "c"]
    expected = binomtest(could.count("c"), len(could), 1 / 3, alternative="greater").pvalue
    assert alarm.p_value == pytest.approx(4 * expected)


@pytest.mark.slow
def test_the_p_value_of_a_hundred_thousand_answers_is_the_binomial_too() -> None:
    from scipy.stats import binomtest

    rng = random.Random(5)  # noqa: S311 - a simulation
    gold: list[Any] = [rng.choice(LABELS) for _ in range(100_000)]
    predicted = [rng.choice([x for x in LABELS if x != g]) for g in gold]
    alarm = collapse_alarm(answers_of(gold, predicted), min_excess=-1.0, alpha=1.0)
    assert alarm is not None
    could = sum(g != alarm.label for g in gold)
    hits = sum(p == alarm.label for p in predicted)
    expected = min(1.0, 4 * binomtest(hits, could, 1 / 3, alternative="greater").pvalue)
    assert alarm.p_value == pytest.approx(expected, rel=1e-6)


def test_questions_asked_several_times_count_alike_in_small_and_large_runs() -> None:
    def alarm(questions: int) -> Any:
        rng = random.Random(questions)  # noqa: S311 - a simulation
        answers = [
            ScoredAnswer(f"q{n:05}", "d", label, "wrong", repeat=repeat)
            for n in range(questions)
            for repeat in range(2)
            for label in [rng.choice("aab") if n % 40 else rng.choice("abc")]
        ]
        return collapse_alarm(answers, min_excess=-1.0, alpha=1.0)

    small, large = alarm(40), alarm(4000)
    assert small.label == large.label == "a"
    assert large.p_value < small.p_value < 1


def test_a_pile_on_a_small_test_part_is_seen() -> None:
    # 27 questions: 19 answers a where gold has 7; of 16 wrong ones, 12 are a.
    gold = ["a"] * 7 + ["b"] * 8 + ["c"] * 8 + ["d"] * 4
    predicted = ["a"] * 19 + ["b"] * 4 + ["c"] * 3 + ["d"]
    alarm = collapse_alarm(answers_of(gold, predicted))
    assert alarm is not None
    assert alarm.sentence == "70% of answers are a; gold has 26%"


def test_a_small_test_part_of_uneven_gold_is_no_pile() -> None:
    # 19 of 27 answers are a where gold has 11, but only 8 of the 15 wrong ones: luck does that.
    gold = ["a"] * 11 + ["b"] * 6 + ["c"] * 6 + ["d"] * 4
    predicted = ["a"] * 19 + ["b"] * 5 + ["c"] * 2 + ["d"]
    assert collapse_alarm(answers_of(gold, predicted)) is None


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
    # A model that likes choices, not labels, gives each label in turn.
    assert collapse_alarm(answers(*["adcb"] * 20)) is None


def test_samples_of_a_question_are_no_evidence_of_their_own() -> None:
    def samples(labels: str, number: int) -> list[ScoredAnswer]:
        return [
            ScoredAnswer(
                f"q{i:02}", gold, label, outcome_of(gold, label, "answered"), repeat=repeat
            )
            for i, (gold, label) in enumerate(zip("abcd" * 5, labels, strict=True))
            for repeat in range(number)
        ]

    # 8 of 15 wrong answers are a, by luck; eight samples that say the same are not 64 of 120.
    labels = "aaaaaaaaaacadbabcbdb"
    one, eight = (collapse_alarm(samples(labels, n), alpha=1.0) for n in (1, 8))
    assert one is not None
    assert eight is not None
    assert eight.p_value == pytest.approx(one.p_value)


def test_of_two_piles_the_larger_is_named() -> None:
    gold = ["c"] * 50 + ["d"] * 50
    alarm = collapse_alarm(answers_of(gold, ["b"] * 60 + ["a"] * 40))
    assert alarm is not None
    assert alarm.label == "b"


@pytest.mark.slow
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


def alarm_rate(n: int, accuracy: float, pile: float, runs: int, seed: int) -> float:
    """How often a model alarms that knows `accuracy`, guesses evenly among wrong labels, and gives one label
    without looking for a share of the questions."""
    generator = random.Random(seed)  # noqa: S311 - a simulation
    alarms = 0
    for _ in range(runs):
        gold = generator.sample(LAWQA_GOLD, n)
        liked = generator.choice(LABELS)
        predicted = [
            liked if generator.random() < pile
            else g if generator.random() < accuracy
            else generator.choice([label for label in LABELS if label != g])
            for g in gold
        ]  # fmt: skip
        alarms += collapse_alarm(answers_of(gold, predicted)) is not None
    return alarms / runs


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 42, 140])
@pytest.mark.parametrize("accuracy", [0.25, 0.5, 0.8])
def test_an_unbiased_model_alarms_in_at_most_five_of_a_hundred_runs(
    n: int, accuracy: float
) -> None:
    # Tested against the shares of gold, the guesser alarmed in .05 to .79 of runs.
    rate = alarm_rate(n, accuracy, pile=0.0, runs=600, seed=n)
    assert rate <= 0.05
    if n == 140:
        assert rate <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("n", "power"), [(20, 0.59), (42, 0.93), (140, 1.0)])
def test_a_pile_of_sixty_per_cent_is_seen(n: int, power: float) -> None:
    for accuracy in (0.25, 0.5, 0.8):
        assert alarm_rate(n, accuracy, pile=0.6, runs=200, seed=n + 1) >= power
