"""Triton kernels of attention over pages: of numbers as they are, of 8 bits, and of what splits bring."""

from __future__ import annotations

import triton
import triton.language as tl

from lawqa.models.kernels.triton_planes import column_in_planes


@triton.jit
def attend_kernel(
    q, keys, values, key_scales, value_scales, tables, positions, out, sums, sizes, scale,
    table_stride, rows,
    HEADS: tl.constexpr, KV_HEADS: tl.constexpr, GROUP: tl.constexpr, BLOCK: tl.constexpr,
    DIM: tl.constexpr, PAGE: tl.constexpr, SPLITS: tl.constexpr, EIGHT_BIT: tl.constexpr,
):  # fmt: skip
    """Attend from one row's queries of one group to the tokens of one split."""
    row = tl.program_id(0).to(tl.int64)
    kv_head = tl.program_id(1)
    length, first, end = _pages_of(positions + row, PAGE, SPLITS)
    member = tl.arange(0, BLOCK)
    d = tl.arange(0, DIM)
    t = tl.arange(0, PAGE)
    head = kv_head * GROUP + member
    inside = (member < GROUP)[:, None]
    query = tl.load(q + (row * HEADS + head[:, None]) * DIM + d[None, :], mask=inside, other=0.0)
    largest = tl.full([BLOCK], float("-inf"), dtype=tl.float32)
    size = tl.zeros([BLOCK], dtype=tl.float32)
    total = tl.zeros([BLOCK, DIM], dtype=tl.float32)
    for number in range(first, end):
        page = tl.load(tables + row * table_stride + number).to(tl.int64)
        slot = (page * PAGE + t) * KV_HEADS + kv_head
        at = slot * DIM
        key = tl.load(keys + at[None, :] + d[:, None])
        # Whole numbers to 127 are exact in either half precision; their scales apply after the product.
        scores = tl.dot(query, key.to(query.dtype)) * scale
        if EIGHT_BIT:
            scores = scores * tl.load(key_scales + slot)[None, :]
        seen = (number * PAGE + t < length)[None, :]
        weights, shrink, largest, size = _weigh(scores, seen, largest, size)
        value = tl.load(values + at[:, None] + d[None, :])
        if EIGHT_BIT:
            weights = weights * tl.load(value_scales + slot)[None, :]
        total = total * shrink[:, None] + tl.dot(weights.to(query.dtype), value.to(query.dtype))
    _store(
        total, largest, size, out, sums, sizes, row, kv_head, rows, HEADS, GROUP, BLOCK, DIM, SPLITS
    )


