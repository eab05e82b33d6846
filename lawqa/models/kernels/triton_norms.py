"""Triton kernels of RMSNorm and of the rotary embedding, forward and backward."""

from __future__ import annotations

import triton
import triton.language as tl

from lawqa.models.kernels.triton_planes import column_in_planes


@triton.jit
def add_norm_kernel(
    stream, delta, weight, normed, inverse, eps, part_stride, normed_stride,
    HIDDEN: tl.constexpr, BLOCK: tl.constexpr, PARTS: tl.constexpr, PLANES: tl.constexpr,
    INVERSE: tl.constexpr,
):  # fmt: skip
    """Add partial sums to a row where there are any; write its RMSNorm, and 1 / the root where asked for."""
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < HIDDEN
    dtype = stream.dtype.element_ty
    x = tl.load(stream + row * HIDDEN + columns, mask=inside, other=0.0).to(tl.float32)
    if PARTS > 0:
        total = tl.zeros([BLOCK], dtype=tl.float32)
        for part in range(PARTS):
            at = delta + part * part_stride + row * HIDDEN + columns
            total += tl.load(at, mask=inside, other=0.0).to(tl.float32)
        x = (x + total.to(dtype).to(tl.float32)).to(dtype).to(tl.float32)
        tl.store(stream + row * HIDDEN + columns, x.to(dtype), mask=inside)
    scale = tl.rsqrt(tl.sum(x * x, axis=0) / HIDDEN + eps)
    if INVERSE:
        tl.store(inverse + row, scale)
    x = x * scale
    # Rounded before the weight is applied, as the model's own norm does, unless the weight is wider.
    if weight.dtype.element_ty == dtype:
        x = x.to(dtype).to(tl.float32)
    w = tl.load(weight + columns, mask=inside, other=0.0).to(tl.float32)
    if PLANES:
        columns = column_in_planes(columns)
    tl.store(normed + row * normed_stride + columns, (w * x).to(dtype), mask=inside)


@triton.jit
def normed_rotated(
    first, second, w_first, w_second, cos, sin, eps,
    dtype: tl.constexpr, DIM: tl.constexpr, NORM: tl.constexpr, ONCE: tl.constexpr,
    WIDE: tl.constexpr,
):  # fmt: skip
    """Apply RMSNorm and rotation to both halves of heads, each [heads, dim / 2] in float32.

    With WIDE the norm is rounded after its weight only. With ONCE the rotation is rounded at its end;
    without, each of its products is, as in transformers.
    """
    if NORM:
        # Two orders of summation: each way keeps the figures that its earlier runs have.
        if ONCE:
            square = tl.sum(first * first + second * second, axis=1)
        else:
            square = tl.sum(first * first, axis=1) + tl.sum(second * second, axis=1)
        scale = tl.rsqrt(square / DIM + eps)[:, None]
        first = first * scale
        second = second * scale
        if not WIDE:
            first = first.to(dtype).to(tl.float32)
            second = second.to(dtype).to(tl.float32)
        first = (first * w_first).to(dtype).to(tl.float32)
        second = (second * w_second).to(dtype).to(tl.float32)
    if ONCE:
        a = first * cos - second * sin
        b = second * cos + first * sin
    else:
        a = (first * cos).to(dtype).to(tl.float32) - (second * sin).to(dtype).to(tl.float32)
        b = (second * cos).to(dtype).to(tl.float32) + (first * sin).to(dtype).to(tl.float32)
    return a.to(dtype), b.to(dtype)


