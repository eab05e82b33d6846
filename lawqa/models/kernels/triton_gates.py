"""Triton kernels of the gated activation and of dropout, forward and backward."""

from __future__ import annotations

import triton
import triton.language as tl

from lawqa.models.kernels.triton_planes import column_in_planes

_GELU_SCALE = tl.constexpr(0.7978845608028654)
_GELU_CUBE = tl.constexpr(0.044715)


@triton.jit
def _silu(x):
    return x / (1.0 + tl.exp(-x))


@triton.jit
def swiglu_kernel(gate, up, count, BLOCK: tl.constexpr):
    """Write silu(gate) * up into `gate`, over flat numbers."""
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    dtype = gate.dtype.element_ty
    g = tl.load(gate + at, mask=inside, other=0.0).to(tl.float32)
    u = tl.load(up + at, mask=inside, other=0.0).to(tl.float32)
    silu = _silu(g).to(dtype).to(tl.float32)
    tl.store(gate + at, (silu * u).to(dtype), mask=inside)


@triton.jit
def glu_joined_kernel(
    gate_up_ptr, out_ptr, size, out_stride, BLOCK: tl.constexpr, GELU: tl.constexpr
):
    """act(gate) * up of gate and up side by side in a row; into another tensor."""
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < size
    gate = tl.load(gate_up_ptr + row * 2 * size + columns, mask=inside, other=0.0)
    up = tl.load(gate_up_ptr + row * 2 * size + size + columns, mask=inside, other=0.0)
    wide = gate.to(tl.float32)
    # Through the sigmoid, as the backward kernel computes it again.
    inner = wide
    if GELU:
        inner = 2 * _GELU_SCALE * (wide + _GELU_CUBE * wide * wide * wide)
    acted = (wide * tl.sigmoid(inner)).to(gate.dtype)
    tl.store(out_ptr + row * out_stride + columns, acted * up, mask=inside)


@triton.jit
def swiglu_parts_kernel(
    parts, out, part_stride, WIDTH: tl.constexpr, PARTS: tl.constexpr, BLOCK: tl.constexpr
):
    """Do the same for partial sums, written in the order of 4-bit products."""
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < WIDTH
    dtype = out.dtype.element_ty
    g = tl.zeros([BLOCK], dtype=tl.float32)
    u = tl.zeros([BLOCK], dtype=tl.float32)
    for part in range(PARTS):
        at = parts + part * part_stride + row * 2 * WIDTH + columns
        g += tl.load(at, mask=inside, other=0.0).to(tl.float32)
        u += tl.load(at + WIDTH, mask=inside, other=0.0).to(tl.float32)
    g = g.to(dtype).to(tl.float32)
    u = u.to(dtype).to(tl.float32)
    silu = _silu(g).to(dtype).to(tl.float32)
    tl.store(out + row * WIDTH + column_in_planes(columns), (silu * u).to(dtype), mask=inside)


@triton.jit
def glu_backward_kernel(gate_up_ptr, grad_ptr, size, BLOCK: tl.constexpr, GELU: tl.constexpr):
    """Write gradients into the place of gate and up; the activation again into that of its gradient."""
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < size
    gate_place = gate_up_ptr + row * 2 * size + columns
    narrow = tl.load(gate_place, mask=inside, other=0.0)
    gate = narrow.to(tl.float32)
    up = tl.load(gate_place + size, mask=inside, other=0.0).to(tl.float32)
    grad_place = grad_ptr + row * size + columns
    grad = tl.load(grad_place, mask=inside, other=0.0).to(tl.float32)
    if GELU:
        sigmoid = tl.sigmoid(2 * _GELU_SCALE * (gate + _GELU_CUBE * gate * gate * gate))
        rise = 2 * _GELU_SCALE * (1 + 3 * _GELU_CUBE * gate * gate)
        d_gate = grad * up * sigmoid * (1 + gate * (1 - sigmoid) * rise)
    else:
        sigmoid = tl.sigmoid(gate)
        d_gate = grad * up * sigmoid * (1 + gate * (1 - sigmoid))
    acted = gate * sigmoid
    tl.store(grad_place, (acted * up).to(narrow.dtype), mask=inside)
    tl.store(gate_place, d_gate.to(narrow.dtype), mask=inside)
    tl.store(gate_place + size, (grad * acted).to(narrow.dtype), mask=inside)


@triton.jit
def dropout_kernel(x_ptr, out_ptr, count, probability, seed, size, stride, BLOCK: tl.constexpr):
    """Zero where a counter-based random number is below the probability, else scaled up."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < count
    # The row number may be large: rows that lie apart could end beyond what 32 bits count.
    at = (offsets // size).to(tl.int64) * stride + offsets % size
    x = tl.load(x_ptr + at, mask=inside, other=0.0)
    kept = tl.rand(seed, offsets) >= probability
    tl.store(out_ptr + offsets, tl.where(kept, x / (1 - probability), 0.0).to(x.dtype), mask=inside)


@triton.jit
def add_dropped_kernel(total_ptr, grad_ptr, count, probability, seed, BLOCK: tl.constexpr):
    """Add the gradient through `dropout_kernel` with the same seed to the total."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < count
    total = tl.load(total_ptr + offsets, mask=inside, other=0.0)
    grad = tl.load(grad_ptr + offsets, mask=inside, other=0.0).to(tl.float32)
    kept = tl.rand(seed, offsets) >= probability
    added = tl.where(kept, grad / (1 - probability), 0.0)
    tl.store(total_ptr + offsets, (total.to(tl.float32) + added).to(total.dtype), mask=inside)
