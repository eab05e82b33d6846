"""4-bit weights back to the dtype of products, into rows that have room for LoRA's B behind them.

bitsandbytes' own kernel writes rows without a gap, after two more kernels for the maxima of double
quantisation (arXiv:2305.14314); this one does all of it in one launch. The numbers are those of
`dequantize_4bit` bit for bit: each product and sum is rounded to float32, so nothing may be contracted.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCKS = 64
"""Most blocks of weights that one program takes: 4,096 weights where 64 share a maximum."""


def unpack_rows(weight: Tensor, out: Tensor, b: Tensor | None, at: int) -> None:
    """Write a 4-bit weight and the B beside it.

    Args:
        weight: bitsandbytes' parameter, with its `quant_state`; [out, in], packed.
        out: where to, [out, in + extra]; rows may lie apart, numbers of a row may not.
        b: B of the layer's adapter, [out, rank], contiguous; None without one.
        at: the column of B behind the weight; what else is there becomes 0.
    """
    state = weight.quant_state
    rows, columns = state.shape
    extra = out.shape[1] - columns
    blocks = columns // state.blocksize
    many = min(_BLOCKS, triton.next_power_of_2(blocks))
    nested = state.state2 if state.nested else None
    maxima: Tensor = state.absmax
    unpack_kernel[(rows, triton.cdiv(blocks, many))](
        weight, out, state.code, maxima,
        maxima if nested is None else nested.absmax,
        maxima if nested is None else nested.code,
        maxima if nested is None else state.offset,
        out if b is None else b,
        out.stride(0), blocks, extra, 0 if b is None else b.shape[1], at,
        HALF=state.blocksize // 2, BLOCKS=many, GROUP=0 if nested is None else nested.blocksize,
        EXTRA=triton.next_power_of_2(extra) if extra else 0, UPDATE=b is not None,
        num_warps=4, enable_fp_fusion=False,
    )  # fmt: skip


def unpack_obstacle(weight: Tensor, out: Tensor) -> str | None:
    """Say why `unpack_rows` does not know this weight, or None."""
    state = getattr(weight, "quant_state", None)
    if state is None:
        return "it is not in 4 bits"
    if state.dtype != out.dtype:
        return f"it is to become {state.dtype}, not {out.dtype}"
    if weight.dtype != torch.uint8 or getattr(state, "packing_format_for_cpu", False):
        return "it is packed otherwise"
    if state.shape[1] % state.blocksize:
        return "blocks reach over the ends of rows"
    return None


@triton.jit
def unpack_kernel(
    packed, out, code, maxima, outer, outer_code, offset, b,
    stride, blocks, extra, rank, at,
    HALF: tl.constexpr, BLOCKS: tl.constexpr, GROUP: tl.constexpr, EXTRA: tl.constexpr,
    UPDATE: tl.constexpr,
):  # fmt: skip
    """Unpack some blocks of one row; the first program of a row also writes what is behind the weight."""
    row = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1) * BLOCKS + tl.arange(0, BLOCKS)
    there = block < blocks
    number = row * blocks + block
    scale = tl.load(maxima + number, mask=there, other=0)
    if GROUP > 0:
        # 8-bit maxima: codebook times the maximum of a group of them, and the mean that was taken off.
        scale = tl.load(outer_code + scale.to(tl.int32)) * tl.load(
            outer + number // GROUP, mask=there, other=0.0
        )
        scale += tl.load(offset)
    pair = tl.arange(0, HALF)
    pairs = tl.load(
        packed + number[:, None] * HALF + pair[None, :], mask=there[:, None], other=0
    ).to(tl.int32)
    even = tl.load(code + (pairs >> 4)) * scale[:, None]
    odd = tl.load(code + (pairs & 15)) * scale[:, None]
    dtype = out.dtype.element_ty
    values = tl.interleave(even.to(dtype), odd.to(dtype))
    column = block[:, None] * (2 * HALF) + tl.arange(0, 2 * HALF)[None, :]
    tl.store(out + row * stride + column, values, mask=there[:, None])
    if EXTRA > 0:  # noqa: SIM102 - one is decided when the kernel is compiled, the other when it runs
        if tl.program_id(1) == 0:
            behind = tl.arange(0, EXTRA)
            update = tl.zeros([EXTRA], dtype=dtype)
            if UPDATE:
                own = (behind >= at) & (behind < at + rank)
                update = tl.load(b + row * rank + behind - at, mask=own, other=0.0)
            place = out + row * stride + blocks * (2 * HALF) + behind
            tl.store(place, update, mask=behind < extra)