@triton.jit
def norm_rotate_kernel(
    heads, out, weight, cos, sin, eps, stride,
    HEADS: tl.constexpr, BLOCK: tl.constexpr, HALF: tl.constexpr, HALF_BLOCK: tl.constexpr,
    NORM: tl.constexpr, ONCE: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Norm and rotate a token's heads, `stride` numbers after those of the token before;
    contiguous in `out`.
    """
    token = tl.program_id(0).to(tl.int64)
    h = tl.arange(0, BLOCK)[:, None]
    d = tl.arange(0, HALF_BLOCK)[None, :]
    inside = (h < HEADS) & (d < HALF)
    at = heads + token * stride + h * (2 * HALF) + d
    target = out + (token * HEADS + h) * (2 * HALF) + d
    first = tl.load(at, mask=inside, other=0.0).to(tl.float32)
    second = tl.load(at + HALF, mask=inside, other=0.0).to(tl.float32)
    c = tl.load(cos + token * HALF + d, mask=d < HALF, other=0.0).to(tl.float32)
    s = tl.load(sin + token * HALF + d, mask=d < HALF, other=0.0).to(tl.float32)
    w_first = tl.load(weight + d, mask=d < HALF, other=0.0).to(tl.float32)
    w_second = tl.load(weight + HALF + d, mask=d < HALF, other=0.0).to(tl.float32)
    a, b = normed_rotated(
        first,
        second,
        w_first,
        w_second,
        c,
        s,
        eps,
        heads.dtype.element_ty,
        2 * HALF,
        NORM,
        ONCE,
        WIDE,
    )
    tl.store(target, a, mask=inside)
    tl.store(target + HALF, b, mask=inside)


@triton.jit
def norm_backward_kernel(
    grad_ptr, x_ptr, w_ptr, inverse_ptr, residual_ptr, out_ptr, size,
    BLOCK: tl.constexpr, RESIDUAL: tl.constexpr,
):  # fmt: skip
    """Compute `Elementwise.norm_backward` of one row."""
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
    if RESIDUAL:
        own += tl.load(residual_ptr + offsets, mask=inside, other=0.0).to(tl.float32)
    tl.store(out_ptr + offsets, own.to(x.dtype), mask=inside)


@triton.jit
def norm_rotate_backward_kernel(
    grad_ptr, x_ptr, w_ptr, cos_ptr, sin_ptr, out_ptr, heads, grad_stride, x_stride, out_stride,
    half, eps, HEADS: tl.constexpr, HALF: tl.constexpr, NORM: tl.constexpr,
):  # fmt: skip
    """Compute `Elementwise.norm_rotate_backward` of one token's heads."""
    token = tl.program_id(0).to(tl.int64)
    head, column = tl.arange(0, HEADS)[:, None], tl.arange(0, HALF)[None, :]
    inside = (head < heads) & (column < half)
    place = head * 2 * half + column
    source, upper = x_ptr + token * x_stride + place, grad_ptr + token * grad_stride + place
    target = out_ptr + token * out_stride + place
    dtype = x_ptr.dtype.element_ty
    grad1 = tl.load(upper, mask=inside, other=0.0).to(tl.float32)
    grad2 = tl.load(upper + half, mask=inside, other=0.0).to(tl.float32)
    angle = token * half + column
    within = column < half
    cos = tl.load(cos_ptr + angle, mask=within, other=0.0).to(tl.float32)
    sin = tl.load(sin_ptr + angle, mask=within, other=0.0).to(tl.float32)
    back1 = grad1 * cos + grad2 * sin
    back2 = grad2 * cos - grad1 * sin
    if NORM:
        wide1 = tl.load(source, mask=inside, other=0.0).to(tl.float32)
        wide2 = tl.load(source + half, mask=inside, other=0.0).to(tl.float32)
        scaled1 = back1 * tl.load(w_ptr + column, mask=within, other=0.0).to(tl.float32)
        scaled2 = back2 * tl.load(w_ptr + half + column, mask=within, other=0.0).to(tl.float32)
        size = 2 * half
        inverse = tl.rsqrt(tl.sum(wide1 * wide1 + wide2 * wide2, axis=1) / size + eps)[:, None]
        unit1, unit2 = wide1 * inverse, wide2 * inverse
        along = (tl.sum(scaled1 * unit1 + scaled2 * unit2, axis=1) / size)[:, None]
        back1 = (scaled1 - unit1 * along) * inverse
        back2 = (scaled2 - unit2 * along) * inverse
    tl.store(target, back1.to(dtype), mask=inside)
    tl.store(target + half, back2.to(dtype), mask=inside)
