"""Keys and values of one layer in pages, in the dtype of products or in 8 bits."""

from __future__ import annotations

from typing import NamedTuple

import torch

STEPS = 127
"""The largest whole number of 8 bits with a sign, apart from the one that has no opposite."""


class Pages(NamedTuple):
    """Keys and values of a layer, by the slots of its pages.

    Rounding to whole numbers by token and head (as in KVQuant, arXiv:2401.18079, and KIVI, arXiv:2402.02750,
    call "per token") moves a number by at most 1/254 of the largest of its head. Those who look at 2 bits
    treat keys by channel; at 8 bits a scale a token is enough, and what is stored never changes again.
    """

    keys: torch.Tensor
    """Shape [slots, kv_heads, dim]; int8 where there are scales."""
    values: torch.Tensor
    """The same shape."""
    key_scales: torch.Tensor | None = None
    """What a whole number counts for, float32, shape [slots, kv_heads]; None where numbers are stored as they
    are."""
    value_scales: torch.Tensor | None = None
    """The same for values."""

    def store(self, slots: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Put keys and values, each of shape [tokens, kv_heads, dim], into slots, int64, shape [tokens]."""
        for stored, scales, new in (
            (self.keys, self.key_scales, keys),
            (self.values, self.value_scales, values),
        ):
            if scales is None:
                stored.index_copy_(0, slots, new)
                continue
            whole, scale = eight_bit(new)
            stored.index_copy_(0, slots, whole)
            scales.index_copy_(0, slots, scale)

    def read(self, slots: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values of slots of any shape, each of shape [*slots, kv_heads, dim], in a dtype."""
        return (
            _read(self.keys, self.key_scales, slots, dtype),
            _read(self.values, self.value_scales, slots, dtype),
        )


def eight_bit(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Round to whole numbers between -127 and 127.

    A row that holds NaN or infinity gets a scale that does, so that what is read is not a number either.

    Args:
        x: shape [..., dim].

    Returns:
        int8, the same shape, and the scales, float32, shape [...].
    """
    numbers = x.float()
    scale = numbers.abs().amax(dim=-1) / STEPS
    whole = (numbers / scale.clamp(min=torch.finfo(torch.float32).tiny)[..., None] + 0.5).floor()
    return whole.nan_to_num(nan=0.0).clamp(-STEPS, STEPS).to(torch.int8), scale


def _read(
    stored: torch.Tensor, scales: torch.Tensor | None, slots: torch.Tensor, dtype: torch.dtype
) -> torch.Tensor:
    numbers = stored[slots]
    return numbers if scales is None else (numbers.float() * scales[slots][..., None]).to(dtype)
