"""A linear layer taken apart: its frozen weights and its low-rank update."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from lawqa.models.projections import Lora, Projection, frozen, read_projection  # noqa: E402

pytestmark = pytest.mark.torch


def layer() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(6, 4, bias=False)


def test_the_update_is_added_to_the_frozen_product() -> None:
    base, x = layer(), torch.randn(3, 6)
    lora = Lora(torch.randn(2, 6), torch.randn(4, 2), scaling=0.5)
    projection = Projection(base, lora.folded(torch.float32))
    expected = x @ base.weight.t() + 0.5 * (x @ lora.a.t()) @ lora.b.t()
    torch.testing.assert_close(projection(x), expected)
    assert projection.out_features == 4


def test_the_scaling_is_folded_in_once() -> None:
    folded = Lora(torch.ones(1, 2), torch.ones(3, 1), scaling=0.25).folded(torch.float32)
    assert folded.scaling == 1.0
    assert folded.b.tolist() == [[0.25]] * 3


def test_a_plain_layer_has_no_update_and_is_its_own_base() -> None:
    base = layer()
    assert frozen(base) is base
    projection = read_projection(base, torch.float32, adapter=True)
    assert projection.lora is None
    torch.testing.assert_close(projection(torch.eye(6)), base.weight.t())
