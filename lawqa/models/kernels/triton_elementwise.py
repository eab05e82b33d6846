"""Norms, rotations and activations as Triton kernels, one launch each."""

from __future__ import annotations

import torch
import triton
import triton.language as tl


class TritonElementwise:
    """`Elementwise` with the roundings of plain torch; what is given is overwritten where it may be."""

    def add_norm(
        self,
        stream: torch.Tensor,
        delta: torch.Tensor | None,
        weight: torch.Tensor,
        eps: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As `Elementwise.add_norm`."""
        tokens, hidden = stream.shape
        normed = torch.empty_like(stream)
        _add_norm[(tokens,)](
            stream, stream if delta is None else delta, weight, normed, eps, 0,
            HIDDEN=hidden, BLOCK=triton.next_power_of_2(hidden), PARTS=0 if delta is None else 1,
            HALVED=False, num_warps=8 if hidden >= 2048 else 4,
        )  # fmt: skip
        return stream, normed

    def norm_rotate(
        self,
        heads: torch.Tensor,
        weight: torch.Tensor | None,
        cos: torch.Tensor,
        sin: torch.Tensor,
        eps: float,
    ) -> torch.Tensor:
        """As `Elementwise.norm_rotate`; in place."""
        tokens, count, dim = heads.shape
        _norm_rotate[(tokens,)](
            heads, heads if weight is None else weight, cos, sin, eps,
            HEADS=count, BLOCK=triton.next_power_of_2(count), HALF=dim // 2,
            HALF_BLOCK=triton.next_power_of_2(dim // 2), NORM=weight is not None,
        )  # fmt: skip
        return heads

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """As `Elementwise.swiglu`; into `gate`."""
        block = 2048
        _swiglu[(triton.cdiv(gate.numel(), block),)](gate, up, gate.numel(), BLOCK=block)
        return gate


def add_norm_halved(
    stream: torch.Tensor, parts: torch.Tensor | None, weight: torch.Tensor, eps: float
) -> torch.Tensor:
    """Add partial sums to the stream, in place, and give its RMSNorm with even columns before odd ones.

    Args:
        stream: shape [rows, hidden].
        parts: shape [parts, rows, hidden]; their sum is rounded once before it is added.
        weight: shape [hidden].
        eps: what RMSNorm adds to the mean square.
    """
    rows, hidden = stream.shape
    normed = torch.empty_like(stream)
    _add_norm[(rows,)](
        stream, stream if parts is None else parts, weight, normed, eps, rows * hidden,
        HIDDEN=hidden, BLOCK=triton.next_power_of_2(hidden),
        PARTS=0 if parts is None else len(parts), HALVED=True,
        num_warps=8 if hidden >= 2048 else 4,
    )  # fmt: skip
    return normed


def swiglu_halved(parts: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """silu(gate) * up of partial sums [parts, rows, gate and up], with even columns before odd ones."""
    count, rows, both = parts.shape
    out = torch.empty(rows, both // 2, dtype=dtype, device=parts.device)
    block = 1024
    _swiglu_parts[(rows, triton.cdiv(both // 2, block))](
        parts, out, rows * both, WIDTH=both // 2, PARTS=count, BLOCK=block
    )
    return out


@triton.jit
def _add_norm(
    stream, delta, weight, normed, eps, part_stride,
    HIDDEN: tl.constexpr, BLOCK: tl.constexpr, PARTS: tl.constexpr, HALVED: tl.constexpr,
):  # fmt: skip
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
    mean = tl.sum(x * x, axis=0) / HIDDEN
    x = (x * tl.rsqrt(mean + eps)).to(dtype).to(tl.float32)
    w = tl.load(weight + columns, mask=inside, other=0.0).to(tl.float32)
    if HALVED:
        columns = (columns % 2) * (HIDDEN // 2) + columns // 2
    tl.store(normed + row * HIDDEN + columns, (w * x).to(dtype), mask=inside)


@triton.jit
def normed_rotated(
    first, second, w_first, w_second, cos, sin, eps,
    dtype: tl.constexpr, DIM: tl.constexpr, NORM: tl.constexpr,
):  # fmt: skip
    """RMSNorm and rotation of both halves of heads, each [heads, dim / 2] in float32."""
    if NORM:
        mean = (tl.sum(first * first, axis=1) + tl.sum(second * second, axis=1)) / DIM
        scale = tl.rsqrt(mean + eps)[:, None]
        first = ((first * scale).to(dtype).to(tl.float32) * w_first).to(dtype).to(tl.float32)
        second = ((second * scale).to(dtype).to(tl.float32) * w_second).to(dtype).to(tl.float32)
    a = (first * cos).to(dtype).to(tl.float32) - (second * sin).to(dtype).to(tl.float32)
    b = (second * cos).to(dtype).to(tl.float32) + (first * sin).to(dtype).to(tl.float32)
    return a.to(dtype), b.to(dtype)


@triton.jit
def _norm_rotate(
    heads, weight, cos, sin, eps,
    HEADS: tl.constexpr, BLOCK: tl.constexpr, HALF: tl.constexpr, HALF_BLOCK: tl.constexpr,
    NORM: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    h = tl.arange(0, BLOCK)[:, None]
    d = tl.arange(0, HALF_BLOCK)[None, :]
    inside = (h < HEADS) & (d < HALF)
    at = heads + (token * HEADS + h) * (2 * HALF) + d
    first = tl.load(at, mask=inside, other=0.0).to(tl.float32)
    second = tl.load(at + HALF, mask=inside, other=0.0).to(tl.float32)
    c = tl.load(cos + token * HALF + d, mask=d < HALF, other=0.0).to(tl.float32)
    s = tl.load(sin + token * HALF + d, mask=d < HALF, other=0.0).to(tl.float32)
    w_first = tl.load(weight + d, mask=d < HALF, other=0.0).to(tl.float32)
    w_second = tl.load(weight + HALF + d, mask=d < HALF, other=0.0).to(tl.float32)
    a, b = normed_rotated(
        first, second, w_first, w_second, c, s, eps, heads.dtype.element_ty, 2 * HALF, NORM
    )
    tl.store(at, a, mask=inside)
    tl.store(at + HALF, b, mask=inside)


@triton.jit
def _swiglu(gate, up, count, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    dtype = gate.dtype.element_ty
    g = tl.load(gate + at, mask=inside, other=0.0).to(tl.float32)
    u = tl.load(up + at, mask=inside, other=0.0).to(tl.float32)
    silu = (g / (1.0 + tl.exp(-g))).to(dtype).to(tl.float32)
    tl.store(gate + at, (silu * u).to(dtype), mask=inside)


@triton.jit
def _swiglu_parts(
    parts, out, part_stride, WIDTH: tl.constexpr, PARTS: tl.constexpr, BLOCK: tl.constexpr
):
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
    silu = (g / (1.0 + tl.exp(-g))).to(dtype).to(tl.float32)
    halved = (columns % 2) * (WIDTH // 2) + columns // 2
    tl.store(out + row * WIDTH + halved, (silu * u).to(dtype), mask=inside)
