"""Whether two ways of computing the same next-token probabilities agree, and how far they may differ."""

from __future__ import annotations

import pytest
import torch

from lawqa.models.agreement import HALF, Tolerance, compare_logits

pytestmark = pytest.mark.torch


def test_differences_are_counted_over_the_likeliest_tokens_in_nats() -> None:
    reference = torch.zeros(2, 40)
    reference[:, :20] = 8.0
    other = reference.clone()
    other[:, 30] -= 5.0  # far in the tail: no likely token moves by more than a hair
    assert compare_logits(reference, other).largest < 1e-3
    other[1, :20] = torch.linspace(8.5, 7.5, 20)
    found = compare_logits(reference, other)
    assert 0.3 < found.largest < 0.7
    assert found.margin == 0  # all were equally likely before
    other[0, 0] = float("nan")
    assert not compare_logits(reference, other).within(HALF)


def test_another_likeliest_token_counts_when_the_two_were_not_near() -> None:
    reference = torch.tensor([[2.0, 1.0, 0.0]])
    swapped = torch.tensor([[1.4, 1.6, 0.0]])
    found = compare_logits(reference, swapped)
    assert (found.same, found.rows) == (0, 1)
    assert found.margin == pytest.approx(1.0)
    assert not found.within(Tolerance(largest=0.4, mean=1.0))
