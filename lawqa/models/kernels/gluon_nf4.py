"""Products of a few rows with 4-bit weights, with layouts spelled out (Gluon, Triton's lower level).

Computes what `triton_nf4` computes, with bit for bit the same weights. Four things are out of its reach:

- Packed weights, their maxima and inputs are copied into shared memory several rounds ahead, without
  passing through registers; a slot holds what one round needs.
- Eight weights are read as one 32-bit word, by the very thread whose tensor-core operand they become; what
  is dequantised never leaves the registers.
- The codebook lies in the registers of a warp, an entry a lane, and is looked up by `shfl`, which takes the
  low four bits of an index by itself: a shift, a shuffle, a product and half a rounding a weight.
- Warpgroups (compute capability 9.0) multiply while the next plane of weights is decoded, the first plane of
  the next round included.

Gluon comes with Triton 3.6 and later in the form that is used here; names that changed since are looked up.
"""

from __future__ import annotations

from typing import Any

from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia import ampere
from triton.experimental.gluon.language.nvidia.ampere import async_copy
from triton.experimental.gluon.language.nvidia.hopper import (
    fence_async_shared,
    warpgroup_mma,
    warpgroup_mma_init,
    warpgroup_mma_wait,
)

from lawqa.models.kernels import triton_nf4, triton_planes

# Renamed in Triton 3.7 and 3.9.
_barrier = gl.barrier if hasattr(gl, "barrier") else gl.thread_barrier
_async_load = (
    async_copy.async_load
    if hasattr(async_copy, "async_load")
    else async_copy.async_copy_global_to_shared
)
_mma_v2 = ampere.mma_v2  # missing in Triton 3.5: an error here rather than in the kernel
# Written in what both languages share.
_segment = gluon.jit(triton_nf4.segment_of.fn)
_ORDER = gl.constexpr(triton_planes.DEPTH)
"""Columns that are in order together; a round takes all of them, or as many of each plane."""


