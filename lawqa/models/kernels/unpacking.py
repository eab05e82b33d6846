"""Frozen weights in the dtype of products, with LoRA's B beside them in the same rows.

A row [W | B] times [x | x Aᵀ] is W x + B A x in one sum, rounded once; see `training.fast.linears`.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from lawqa.models.kernels.fallback import Fallback
from lawqa.models.kernels.triton_probe import triton_obstacle


class Unpacking:
    """Writes a layer's weight, 4-bit or whole, and its B into rows of a larger matrix.

    Args:
        device: where the weights are.
    """

    def __init__(self, device: torch.device) -> None:
        self._kernel = Fallback("the fused kernel that unpacks 4-bit weights")
        self._kernel.failed = triton_obstacle(device) is not None

    def write(self, weight: Tensor, out: Tensor, b: Tensor | None, at: int) -> None:
        """Write one layer.

        Args:
            weight: [out, in]; with bitsandbytes' `quant_state` where it is in 4 bits.
            out: where to, [out, in + extra]; rows may lie apart.
            b: of its adapter, [out, rank]; None without one.
            at: the column of B behind the weight; what else is there becomes 0.
        """
        if self._kernel.failed or not out.is_cuda:
            write_plainly(weight, out, b, at)
            return
        from lawqa.models.kernels.triton_unpack import unpack_obstacle, unpack_rows

        if unpack_obstacle(weight, out) is not None:
            write_plainly(weight, out, b, at)
            return
        self._kernel.call(
            lambda: unpack_rows(weight, out, b, at), lambda: write_plainly(weight, out, b, at)
        )


@functools.cache
def unpacking(device: torch.device) -> Unpacking:
    """Return what unpacks weights on a device: one for all, so that a kernel that fails is tried once."""
    return Unpacking(device)


def write_plainly(weight: Tensor, out: Tensor, b: Tensor | None, at: int) -> None:
    """Do the same as `Unpacking.write`, by bitsandbytes and torch."""
    state = getattr(weight, "quant_state", None)
    columns = int((weight if state is None else state).shape[1])
    if state is None:
        out[:, :columns] = weight
    else:
        from bitsandbytes.functional import dequantize_4bit

        # bitsandbytes writes into a given tensor on a GPU only, and only without gaps.
        if (
            state.dtype == out.dtype
            and out.is_cuda
            and out.is_contiguous()
            and out.shape[1] == columns
        ):
            dequantize_4bit(weight.data, state, out=out)
        else:
            out[:, :columns] = dequantize_4bit(weight.data, state)
    out[:, columns:] = 0
    if b is not None:
        out[:, columns + at : columns + at + b.shape[1]] = b
