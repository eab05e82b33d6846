"""`lawqa.models.lean.without_storage`: shapes as torch gives them."""

from __future__ import annotations

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