def layouts(wide: int, rows: int, depth: int, warps: int, *, warpgroups: bool) -> tuple[Any, Any]:
    """Return the layout of words [wide, depth / 64, 8], and that of sums [wide, rows].

    That of words is the one of a left operand of 16-bit numbers [wide, depth / 8], written out with blocks of
    64 weights as a dimension of their own: a thread of a quad holds words 2q, 2q + 1, 2q + 8, 2q + 9.
    """
    registers = [[0, 0, 1], *([0, 1 << bit, 0] for bit in range((depth // 64).bit_length() - 1))]
    registers.append([8, 0, 0])
    lanes = [[0, 0, 2], [0, 0, 4], [1, 0, 0], [2, 0, 0], [4, 0, 0]]
    across = [[16 << bit, 0, 0] for bit in range(warps.bit_length() - 1)]
    registers += [
        [16 * warps << bit, 0, 0] for bit in range((wide // (16 * warps)).bit_length() - 1)
    ]
    words = gl.DistributedLinearLayout(registers, lanes, across, [], [wide, depth // 64, 8])
    version, tile = ([3, 0], [16, rows, 16]) if warpgroups else ([2, 0], [16, 8])
    return words, gl.NVMMADistributedLayout(version, [warps, 1], tile)


@gluon.jit
def _entry_of_lane(code):
    """Load entry (lane modulo 16) of the codebook: a scalar that differs from lane to lane."""
    return gl.inline_asm_elementwise(
        """{ .reg .u32 lane; .reg .u64 at;
        mov.u32 lane, %laneid; and.b32 lane, lane, 15;
        mad.wide.u32 at, lane, 4, $1; ld.global.nc.f32 $0, [at]; }""",
        "=f,l", [code.to(gl.int64)], dtype=gl.float32, is_pure=True, pack=1,
    )  # fmt: skip


@gluon.constexpr_function
def _dequantise(dtype: Any) -> str:
    """Return the assembly that looks up two entries, scales them in float32 and rounds both once."""
    pair = "bf16x2" if dtype == gl.bfloat16 else "f16x2"
    return f"""{{ .reg .u32 i, j; .reg .f32 a, b;
        shr.u32 i, $1, $7; shr.u32 j, $2, $7;
        shfl.sync.idx.b32 a, $5, i, 0x101f, 0xffffffff;
        shfl.sync.idx.b32 b, $6, j, 0x101f, 0xffffffff;
        mul.rn.f32 a, a, $3; mul.rn.f32 b, b, $4;
        cvt.rn.{pair}.f32 $0, b, a; }}"""


@gluon.jit
def _decoded(words, scale, table, shift, dtype: gl.constexpr):
    """Dequantise four bits of each word: codebook times maximum in float32, rounded once."""
    return gl.inline_asm_elementwise(
        _dequantise(dtype), "=r,r,r,f,f,f,f,r,r", [words, scale, table, shift],
        dtype=dtype.value, is_pure=True, pack=2,
    )  # fmt: skip


@gluon.jit
def _plane(words, scale, table, P: gl.constexpr, dtype: gl.constexpr, A: gl.constexpr):
    """Dequantise plane P as a left operand; the even one of two weights is the high half of its byte."""
    part = _decoded(words, scale, table, 8 * (P // 2) + 4 - 4 * (P % 2), dtype)
    return gl.convert_layout(
        part.reshape([part.shape[0], part.shape[1] * 8]), A, assert_trivial=True
    )


@gluon.constexpr_function
def _flat(words):
    """Return the layout of words without blocks as a dimension, [wide, depth / 8]."""

    def two(bases: list[list[int]]) -> list[list[int]]:
        return [[n, 8 * block + w] for n, block, w in bases]

    return gl.DistributedLinearLayout(
        two(words.reg_bases), two(words.lane_bases), two(words.warp_bases), [],
        [words.shape[0], 8 * words.shape[1]],
    )  # fmt: skip


@gluon.jit
def _inputs_at(
    x, INPUTS: gl.constexpr, ROWS: gl.constexpr, DEPTH: gl.constexpr, WARPS: gl.constexpr
):
    """Return pointers to the inputs of round 0, [ROWS, DEPTH], and the numbers of their rows."""
    X: gl.constexpr = gl.BlockedLayout([1, 8], [256 // DEPTH, DEPTH // 8], [WARPS, 1], [1, 0])
    m = gl.program_id(1) * ROWS + gl.arange(0, ROWS, gl.SliceLayout(1, X))
    k = gl.arange(0, DEPTH, gl.SliceLayout(0, X))
    k = k // (DEPTH // 8) * (_ORDER // 8) + k % (DEPTH // 8)
    return x + gl.expand_dims(m, 1) * INPUTS + gl.expand_dims(k, 0), gl.expand_dims(m, 1)


@gluon.jit
def _weights_at(
    weight, maxima, start, first, begin,
    INPUTS: gl.constexpr, WIDE: gl.constexpr, DEPTH: gl.constexpr, WARPS: gl.constexpr,
):  # fmt: skip
    """Return pointers to the words of the first round, [WIDE, DEPTH / 8], and to its maxima."""
    W: gl.constexpr = gl.BlockedLayout([1, 4], [1024 // DEPTH, DEPTH // 32], [WARPS, 1], [1, 0])
    BLOCKS: gl.constexpr = DEPTH // 64
    S: gl.constexpr = gl.BlockedLayout([1, BLOCKS], [32, 1], [WARPS, 1], [1, 0])
    n = first - start + gl.arange(0, WIDE, gl.SliceLayout(1, W))
    w = begin * (DEPTH // 8) + gl.arange(0, DEPTH // 8, gl.SliceLayout(0, W))
    words_at = weight.to(gl.pointer_type(gl.int32), bitcast=True) + (
        gl.expand_dims(n, 1) * (INPUTS // 8) + gl.expand_dims(w, 0)
    )
    n = first + gl.arange(0, WIDE, gl.SliceLayout(1, S))
    b = begin * BLOCKS + gl.arange(0, BLOCKS, gl.SliceLayout(0, S))
    return words_at, maxima + gl.expand_dims(n, 1) * (INPUTS // 64) + gl.expand_dims(b, 0)


@gluon.jit
def _ask(
    xs, ws, ms, x_at, words_at, maxima_at, there, begin, i,
    STAGES: gl.constexpr, DEPTH: gl.constexpr,
):  # fmt: skip
    """Start the copies of round i of this program, which begins with round `begin`, into its slot."""
    PER: gl.constexpr = _ORDER // DEPTH
    # Shares of a group of planes begin inside its first plane.
    column = (begin + i) // PER * _ORDER + (begin + i) % PER * (DEPTH // 8)
    slot = i % STAGES
    _async_load(ws.index(slot), words_at + i * (DEPTH // 8))
    _async_load(ms.index(slot), maxima_at + i * (DEPTH // 64))
    _async_load(xs.index(slot), x_at + column, mask=there)


@gluon.jit
def _taken(ws, ms, i, STAGES: gl.constexpr, WORDS_LAYOUT: gl.constexpr):
    """Read words [WIDE, BLOCKS, 8] and their maxima, repeated, from the slot of round i."""
    words = ws.index(i % STAGES).load(_flat(WORDS_LAYOUT))
    words = words.reshape([words.shape[0], words.shape[1] // 8, 8])
    words = gl.convert_layout(words, WORDS_LAYOUT, assert_trivial=True)
    scale = ms.index(i % STAGES).load(gl.SliceLayout(2, WORDS_LAYOUT))
    return words, scale


@gluon.jit
def _round(words, scale, table, before, tile, total, MMA: gl.constexpr):
    """Add the products of one round by `mma.sync`; `before` is its first plane."""
    A: gl.constexpr = gl.DotOperandLayout(0, MMA, 2)
    B: gl.constexpr = gl.DotOperandLayout(1, MMA, 2)
    PLANE: gl.constexpr = words.shape[1] * 8
    inputs = tile.slice(0, PLANE, dim=1).permute((1, 0)).load(B)
    total = _mma_v2(before, inputs, total)
    for p in gl.static_range(1, 8):
        now = _plane(words, scale, table, p, tile.dtype, A)
        inputs = tile.slice(p * PLANE, PLANE, dim=1).permute((1, 0)).load(B)
        total = _mma_v2(now, inputs, total)
    return total


@gluon.jit(do_not_specialize=["rows", "tiles", "splits"])
def product(
    x, out, weight0, weight1, weight2, maxima, code, low, lora_b, bias,
    rows, end0, end1, part_stride, low_stride, outputs, tiles, splits,
    INPUTS: gl.constexpr, ROWS: gl.constexpr, FULL: gl.constexpr, WIDE: gl.constexpr,
    DEPTH: gl.constexpr, RANK: gl.constexpr, LOW_PARTS: gl.constexpr, BIAS: gl.constexpr,
    STAGES: gl.constexpr, SLACK: gl.constexpr, WARPGROUPS: gl.constexpr,
    WORDS_LAYOUT: gl.constexpr, MMA: gl.constexpr, WARPS: gl.constexpr,
):  # fmt: skip
    """Compute one tile of the outputs, over one share of the inputs; sums are transposed, [outputs, rows].

    FULL says that `rows` is a multiple of ROWS. `low` has the inputs' products with A, of LOW_PARTS shares of
    the inputs, [LOW_PARTS, rows, low_stride]. STAGES rounds have slots in shared memory, 3 or more; with
    SLACK 1 one stays empty, and products of warpgroups run on from round to round.
    """
    PLANE: gl.constexpr = DEPTH // 8
    AHEAD: gl.constexpr = STAGES - 1 - SLACK
    A: gl.constexpr = gl.DotOperandLayout(0, MMA, 2)
    dtype: gl.constexpr = x.dtype.element_ty
    part = gl.program_id(0) // tiles
    first = gl.program_id(0) % tiles * WIDE
    begin = part * (INPUTS // DEPTH) // splits
    count = (part + 1) * (INPUTS // DEPTH) // splits - begin
    table = _entry_of_lane(code)
    weight, start, segment = _segment(first, weight0, weight1, weight2, end0, end1)
    x_at, m = _inputs_at(x, INPUTS, ROWS, DEPTH, WARPS)
    words_at, maxima_at = _weights_at(
        weight, maxima, start, first, begin, INPUTS, WIDE, DEPTH, WARPS
    )
    there: gl.constexpr = None
    if not FULL:
        there = m < rows
    xs = gl.allocate_shared_memory(
        dtype, [STAGES, ROWS, DEPTH], gl.NVMMASharedLayout(128, 16, rank=2)
    )
    # Eight rows read 32 bytes each: half of them at a time must lie in different banks.
    ws = gl.allocate_shared_memory(
        gl.int32, [STAGES, WIDE, PLANE],
        gl.SwizzledSharedLayout(8, 256 // DEPTH, DEPTH // 64, [1, 0]),
    )  # fmt: skip
    ms = gl.allocate_shared_memory(
        gl.float32, [STAGES, WIDE, DEPTH // 64], gl.SwizzledSharedLayout(1, 1, 1, [1, 0])
    )
    for i in gl.static_range(AHEAD):
        if i < count:
            _ask(xs, ws, ms, x_at, words_at, maxima_at, there, begin, i, STAGES, DEPTH)
        async_copy.commit_group()
    async_copy.wait_group(AHEAD - 1)
    _barrier()
    words, scale = _taken(ws, ms, 0, STAGES, WORDS_LAYOUT)
    scale, _ = gl.broadcast(gl.expand_dims(scale, 2), words)
    total = gl.zeros([WIDE, ROWS], gl.float32, MMA)
    if WARPGROUPS:
        total = warpgroup_mma_init(total)
    before = _plane(words, scale, table, 0, dtype, A)
    last = before
    for i in range(count):
        if WARPGROUPS and SLACK == 0:
            total, last = warpgroup_mma_wait(0, deps=[total, last])
            total = warpgroup_mma_init(total)
        # The next round's words are read now; its inputs come with them.
        async_copy.wait_group(AHEAD - 2)
        _barrier()
        # Every warp has used the slot of the round before, or with SLACK that of the one before it.
        if i + AHEAD < count:
            _ask(xs, ws, ms, x_at, words_at, maxima_at, there, begin, i + AHEAD, STAGES, DEPTH)
        async_copy.commit_group()
        next_words, next_scale = _taken(ws, ms, i + 1, STAGES, WORDS_LAYOUT)
        tile = xs.index(i % STAGES)
        if WARPGROUPS:
            inputs = tile.slice(0, PLANE, dim=1).permute((1, 0))
            total = warpgroup_mma(before, inputs, total, is_async=True)
            if SLACK > 0:
                total, last = warpgroup_mma_wait(1, deps=[total, last])
                total = warpgroup_mma_init(total)
            for p in gl.static_range(1, 8):
                now = _plane(words, scale, table, p, dtype, A)
                inputs = tile.slice(p * PLANE, PLANE, dim=1).permute((1, 0))
                total = warpgroup_mma(now, inputs, total, is_async=True)
                total, before = warpgroup_mma_wait(1, deps=[total, before])
                total = warpgroup_mma_init(total)
                before = now
        else:
            total = _round(words, scale, table, before, tile, total, MMA)
        words = next_words
        scale, _ = gl.broadcast(gl.expand_dims(next_scale, 2), words)
        # While the last products of this round run.
        last = before
        before = _plane(words, scale, table, 0, dtype, A)
    if WARPGROUPS:
        total, last = warpgroup_mma_wait(0, deps=[total, last])
    async_copy.wait_group(0)
    if RANK > 0:  # noqa: SIM102 - one is decided when the kernel is compiled, the other when it runs
        # Partial sums are added up later; the update must be in only one of them.
        if part == 0:
            total = _with_lora(
                total, lora_b, low + segment * RANK, low_stride, first, rows,
                ROWS, WIDE, RANK, LOW_PARTS, WARPGROUPS, MMA, WARPS,
            )  # fmt: skip
    n_out = first + gl.arange(0, WIDE, gl.SliceLayout(1, MMA))
    m_out = gl.program_id(1) * ROWS + gl.arange(0, ROWS, gl.SliceLayout(0, MMA))
    if BIAS:  # noqa: SIM102 - as above
        if part == 0:
            total += gl.expand_dims(gl.load(bias + n_out), 1)
    out_at = out + part * part_stride + gl.expand_dims(m_out, 0) * outputs
    gl.store(
        out_at + gl.expand_dims(n_out, 1), total.to(out.dtype.element_ty),
        mask=gl.expand_dims(m_out < rows, 0),
    )  # fmt: skip


@gluon.jit
def _with_lora(
    total, lora_b, low, low_stride, first, rows,
    ROWS: gl.constexpr, WIDE: gl.constexpr, RANK: gl.constexpr, LOW_PARTS: gl.constexpr,
    WARPGROUPS: gl.constexpr, MMA: gl.constexpr, WARPS: gl.constexpr,
):  # fmt: skip
    """Add B [WIDE, RANK] times the inputs' products with A [ROWS, RANK], of which there are shares.

    Of a high rank 32 at a time, which registers hold.
    """
    AT_ONCE: gl.constexpr = 32 if RANK > 32 else RANK
    A: gl.constexpr = gl.DotOperandLayout(0, MMA, 2)
    L: gl.constexpr = gl.BlockedLayout([1, 2], [4, 8], [WARPS, 1], [1, 0])
    n = first + gl.arange(0, WIDE, gl.SliceLayout(1, A))
    r = gl.arange(0, AT_ONCE, gl.SliceLayout(0, A))
    m = gl.program_id(1) * ROWS + gl.arange(0, ROWS, gl.SliceLayout(1, L))
    k = gl.arange(0, AT_ONCE, gl.SliceLayout(0, L))
    b_at = lora_b + gl.expand_dims(n, 1) * RANK + gl.expand_dims(r, 0)
    low_at = low + gl.expand_dims(m, 1) * low_stride + gl.expand_dims(k, 0)
    there = gl.expand_dims(m < rows, 1)
    for _ in range(RANK // AT_ONCE):
        b = gl.load(b_at)
        products = gl.load(low_at, mask=there, other=0.0)
        for share in gl.static_range(1, LOW_PARTS):
            products += gl.load(low_at + share * rows * low_stride, mask=there, other=0.0)
        products = products.to(b.dtype)
        shared = gl.allocate_shared_memory(
            products.dtype, [ROWS, AT_ONCE],
            gl.NVMMASharedLayout(2 * AT_ONCE, 16, rank=2), products,
        ).permute((1, 0))  # fmt: skip
        if WARPGROUPS:
            fence_async_shared()
            total = warpgroup_mma(b, shared, total)
        else:
            B: gl.constexpr = gl.DotOperandLayout(1, MMA, 2)
            total = _mma_v2(b, shared.load(B), total)
        b_at += AT_ONCE
        low_at += AT_ONCE
    return total
