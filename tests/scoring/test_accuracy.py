"""Wilson's interval and accuracy by cluster, against SciPy, statsmodels and published values."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.choices import ORIGINAL_ORDER, cyclic_orders
from lawqa.errors import DataError
from lawqa.scoring import ScoredAnswer, accuracy_of, wilson


def answers_of(rows: list[list[bool]]) -> list[ScoredAnswer]:
    """One question for each row, one repeat for each column."""
    return [
        ScoredAnswer(f"q{i}", "a", "a" if right else "b", "correct" if right else "wrong", repeat=j)
        for i, row in enumerate(rows)
        for j, right in enumerate(row)
    ]


@pytest.mark.parametrize(
    ("correct", "asked", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilson_gives_the_published_intervals(
    correct: int, asked: int, low: float, high: float
) -> None:
    # Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3.
    interval = wilson(correct, asked)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(1, 600).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
       st.sampled_from([0.8, 0.9, 0.95, 0.99]))  # fmt: skip
def test_wilson_agrees_with_scipy_and_holds_the_estimate(
    counts: tuple[int, int], confidence: float
) -> None:
    from scipy.stats import binomtest

    correct, asked = counts
    interval = wilson(correct, asked, confidence)
    expected = binomtest(correct, asked).proportion_ci(confidence, method="wilson")
    assert interval.low == pytest.approx(expected.low, abs=1e-12)
    assert interval.high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= interval.low <= correct / asked <= interval.high <= 1
    mirrored = wilson(asked - correct, asked, confidence)
    assert mirrored.low == pytest.approx(1 - interval.high, abs=1e-12)


@pytest.mark.slow
def test_wilson_agrees_with_statsmodels() -> None:
    proportion = pytest.importorskip(
        "statsmodels.stats.proportion", reason="statsmodels is a test extra"
    )
    interval = wilson(73, 140)
    assert (interval.low, interval.high) == pytest.approx(
        proportion.proportion_confint(73, 140, method="wilson")
    )


def test_nothing_asked_has_no_accuracy() -> None:
    with pytest.raises(DataError, match="no prompt was asked"):
        wilson(0, 0)
    with pytest.raises(DataError, match="no prompt was asked"):
        accuracy_of([])


@pytest.mark.parametrize(
    ("correct", "asked", "confidence"),
    [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 0.0), (1, 2, 1.0), (1, 2, 95)],
)
def test_arguments_out_of_range_are_refused(correct: int, asked: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"correct of|confidence"):
        wilson(correct, asked, confidence)


def test_every_asked_prompt_counts_whatever_became_of_it() -> None:
    answers = [
        ScoredAnswer("q1", "a", "a", "correct"),
        ScoredAnswer("q2", "a", "b", "wrong"),
        ScoredAnswer("q3", "a", None, "unparsed"),
        ScoredAnswer("q4", "a", None, "truncated"),
        ScoredAnswer("q5", "a", None, "failed"),
    ]
    accuracy = accuracy_of(answers)
    assert (accuracy.correct, accuracy.asked, accuracy.value) == (1, 5, 0.2)
    assert accuracy.interval == wilson(1, 5)


def test_orders_of_one_question_do_not_narrow_the_interval() -> None:
    # Four identical answers to each of 140 questions say what one answer to each says; the small
    # sample factor of the cluster-robust variance makes the interval a little wider.
    rights = [i % 2 == 0 for i in range(140)]
    once = accuracy_of(answers_of([[right] for right in rights])).interval
    four = accuracy_of(answers_of([[right] * 4 for right in rights])).interval
    assert four.low == pytest.approx(once.low, abs=1e-3)
    assert four.high == pytest.approx(once.high, abs=1e-3)
    assert four.high - four.low > once.high - once.low


@pytest.mark.slow
def test_the_effective_number_agrees_with_cluster_robust_regression() -> None:
    # Independent computation: the accuracy as the intercept of a regression with nothing else, its
    # standard error clustered by question (statsmodels), against the one for independent answers.
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is a test extra")
    from scipy.stats import norm

    generator = random.Random(5)  # noqa: S311 - a simulation
    rows = []
    for _ in range(60):
        skill = generator.random()
        rows.append([generator.random() < skill for _ in range(generator.randint(1, 4))])
    right = [float(x) for row in rows for x in row]
    question = [i for i, row in enumerate(rows) for _ in row]
    ones = [1.0] * len(right)
    clustered = api.OLS(right, ones).fit(
        cov_type="cluster", cov_kwds={"groups": question, "use_correction": True}
    )
    plain = api.OLS(right, ones).fit()
    # statsmodels' correction is G / (G - 1) * (n - 1) / (n - k) with k = 1: the second factor is 1.
    effective = len(right) * (plain.bse[0] / clustered.bse[0]) ** 2
    share, z = sum(right) / len(right), norm.ppf(0.975)
    # Wilson's bounds are the roots of (share - p)^2 = z^2 p (1 - p) / n.
    interval = accuracy_of(answers_of(rows)).interval
    for bound in (interval.low, interval.high):
        assert (share - bound) ** 2 == pytest.approx(z**2 * bound * (1 - bound) / effective)


def test_answers_that_are_all_alike_count_as_many_as_there_are_questions() -> None:
    assert accuracy_of(answers_of([[True] * 4] * 10)).interval == wilson(10, 10)
    assert accuracy_of(answers_of([[False] * 4] * 10)).interval == wilson(0, 10)
    one_question = accuracy_of(answers_of([[True, False, True, False]]))
    assert one_question.interval.high - one_question.interval.low > 0.8


def test_a_label_bias_that_cancels_does_not_make_the_interval_narrower_than_independence() -> None:
    # Always a, in the four cyclic orders: every question has exactly one right answer.
    answers = [
        ScoredAnswer(f"q{i}", "abcd"[(i - order[0]) % 4], "a",  # type: ignore[arg-type]
                     "correct" if (i - order[0]) % 4 == 0 else "wrong", order=order)
        for i in range(8)
        for order in cyclic_orders()
    ]  # fmt: skip
    assert accuracy_of(answers).interval == wilson(8, 32)


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=1, max_size=4), min_size=1, max_size=12), st.randoms()
)
def test_the_sequence_of_the_answers_does_not_matter(
    rows: list[list[bool]], generator: random.Random
) -> None:
    answers = answers_of(rows)
    shuffled = generator.sample(answers, len(answers))
    accuracy = accuracy_of(answers)
    assert accuracy_of(shuffled) == accuracy
    assert accuracy.interval.low <= accuracy.value <= accuracy.interval.high
    assert answers[0].order == ORIGINAL_ORDER