@triton.jit
def attend_words_kernel(
    q, keys, values, key_scales, value_scales, tables, positions, out, sums, sizes, scale,
    table_stride, rows,
    HEADS: tl.constexpr, KV_HEADS: tl.constexpr, GROUP: tl.constexpr, BLOCK: tl.constexpr,
    DIM: tl.constexpr, PAGE: tl.constexpr, SPLITS: tl.constexpr,
):  # fmt: skip
    """Do the same for whole numbers of 8 bits, four of which are read as one word.

    Each product is the sum of four, each over every fourth number of a head. Words are then what lies in
    shared memory and is read as operands; the bytes of values would have to be read one by one, since what
    lies side by side in an operand belongs to different tokens.
    """
    row = tl.program_id(0).to(tl.int64)
    kv_head = tl.program_id(1)
    length, first, end = _pages_of(positions + row, PAGE, SPLITS)
    member = tl.arange(0, BLOCK)
    WORDS: tl.constexpr = DIM // 4  # noqa: N806
    DTYPE: tl.constexpr = q.dtype.element_ty  # noqa: N806
    w = tl.arange(0, WORDS)
    t = tl.arange(0, PAGE)
    inside = (member < GROUP)[:, None]
    at = q + (row * HEADS + kv_head * GROUP + member[:, None]) * DIM + 4 * w[None, :]
    q_0 = tl.load(at, mask=inside, other=0.0)
    q_1 = tl.load(at + 1, mask=inside, other=0.0)
    q_2 = tl.load(at + 2, mask=inside, other=0.0)
    q_3 = tl.load(at + 3, mask=inside, other=0.0)
    largest = tl.full([BLOCK], float("-inf"), dtype=tl.float32)
    size = tl.zeros([BLOCK], dtype=tl.float32)
    total_0 = tl.zeros([BLOCK, WORDS], dtype=tl.float32)
    total_1 = tl.zeros([BLOCK, WORDS], dtype=tl.float32)
    total_2 = tl.zeros([BLOCK, WORDS], dtype=tl.float32)
    total_3 = tl.zeros([BLOCK, WORDS], dtype=tl.float32)
    key_words = keys.to(tl.pointer_type(tl.int32))
    value_words = values.to(tl.pointer_type(tl.int32))
    table = tables + row * table_stride
    # A page's number is loaded one turn ahead: what depends on a load of its own turn is never loaded early.
    following = tl.load(table + first, mask=first < end, other=0)
    for number in range(first, end):
        page = following.to(tl.int64)
        following = tl.load(table + number + 1, mask=number + 1 < end, other=0)
        slot = (page * PAGE + t) * KV_HEADS + kv_head
        key = tl.load(key_words + (slot * WORDS)[None, :] + w[:, None])
        scores = tl.dot(q_0, _from_8bit(key, "0x4400", DTYPE))
        scores = tl.dot(q_1, _from_8bit(key, "0x5511", DTYPE), scores)
        scores = tl.dot(q_2, _from_8bit(key, "0x6622", DTYPE), scores)
        scores = tl.dot(q_3, _from_8bit(key, "0x7733", DTYPE), scores)
        scores = scores * (scale * tl.load(key_scales + slot))[None, :]
        seen = (number * PAGE + t < length)[None, :]
        weights, shrink, largest, size = _weigh(scores, seen, largest, size)
        value = tl.load(value_words + (slot * WORDS)[:, None] + w[None, :])
        weights = (weights * tl.load(value_scales + slot)[None, :]).to(DTYPE)
        shrink = shrink[:, None]
        total_0 = tl.dot(weights, _from_8bit(value, "0x4400", DTYPE), total_0 * shrink)
        total_1 = tl.dot(weights, _from_8bit(value, "0x5511", DTYPE), total_1 * shrink)
        total_2 = tl.dot(weights, _from_8bit(value, "0x6622", DTYPE), total_2 * shrink)
        total_3 = tl.dot(weights, _from_8bit(value, "0x7733", DTYPE), total_3 * shrink)
    even, odd = tl.interleave(total_0, total_2), tl.interleave(total_1, total_3)
    _store_halves(
        even, odd, largest, size, out, sums, sizes, row, kv_head, rows,
        HEADS, GROUP, BLOCK, DIM, SPLITS,
    )  # fmt: skip


@triton.jit
def _from_8bit(words, SELECTOR: tl.constexpr, DTYPE: tl.constexpr):
    """Return one of the four whole numbers of each word, exact in either half precision.

    Two words at a time: a permutation puts their bytes into the halves of one register. bfloat16 counts ones
    from 128 to 256, so the bits below the sign are set behind 128, and 128 is subtracted again, or 256 where
    the sign is set. float16 counts ones from 1,024 to 2,048, which holds all 8 bits, the sign turned over.

    Args:
        words: int32.
        SELECTOR: that of `prmt`, with byte n of both words: "0x4400" for 0, "0x5511" for 1 and so on.
        DTYPE: bfloat16 or float16.
    """
    if DTYPE == tl.bfloat16:  # noqa: SIM300 - the name of a constant is that of a parameter here
        numbers = tl.inline_asm_elementwise(
            "{ .reg .b32 both, ones, signs, minus;"
            "prmt.b32 both, $1, $2, " + SELECTOR + ";"
            "lop3.b32 ones, both, 0x007f007f, 0x43004300, 0xea;"
            "lop3.b32 signs, both, 0x00800080, 0x43004300, 0xea;"
            "mov.b32 minus, 0xbf80bf80;"
            "fma.rn.bf16x2 $0, signs, minus, ones; }",
            "=r,r,r", [words], dtype=tl.bfloat16, is_pure=True, pack=2,
        )  # fmt: skip
    else:
        numbers = tl.inline_asm_elementwise(
            "{ .reg .b32 both, ones, middle;"
            "prmt.b32 both, $1, $2, " + SELECTOR + ";"
            "lop3.b32 ones, both, 0x00ff00ff, 0x64806480, 0x6a;"
            "mov.b32 middle, 0x64806480;"
            "sub.rn.f16x2 $0, ones, middle; }",
            "=r,r,r", [words], dtype=tl.float16, is_pure=True, pack=2,
        )  # fmt: skip
    return numbers


