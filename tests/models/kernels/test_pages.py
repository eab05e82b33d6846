"""Keys and values in pages: stored as they are, or as whole numbers with a scale."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from lawqa.models.kernels.pages import Pages, eight_bit  # noqa: E402 - needs torch

pytestmark = pytest.mark.torch


def numbers(*size: int) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(0))


def test_a_head_moves_by_at_most_half_a_step_of_its_largest_number() -> None:
    x = numbers(50, 3, 64) * torch.tensor([1e-6, 1.0, 1e4])[:, None]
    whole, scale = eight_bit(x)
    assert whole.dtype == torch.int8
    assert whole.abs().amax(-1).eq(127).all()
    largest = x.abs().amax(-1)
    assert ((whole * scale[..., None] - x).abs().amax(-1) <= largest / 254 * 1.001).all()


def test_zeros_stay_zeros() -> None:
    whole, scale = eight_bit(torch.zeros(2, 4))
    assert not whole.any()
    assert not scale.any()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_a_number_is_not_one_when_it_is_read(bad: float) -> None:
    pages = Pages(*(torch.zeros(4, 1, 8, dtype=torch.int8) for _ in range(2)),
                  *(torch.zeros(4, 1) for _ in range(2)))  # fmt: skip
    keys = numbers(1, 1, 8)
    keys[0, 0, 3] = bad
    pages.store(torch.tensor([2]), keys, numbers(1, 1, 8))
    read, values = pages.read(torch.tensor([1, 2]), torch.float32)
    assert not read[1].isfinite().any()
    assert read[0].isfinite().all()
    assert values.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_numbers_come_back_from_their_slots(dtype: torch.dtype) -> None:
    stored = [torch.zeros(6, 2, 8, dtype=dtype) for _ in range(2)]
    whole = [torch.zeros(6, 2, 8, dtype=torch.int8) for _ in range(2)]
    keys, values = numbers(3, 2, 8).to(dtype), -numbers(3, 2, 8).to(dtype)
    slots = torch.tensor([5, 0, 2])
    for pages in (Pages(*stored), Pages(*whole, torch.zeros(6, 2), torch.zeros(6, 2))):
        pages.store(slots, keys, values)
        found = pages.read(slots[None], dtype)
        for read, given in zip(found, (keys, values), strict=True):
            assert read.dtype == dtype
            exact = pages.key_scales is None
            assert torch.allclose(read[0].float(), given.float(), atol=0 if exact else 0.03, rtol=0)
