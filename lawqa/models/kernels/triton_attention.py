"""Attention of one new token per row over its pages of keys and values (flash-decoding)."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from lawqa.models.kernels.pages import STEPS, Pages
from lawqa.models.kernels.triton_norms import normed_rotated
from lawqa.models.kernels.triton_pages import attend_kernel, attend_words_kernel, combine_kernel

_LOG2_E = 1.4426950408889634
_WORDS_FROM = 64
"""Heads of as many numbers have in every fourth of them as many as a product of tensor cores takes."""


def rotate_and_store(
    parts: torch.Tensor,
    q_norm: torch.Tensor | None,
    k_norm: torch.Tensor | None,
    rotary: tuple[torch.Tensor, torch.Tensor],
    pages: Pages,
    tables: torch.Tensor,
    positions: torch.Tensor,
    *,
    heads: int,
    page: int,
    eps: float,
) -> torch.Tensor:
    """Norm and rotate queries and keys; store keys and values in their pages.

    Args:
        parts: partial sums of queries, keys and values, shape [parts, rows, (heads + 2 kv_heads) dim].
        q_norm: RMSNorm weight of query heads, shape [dim]; None for none.
        k_norm: the same for key heads.
        rotary: cosines and sines, each of shape [rows, dim / 2].
        pages: of the layer.
        tables: pages of each row, int32, shape [rows, pages].
        positions: the token's position in each row, int64, shape [rows].
        heads: query heads.
        page: tokens of a page.
        eps: what RMSNorm adds to the mean square.

    Returns:
        Queries, shape [rows, heads, dim].
    """
    keys, values, key_scales, value_scales = pages
    cos, sin = rotary
    kv_heads, dim = keys.shape[1:]
    rows = parts.shape[1]
    q = torch.empty(rows, heads, dim, dtype=cos.dtype, device=keys.device)
    weight = cos if q_norm is None else q_norm
    _rotate_and_store[(rows, heads + 2 * kv_heads)](
        parts, q, keys, values, keys if key_scales is None else key_scales,
        values if value_scales is None else value_scales, weight,
        cos if k_norm is None else k_norm, cos, sin, tables,
        positions, eps, parts.stride(0), tables.stride(0),
        HEADS=heads, KV_HEADS=kv_heads, HALF=dim // 2, PAGE=page, PARTS=len(parts),
        NORM=q_norm is not None, EIGHT_BIT=key_scales is not None, LARGEST=STEPS, num_warps=1,
    )  # fmt: skip
    return q


def attend_pages(
    q: torch.Tensor,
    pages: Pages,
    tables: torch.Tensor,
    positions: torch.Tensor,
    *,
    page: int,
    splits: int,
) -> torch.Tensor:
    """Return the softmax attention over each row's tokens up to and with its position.

    Args:
        q: shape [rows, heads, dim].
        pages: as for `rotate_and_store`.
        tables: as for `rotate_and_store`.
        positions: as for `rotate_and_store`.
        page: tokens of a page.
        splits: programs that share the tokens of one row.

    Returns:
        Shape [rows, heads * dim], in the order of `in_planes`.
    """
    keys, values, key_scales, value_scales = pages
    rows, heads, dim = q.shape
    kv_heads = keys.shape[1]
    group = heads // kv_heads
    out = torch.empty(rows, heads * dim, dtype=q.dtype, device=q.device)
    sums = sizes = out
    if splits > 1:
        sums = torch.empty(splits, rows, heads, dim, dtype=torch.float32, device=q.device)
        sizes = torch.empty(2, splits, rows, heads, dtype=torch.float32, device=q.device)
    words = key_scales is not None and dim >= _WORDS_FROM
    block = max(16, triton.next_power_of_2(group))
    # Of 2, 4 and 8 warps 2 were the fastest over words, where 16 rows hold a group (H200, heads of 128).
    warps = 2 if words and block == 16 else 4
    kernel = attend_words_kernel if words else attend_kernel
    kernel[(rows, kv_heads, splits)](
        q, keys, values, keys if key_scales is None else key_scales,
        values if value_scales is None else value_scales, tables, positions, out, sums, sizes,
        dim**-0.5 * _LOG2_E, tables.stride(0), rows,
        HEADS=heads, KV_HEADS=kv_heads, GROUP=group, BLOCK=block,
        DIM=dim, PAGE=page, SPLITS=splits, **({} if words else {"EIGHT_BIT": key_scales is not None}),
        num_warps=warps, num_stages=3 if words else 2,
    )  # fmt: skip
    if splits > 1:
        combine_kernel[(rows, heads)](
            sums, sizes, out, rows, HEADS=heads, DIM=dim, SPLITS=splits, num_warps=1
        )
    return out


def pick_splits(rows: int, kv_heads: int, multiprocessors: int) -> int:
    """Return as many programs a row as keep the card busy with few rows; a power of two, at most 16."""
    splits = 1
    while splits < 16 and rows * kv_heads * splits < 2 * multiprocessors:
        splits *= 2
    return splits


@triton.jit
def _rotate_and_store(
    parts, q, keys, values, key_scales, value_scales, q_norm, k_norm, cos, sin, tables, positions, eps,
    part_stride, table_stride,
    HEADS: tl.constexpr, KV_HEADS: tl.constexpr, HALF: tl.constexpr, PAGE: tl.constexpr,
    PARTS: tl.constexpr, NORM: tl.constexpr, EIGHT_BIT: tl.constexpr, LARGEST: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    dtype = q.dtype.element_ty
    DIM: tl.constexpr = 2 * HALF  # noqa: N806
    d = tl.arange(0, HALF)[None, :]
    first = tl.zeros([1, HALF], dtype=tl.float32)
    second = tl.zeros([1, HALF], dtype=tl.float32)
    for part in range(PARTS):
        at = parts + part * part_stride + (row * (HEADS + 2 * KV_HEADS) + head) * DIM + d
        first += tl.load(at).to(tl.float32)
        second += tl.load(at + HALF).to(tl.float32)
    first = first.to(dtype).to(tl.float32)
    second = second.to(dtype).to(tl.float32)
    position = tl.load(positions + row)
    page = tl.load(tables + row * table_stride + position // PAGE).to(tl.int64)
    slot = page * PAGE + position % PAGE
    if head >= HEADS + KV_HEADS:
        at = slot * KV_HEADS + head - HEADS - KV_HEADS
        if EIGHT_BIT:
            _store_8bit(values, value_scales, at, first, second, d, HALF, LARGEST)
        else:
            tl.store(values + at * DIM + d, first.to(dtype))
            tl.store(values + at * DIM + HALF + d, second.to(dtype))
    else:
        c = tl.load(cos + row * HALF + d).to(tl.float32)
        s = tl.load(sin + row * HALF + d).to(tl.float32)
        weight = q_norm
        if head >= HEADS:
            weight = k_norm
        w_first = tl.load(weight + d).to(tl.float32)
        w_second = tl.load(weight + (HALF if NORM else 0) + d).to(tl.float32)
        a, b = normed_rotated(
            first, second, w_first, w_second, c, s, eps, dtype, DIM, NORM, False, False
        )
        if head < HEADS:
            tl.store(q + (row * HEADS + head) * DIM + d, a)
            tl.store(q + (row * HEADS + head) * DIM + HALF + d, b)
        else:
            at = slot * KV_HEADS + head - HEADS
            if EIGHT_BIT:
                _store_8bit(
                    keys, key_scales, at, a.to(tl.float32), b.to(tl.float32), d, HALF, LARGEST
                )
            else:
                tl.store(keys + at * DIM + d, a)
                tl.store(keys + at * DIM + HALF + d, b)


@triton.jit
def _store_8bit(
    stored, scales, at, first, second, d, HALF: tl.constexpr, LARGEST: tl.constexpr
):  # fmt: skip
    """Store the two halves of a head as whole numbers, and what each of them counts for; as
    `pages.eight_bit`.
    """
    largest = tl.max(tl.maximum(tl.abs(first), tl.abs(second)), axis=1)
    scale = tl.max(largest, axis=0) / LARGEST
    # The smallest normal float32: a head of zeros is stored as zeros.
    unit = tl.maximum(scale, 1.1754943508222875e-38)
    tl.store(stored + at * 2 * HALF + d, tl.floor(first / unit + 0.5).to(tl.int8))
    tl.store(stored + at * 2 * HALF + HALF + d, tl.floor(second / unit + 0.5).to(tl.int8))
    tl.store(scales + at, scale)