@triton.jit
def _pages_of(position, PAGE: tl.constexpr, SPLITS: tl.constexpr):
    """Return a row's tokens, and the first of its pages that this program reads, and the one behind them."""
    length = (tl.load(position) + 1).to(tl.int32)
    pages = tl.cdiv(length, PAGE)
    share = tl.cdiv(pages, SPLITS)
    first = tl.program_id(2) * share
    return length, first, tl.minimum(first + share, pages)


@triton.jit
def _weigh(scores, seen, largest, size):
    """Return a page's weights, what shrinks the sums so far, and the largest score and the sum of weights."""
    scores = tl.where(seen, scores, float("-inf"))
    larger = tl.maximum(largest, tl.max(scores, axis=1))
    weights = tl.exp2(scores - larger[:, None])
    shrink = tl.exp2(largest - larger)
    return weights, shrink, larger, size * shrink + tl.sum(weights, axis=1)


@triton.jit
def _store(
    total, largest, size, out, sums, sizes, row, kv_head, rows,
    HEADS: tl.constexpr, GROUP: tl.constexpr, BLOCK: tl.constexpr, DIM: tl.constexpr,
    SPLITS: tl.constexpr,
):  # fmt: skip
    """Write the result of a group, or what a split brings to it."""
    member = tl.arange(0, BLOCK)
    d = tl.arange(0, DIM)
    head = kv_head * GROUP + member
    inside = (member < GROUP)[:, None]
    if SPLITS == 1:
        column = column_in_planes(head[:, None] * DIM + d[None, :])
        result = (total / size[:, None]).to(out.dtype.element_ty)
        tl.store(out + row * HEADS * DIM + column, result, mask=inside)
    else:
        at = (tl.program_id(2) * rows + row) * HEADS + head
        tl.store(sums + at[:, None] * DIM + d[None, :], total, mask=inside)
        _store_sizes(largest, size, sizes, at, member, rows, HEADS, GROUP, SPLITS)


@triton.jit
def _store_halves(
    even, odd, largest, size, out, sums, sizes, row, kv_head, rows,
    HEADS: tl.constexpr, GROUP: tl.constexpr, BLOCK: tl.constexpr, DIM: tl.constexpr,
    SPLITS: tl.constexpr,
):  # fmt: skip
    """Do the same for even and odd columns, which lie apart in the result."""
    HALF: tl.constexpr = DIM // 2  # noqa: N806
    member = tl.arange(0, BLOCK)
    d = tl.arange(0, HALF)
    head = kv_head * GROUP + member
    inside = (member < GROUP)[:, None]
    if SPLITS == 1:
        dtype = out.dtype.element_ty
        column = head[:, None] * DIM + 2 * d[None, :]
        at = out + row * HEADS * DIM
        tl.store(at + column_in_planes(column), (even / size[:, None]).to(dtype), mask=inside)
        tl.store(at + column_in_planes(column + 1), (odd / size[:, None]).to(dtype), mask=inside)
    else:
        at = (tl.program_id(2) * rows + row) * HEADS + head
        column = sums + at[:, None] * DIM + 2 * d[None, :]
        tl.store(column, even, mask=inside)
        tl.store(column + 1, odd, mask=inside)
        _store_sizes(largest, size, sizes, at, member, rows, HEADS, GROUP, SPLITS)


@triton.jit
def _store_sizes(
    largest, size, sizes, at, member, rows,
    HEADS: tl.constexpr, GROUP: tl.constexpr, SPLITS: tl.constexpr,
):  # fmt: skip
    """Write the largest score and the sum of weights of each head of a split."""
    tl.store(sizes + at, largest, mask=member < GROUP)
    tl.store(sizes + SPLITS * rows * HEADS + at, size, mask=member < GROUP)


@triton.jit
def combine_kernel(
    sums, sizes, out, rows, HEADS: tl.constexpr, DIM: tl.constexpr, SPLITS: tl.constexpr
):
    """Bring the splits of one head of one row together."""
    row = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    d = tl.arange(0, DIM)
    at = (tl.arange(0, SPLITS) * rows + row) * HEADS + head
    largest = tl.load(sizes + at)
    weights = tl.exp2(largest - tl.max(largest, axis=0))
    size = tl.sum(weights * tl.load(sizes + SPLITS * rows * HEADS + at), axis=0)
    parts = tl.load(sums + at[:, None] * DIM + d[None, :])
    result = tl.sum(parts * weights[:, None], axis=0) / size
    column = column_in_planes(head * DIM + d)
    tl.store(out + row * HEADS * DIM + column, result.to(out.dtype.element_ty))
