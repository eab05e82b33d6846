"""Products of a few rows with 4-bit weights, in plain Triton: for versions without the Gluon of `gluon_nf4`.

Takes the same arguments and the same order of columns, and its weights are bit for bit the same.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _gathered(index, code):
    """Look up codebook values by index; as assembly, so that Triton does not stage them like operands."""
    return tl.inline_asm_elementwise(
        "{ .reg .u64 at; mad.wide.u32 at, $1, 4, $2; ld.global.nc.f32 $0, [at]; }",
        "=f,r,l", [index, code.to(tl.int64)], dtype=tl.float32, is_pure=True, pack=1,
    )  # fmt: skip


@triton.jit
def _selected(index, code):
    """Look up the same by comparisons."""
    value = tl.zeros_like(index).to(tl.float32)
    for entry in tl.static_range(16):
        value = tl.where(index == entry, tl.load(code + entry), value)
    return value


@triton.jit
def _round(words, scale, x_at, there, code, total, dtype: tl.constexpr, GATHER: tl.constexpr):
    """Add the products of 8 planes of words [WIDE, DEPTH / 8], each with its inputs [DEPTH / 8, ROWS]."""
    PLANE: tl.constexpr = words.shape[1]  # noqa: N806
    for plane in tl.static_range(8):
        # The even one of two weights is the high half of its byte.
        index = (words >> (8 * (plane // 2) + 4 - 4 * (plane % 2))) & 15
        value = _gathered(index, code) if GATHER else _selected(index, code)
        x = tl.load(x_at + plane * PLANE, mask=there[None, :], other=0.0)
        # Codebook times maximum in float32, rounded once: bit for bit what dequantize_4bit gives.
        total = tl.dot((value * scale).to(dtype), x, total)
    return total


@triton.jit
def segment_of(first, weight0, weight1, weight2, end0, end1):
    """Return the weight of an output, its first output, and its number.

    Query, key and value (or gate and up) lie in tensors of their own, and outputs are numbered through. The
    ends are multiples of the tile, so that a program reads one of them.
    """
    weight = weight0
    # An int32 zero of the same type as in the branches.
    start = end0 * 0
    segment = end0 * 0
    if first >= end1:
        weight = weight2
        start = end1
        segment = segment + 2
    elif first >= end0:
        weight = weight1
        start = end0
        segment = segment + 1
    return weight, start, segment


@triton.jit(do_not_specialize=["rows", "tiles", "splits"])
def plain_product(
    x, out, weight0, weight1, weight2, maxima, code, low, lora_b, bias,
    rows, end0, end1, part_stride, low_stride, outputs, tiles, splits,
    INPUTS: tl.constexpr, ROWS: tl.constexpr, WIDE: tl.constexpr, DEPTH: tl.constexpr,
    RANK: tl.constexpr, BIAS: tl.constexpr, GATHER: tl.constexpr,
):  # fmt: skip
    """Compute one tile of the outputs, over one share of the inputs.

    The accumulator is the transposed output, [outputs, rows]: the weights are then the left operand of
    `tl.dot`, which tensor cores take from registers, where dequantising leaves them. As right operand
    they would pass through shared memory.
    """
    part = tl.program_id(0) // tiles
    first = tl.program_id(0) % tiles * WIDE
    weight, start, segment = segment_of(first, weight0, weight1, weight2, end0, end1)
    BLOCKS: tl.constexpr = DEPTH // 64  # noqa: N806
    WORDS: tl.constexpr = DEPTH // 8  # noqa: N806
    begin = part * (INPUTS // DEPTH) // splits
    end = (part + 1) * (INPUTS // DEPTH) // splits
    n = first + tl.arange(0, WIDE)
    m = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    there = m < rows
    w = begin * WORDS + tl.arange(0, WORDS)
    b = begin * BLOCKS + tl.arange(0, BLOCKS)
    words_at = (
        weight.to(tl.pointer_type(tl.int32)) + (n - start)[:, None] * (INPUTS // 8) + w[None, :]
    )
    maxima_at = maxima + n[:, None] * (INPUTS // 64) + b[None, :]
    x_at = x + m[None, :] * INPUTS + begin * DEPTH + tl.arange(0, WORDS)[:, None]
    total = tl.zeros([WIDE, ROWS], dtype=tl.float32)
    for _ in range(begin, end):
        # 64 weights share a maximum: 8 words.
        scale = tl.broadcast_to(tl.load(maxima_at)[:, :, None], (WIDE, BLOCKS, 8)).reshape(
            WIDE, WORDS
        )
        total = _round(
            tl.load(words_at), scale, x_at, there, code, total, x.dtype.element_ty, GATHER
        )
        words_at += WORDS
        maxima_at += BLOCKS
        x_at += DEPTH
    if part == 0:  # partial sums are added up later; the update must be in only one of them
        total = _with_update(total, lora_b, low, low_stride, segment, bias, n, m, there, RANK, BIAS)
    out_at = out + part * part_stride + m[:, None] * outputs + n[None, :]
    tl.store(out_at, tl.trans(total).to(out.dtype.element_ty), mask=there[:, None])


@triton.jit
def _with_update(
    total, lora_b, low, low_stride, segment, bias, n, m, there, RANK: tl.constexpr, BIAS: tl.constexpr
):  # fmt: skip
    """Add B times the inputs' products with A, and the bias, where there are any."""
    if RANK > 0:
        r = tl.arange(0, RANK)
        b = tl.load(lora_b + n[:, None] * RANK + r[None, :])
        low_at = low + m[None, :] * low_stride + segment * RANK + r[:, None]
        total = tl.dot(b, tl.load(low_at, mask=there[None, :], other=0.0), total)
    if BIAS:
        total += tl.load(bias + n)[:, None]
    return total


@triton.jit(do_not_specialize=["rows"])
def low_product(
    x, a, low, rows,
    INPUTS: tl.constexpr, DEEP: tl.constexpr, DEPTH: tl.constexpr, WIDE: tl.constexpr,
    OUTPUTS: tl.constexpr,
):  # fmt: skip
    """Multiply 16 rows with WIDE rows of LoRA's A [OUTPUTS, INPUTS], over one share of DEEP inputs.

    The products are few and the inputs many, so shares of the inputs keep the card busy. Sums are float32,
    [shares, rows, OUTPUTS]; whoever reads them adds the shares up.
    """
    m = tl.program_id(2) * 16 + tl.arange(0, 16)
    r = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    share = tl.program_id(0)
    there = (m < rows)[:, None]
    total = tl.zeros([16, WIDE], dtype=tl.float32)
    for i in tl.static_range(DEEP // DEPTH):
        k = share * DEEP + i * DEPTH + tl.arange(0, DEPTH)
        # The last share may have fewer.
        inside = k < INPUTS
        left = tl.load(
            x + m[:, None] * INPUTS + k[None, :], mask=there & inside[None, :], other=0.0
        )
        right = tl.load(a + r[None, :] * INPUTS + k[:, None], mask=inside[:, None], other=0.0)
        total = tl.dot(left, right, total)
    low_at = low + (share * rows + m)[:, None] * OUTPUTS + r[None, :]
    tl.store(low_at, total, mask=there)
