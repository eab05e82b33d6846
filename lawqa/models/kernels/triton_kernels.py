"""The elementwise parts of a block as one Triton kernel each; `plain_kernels` says what they compute."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 2048


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """See `plain_kernels.rms_norm`."""
    tokens, size = x.shape
    out = torch.empty_like(x)
    inverse = torch.empty(tokens, dtype=torch.float32, device=x.device)
    _rms_norm[(tokens,)](
        x, weight, out, inverse, size, eps, BLOCK=triton.next_power_of_2(size), num_warps=8
    )
    return out, inverse


def rms_norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, inverse: Tensor, residual: Tensor
) -> Tensor:
    """See `plain_kernels.rms_norm_backward`."""
    tokens, size = x.shape
    out = torch.empty_like(x)
    _rms_norm_backward[(tokens,)](
        grad, x, weight, inverse, residual, out, size,
        BLOCK=triton.next_power_of_2(size), num_warps=8,
    )  # fmt: skip
    return out


def heads_norm_rope(x: Tensor, weight: Tensor, cos: Tensor, sin: Tensor, eps: float) -> Tensor:
    """See `plain_kernels.heads_norm_rope`."""
    tokens, heads, size = x.shape
    out = torch.empty((tokens, heads, size), dtype=x.dtype, device=x.device)
    _heads_norm_rope[(tokens,)](
        x, weight, cos, sin, out, heads, x.stride(0), size // 2, eps,
        HEADS=triton.next_power_of_2(heads), HALF=triton.next_power_of_2(size // 2), num_warps=4,
    )  # fmt: skip
    return out


def heads_norm_rope_backward(
    grad: Tensor, x: Tensor, weight: Tensor, cos: Tensor, sin: Tensor, eps: float, out: Tensor
) -> None:
    """See `plain_kernels.heads_norm_rope_backward`."""
    tokens, heads, size = x.shape
    _heads_norm_rope_backward[(tokens,)](
        grad, x, weight, cos, sin, out, heads, grad.stride(0), x.stride(0), out.stride(0),
        size // 2, eps,
        HEADS=triton.next_power_of_2(heads), HALF=triton.next_power_of_2(size // 2), num_warps=4,
    )  # fmt: skip


def swiglu(gate_up: Tensor) -> Tensor:
    """See `plain_kernels.swiglu`."""
    tokens, width = gate_up.shape
    size = width // 2
    out = torch.empty((tokens, size), dtype=gate_up.dtype, device=gate_up.device)
    _swiglu[(tokens, triton.cdiv(size, _BLOCK))](gate_up, out, size, BLOCK=_BLOCK, num_warps=4)
    return out


def swiglu_backward(gate_up: Tensor, grad: Tensor) -> None:
    """See `plain_kernels.swiglu_backward`."""
    tokens, size = grad.shape
    _swiglu_backward[(tokens, triton.cdiv(size, _BLOCK))](
        gate_up, grad, size, BLOCK=_BLOCK, num_warps=4
    )


def dropout(x: Tensor, probability: float, seed: int) -> Tensor:
    """See `plain_kernels.dropout`; the values dropped are others than there."""
    out, count = torch.empty_like(x), x.numel()
    _dropout[(triton.cdiv(count, _BLOCK),)](x, out, count, probability, seed, BLOCK=_BLOCK)
    return out


def add_dropped_(total: Tensor, grad: Tensor, probability: float, seed: int) -> None:
    """See `plain_kernels.add_dropped_`."""
    count = grad.numel()
    _add_dropped[(triton.cdiv(count, _BLOCK),)](total, grad, count, probability, seed, BLOCK=_BLOCK)


@triton.jit
def _rms_norm(x_ptr, w_ptr, out_ptr, inverse_ptr, size, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < size
    x = tl.load(x_ptr + row * size + columns, mask=inside, other=0.0)
    wide = x.to(tl.float32)
    inverse = tl.rsqrt(tl.sum(wide * wide, axis=0) / size + eps)
    weight = tl.load(w_ptr + columns, mask=inside, other=0.0)
    # Rounded before the weight is applied, as the model's own norm does.
    unit = (wide * inverse).to(x.dtype)
    tl.store(out_ptr + row * size + columns, weight * unit, mask=inside)
    tl.store(inverse_ptr + row, inverse)


@triton.jit
def _rms_norm_backward(
    grad_ptr, x_ptr, w_ptr, inverse_ptr, residual_ptr, out_ptr, size, BLOCK: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < size
    offsets = row * size + columns
    x = tl.load(x_ptr + offsets, mask=inside, other=0.0)
    inverse = tl.load(inverse_ptr + row)
    scaled = tl.load(grad_ptr + offsets, mask=inside, other=0.0).to(tl.float32)
    scaled *= tl.load(w_ptr + columns, mask=inside, other=0.0).to(tl.float32)
    unit = x.to(tl.float32) * inverse
    own = (scaled - unit * (tl.sum(scaled * unit, axis=0) / size)) * inverse
    own += tl.load(residual_ptr + offsets, mask=inside, other=0.0).to(tl.float32)
    tl.store(out_ptr + offsets, own.to(x.dtype), mask=inside)


@triton.jit
def _heads_norm_rope(
    x_ptr, w_ptr, cos_ptr, sin_ptr, out_ptr, heads, stride, half, eps,
    HEADS: tl.constexpr, HALF: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    head, column = tl.arange(0, HEADS)[:, None], tl.arange(0, HALF)[None, :]
    inside = (head < heads) & (column < half)
    place = head * 2 * half + column
    source, target = x_ptr + token * stride + place, out_ptr + token * heads * 2 * half + place
    first = tl.load(source, mask=inside, other=0.0)
    second = tl.load(source + half, mask=inside, other=0.0)
    wide1, wide2 = first.to(tl.float32), second.to(tl.float32)
    square = tl.sum(wide1 * wide1 + wide2 * wide2, axis=1) / (2 * half)
    inverse = tl.rsqrt(square + eps)[:, None]
    angle = token * 2 * half + column
    within = column < half
    w1 = tl.load(w_ptr + column, mask=within, other=0.0)
    w2 = tl.load(w_ptr + half + column, mask=within, other=0.0)
    cos1 = tl.load(cos_ptr + angle, mask=within, other=0.0).to(tl.float32)
    cos2 = tl.load(cos_ptr + angle + half, mask=within, other=0.0).to(tl.float32)
    sin1 = tl.load(sin_ptr + angle, mask=within, other=0.0).to(tl.float32)
    sin2 = tl.load(sin_ptr + angle + half, mask=within, other=0.0).to(tl.float32)
    normed1 = (w1 * (wide1 * inverse).to(first.dtype)).to(tl.float32)
    normed2 = (w2 * (wide2 * inverse).to(first.dtype)).to(tl.float32)
    tl.store(target, (normed1 * cos1 - normed2 * sin1).to(first.dtype), mask=inside)
    tl.store(target + half, (normed2 * cos2 + normed1 * sin2).to(first.dtype), mask=inside)


@triton.jit
def _heads_norm_rope_backward(
    grad_ptr, x_ptr, w_ptr, cos_ptr, sin_ptr, out_ptr, heads, grad_stride, x_stride, out_stride,
    half, eps, HEADS: tl.constexpr, HALF: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    head, column = tl.arange(0, HEADS)[:, None], tl.arange(0, HALF)[None, :]
    inside = (head < heads) & (column < half)
    place = head * 2 * half + column
    source, upper = x_ptr + token * x_stride + place, grad_ptr + token * grad_stride + place
    target = out_ptr + token * out_stride + place
    first = tl.load(source, mask=inside, other=0.0)
    wide1 = first.to(tl.float32)
    wide2 = tl.load(source + half, mask=inside, other=0.0).to(tl.float32)
    grad1 = tl.load(upper, mask=inside, other=0.0).to(tl.float32)
    grad2 = tl.load(upper + half, mask=inside, other=0.0).to(tl.float32)
    angle = token * 2 * half + column
    within = column < half
    w1 = tl.load(w_ptr + column, mask=within, other=0.0).to(tl.float32)
    w2 = tl.load(w_ptr + half + column, mask=within, other=0.0).to(tl.float32)
    cos1 = tl.load(cos_ptr + angle, mask=within, other=0.0).to(tl.float32)
    cos2 = tl.load(cos_ptr + angle + half, mask=within, other=0.0).to(tl.float32)
    sin1 = tl.load(sin_ptr + angle, mask=within, other=0.0).to(tl.float32)
    sin2 = tl.load(sin_ptr + angle + half, mask=within, other=0.0).to(tl.float32)
    scaled1 = (grad1 * cos1 + grad2 * sin2) * w1
    scaled2 = (grad2 * cos2 - grad1 * sin1) * w2
    size = 2 * half
    inverse = tl.rsqrt(tl.sum(wide1 * wide1 + wide2 * wide2, axis=1) / size + eps)[:, None]
    unit1, unit2 = wide1 * inverse, wide2 * inverse
    along = (tl.sum(scaled1 * unit1 + scaled2 * unit2, axis=1) / size)[:, None]
    tl.store(target, ((scaled1 - unit1 * along) * inverse).to(first.dtype), mask=inside)
    tl.store(target + half, ((scaled2 - unit2 * along) * inverse).to(first.dtype), mask=inside)


@triton.jit
def _swiglu(gate_up_ptr, out_ptr, size, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < size
    gate = tl.load(gate_up_ptr + row * 2 * size + columns, mask=inside, other=0.0)
    up = tl.load(gate_up_ptr + row * 2 * size + size + columns, mask=inside, other=0.0)
    wide = gate.to(tl.float32)
    silu = (wide * tl.sigmoid(wide)).to(gate.dtype)
    tl.store(out_ptr + row * size + columns, silu * up, mask=inside)


@triton.jit
def _swiglu_backward(gate_up_ptr, grad_ptr, size, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < size
    gate_place = gate_up_ptr + row * 2 * size + columns
    narrow = tl.load(gate_place, mask=inside, other=0.0)
    gate = narrow.to(tl.float32)
    up = tl.load(gate_place + size, mask=inside, other=0.0).to(tl.float32)
    grad_place = grad_ptr + row * size + columns
    grad = tl.load(grad_place, mask=inside, other=0.0).to(tl.float32)
    sigmoid = tl.sigmoid(gate)
    silu = gate * sigmoid
    tl.store(grad_place, (silu * up).to(narrow.dtype), mask=inside)
    d_gate = grad * up * sigmoid * (1 + gate * (1 - sigmoid))
    tl.store(gate_place, d_gate.to(narrow.dtype), mask=inside)
    tl.store(gate_place + size, (grad * silu).to(narrow.dtype), mask=inside)


@triton.jit
def _dropout(x_ptr, out_ptr, count, probability, seed, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < count
    x = tl.load(x_ptr + offsets, mask=inside, other=0.0)
    kept = tl.rand(seed, offsets) >= probability
    tl.store(out_ptr + offsets, tl.where(kept, x / (1 - probability), 0.0).to(x.dtype), mask=inside)


@triton.jit
def _add_dropped(total_ptr, grad_ptr, count, probability, seed, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < count
    total = tl.load(total_ptr + offsets, mask=inside, other=0.0)
    grad = tl.load(grad_ptr + offsets, mask=inside, other=0.0).to(tl.float32)
    kept = tl.rand(seed, offsets) >= probability
    added = tl.where(kept, grad / (1 - probability), 0.0)
    tl.store(total_ptr + offsets, (total.to(tl.float32) + added).to(total.dtype), mask=inside)
