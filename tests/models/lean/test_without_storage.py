"""`lawqa.models.lean.without_storage`: shapes as torch gives them."""

from __future__ import annotations

import pytest
import torch

from lawqa.models.lean.without_storage import QuickWithoutStorage

META = torch.device("meta")


def test_what_has_no_storage_keeps_shape_and_dtype() -> None:
    with QuickWithoutStorage(), META:
        layer = torch.nn.Linear(3, 4, dtype=torch.bfloat16)
        torch.nn.init.normal_(layer.weight, std=0.02)
        frequencies = 1.0 / (10.0 ** (torch.arange(0, 8, 2, dtype=torch.float) / 8))
        mixed = torch.arange(3) * torch.empty(3)
    assert layer.weight.device == META
    assert layer.weight.shape == (4, 3)
    assert layer.weight.dtype == torch.bfloat16
    assert torch.equal(frequencies, 1.0 / (10.0 ** (torch.arange(0, 8, 2) / 8)))
    assert mixed.device == META
    assert mixed.shape == (3,)


def test_what_has_storage_is_filled() -> None:
    with QuickWithoutStorage():
        filled = torch.nn.init.ones_(torch.zeros(3))
        filled.fill_(2.0)
    assert filled.tolist() == [2.0, 2.0, 2.0]
    assert torch.arange(3).tolist() == [0, 1, 2]


class OnACard(torch.Tensor):
    """Says that it lies on a card."""

    device = property(lambda _: torch.device("cuda"))  # type: ignore[assignment]


def test_what_a_card_is_given_from_the_cpu_arrives() -> None:
    buffer = torch.zeros(3).as_subclass(OnACard)
    with QuickWithoutStorage():
        buffer.copy_(torch.arange(3.0))
    assert buffer.tolist() == [0.0, 1.0, 2.0]


def test_numbers_that_are_nowhere_are_not_lost_without_a_word() -> None:
    with QuickWithoutStorage(), pytest.raises(NotImplementedError):
        torch.zeros(3).copy_(torch.empty(3, device=META))
