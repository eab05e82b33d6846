from __future__ import annotations

import math

import pytest

from lawqa.scoring import ScoredAnswer, calibration_of


def answer(number: int, confidence: float, *, right: bool) -> ScoredAnswer:
    """An answer a with this probability; the rest is shared evenly."""
    rest = (1 - confidence) / 3
    logprobs = (math.log(confidence), *[math.log(rest)] * 3)
    gold, outcome = ("a", "correct") if right else ("b", "wrong")
    return ScoredAnswer(
        question_id=str(number), gold=gold, predicted="a", outcome=outcome, label_logprobs=logprobs  # type: ignore[arg-type]
    )  # fmt: skip


def test_ece_and_brier_by_hand() -> None:
    # Bin (0.9, 1]: two of confidence 0.95, one right: |0.5 - 0.95|. Bin (0.4, 0.5]: one of 0.45, right.
    found = calibration_of(
        [answer(1, 0.95, right=True), answer(2, 0.95, right=False), answer(3, 0.45, right=True)]
    )
    assert found is not None
    assert [(b.low, b.high, b.accuracy.asked) for b in found.bins] == [(0.4, 0.5, 1), (0.9, 1.0, 2)]
    assert found.ece == pytest.approx((2 * 0.45 + 0.55) / 3)
    assert found.confidence == pytest.approx((0.95 + 0.95 + 0.45) / 3)
    rest, other = 0.05 / 3, 0.55 / 3
    right, wrong = 0.05**2 + 3 * rest**2, 0.95**2 + (1 - rest) ** 2 + 2 * rest**2
    assert found.brier == pytest.approx((right + wrong + 0.55**2 + 3 * other**2) / 3)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    found = calibration_of([answer(1, 0.5, right=True)], bins=2)
    assert found is not None
    assert [(b.low, b.high) for b in found.bins] == [(0.0, 0.5)]


def test_a_probability_that_half_precision_rounds_above_one_counts_as_one() -> None:
    rounded = ScoredAnswer("1", "a", "a", "correct", label_logprobs=(0.004, -50.0, -50.0, -50.0))
    found = calibration_of([rounded])
    assert found is not None
    assert (found.confidence, found.ece) == (1.0, 0.0)
    assert [(b.low, b.high) for b in found.bins] == [(0.9, 1.0)]


def test_answers_without_probabilities_are_left_out() -> None:
    plain = ScoredAnswer(question_id="x", gold="a", predicted="a", outcome="correct")
    assert calibration_of([plain]) is None
    assert calibration_of([]) is None
    found = calibration_of([plain, answer(1, 0.9, right=True)])
    assert found is not None
    assert found.prompts == 1


def test_bins_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="0 bins"):
        calibration_of([answer(1, 0.9, right=True)], bins=0)
