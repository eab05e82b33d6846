"""Products of a few rows with 4-bit weights, dequantised on the way (QLoRA's NF4, arXiv:2305.14314).

The kernel reads bitsandbytes' own packed weights, so there is one copy of them, and its weights are those
of `dequantize_4bit` bit for bit: codebook value times block maximum in float32, rounded once to the
dtype of products. Two weights share a byte; the inputs therefore come with their even columns before
their odd ones, so that each half of a byte meets inputs that lie side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl

from lawqa.models.projections import Projection

if TYPE_CHECKING:
    from bitsandbytes.functional import QuantState

BLOCK_SIZE = 64
"""Weights that share a maximum; bitsandbytes' default."""
_MOST_SEGMENTS = 3


@dataclass(frozen=True)
class Tile:
    """How a product is divided."""

    rows: int
    """Rows of the input of one program; a power of two, 16 or more."""
    outputs: int
    """Outputs of one program."""
    depth: int
    """Inputs of one round; a multiple of 64."""
    splits: int
    """Programs that share the inputs of one output."""
    warps: int
    """Warps of a program."""
    stages: int
    """Rounds in flight."""


def four_bit_obstacle(projections: Sequence[Projection], dtype: torch.dtype) -> str | None:
    """Return why these layers cannot be multiplied here, or None."""
    if dtype not in (torch.bfloat16, torch.float16):
        return f"products in {dtype}"
    for projection in projections:
        state = getattr(getattr(projection.base, "weight", None), "quant_state", None)
        if state is None:
            return "layers that are not 4-bit"
        rows, columns = state.shape
        if state.blocksize != BLOCK_SIZE or rows % 128 or columns % 256:
            return f"a layer of {rows} x {columns} in blocks of {state.blocksize}"
        if getattr(state, "packing_format_for_cpu", False):
            return "weights packed for a CPU"
    return None


class FusedLinear:
    """Linear layers with the same input, as one product, LoRA beside it.

    Args:
        projections: one to three layers of 4-bit weights.
        dtype: of products.
    """

    def __init__(self, projections: Sequence[Projection], dtype: torch.dtype) -> None:
        states = [projection.base.weight.quant_state for projection in projections]
        self._weights = [projection.base.weight.data for projection in projections]
        self._ends = [0]
        for state in states:
            self._ends.append(self._ends[-1] + state.shape[0])
        self.outputs, self.inputs = self._ends[-1], states[0].shape[1]
        self._maxima = torch.cat([block_maxima(state) for state in states])
        self._code = states[0].code.float()
        self._bias = _joined_bias(projections)
        self._a, self._b, self._rank = _joined_lora(projections, dtype)
        self._multiprocessors, self._stages = _card(self._code.device)

    def __call__(self, x: torch.Tensor, tile: Tile | None = None) -> torch.Tensor:
        """Return partial sums of the outputs, shape [splits, rows, outputs]; float32 if there are several.

        Args:
            x: shape [rows, inputs], even columns before odd ones.
            tile: how to divide the work; None for the usual way.
        """
        rows = len(x)
        tile = tile or pick_tile(
            rows, self.outputs, self.inputs, self._multiprocessors, self._stages
        )
        dtype = x.dtype if tile.splits == 1 else torch.float32
        out = torch.empty(tile.splits, rows, self.outputs, dtype=dtype, device=x.device)
        low = x @ self._a.t() if self._rank else x
        weights = [*self._weights, *self._weights[-1:] * _MOST_SEGMENTS]
        ends = [*self._ends[1:], *self._ends[-1:] * _MOST_SEGMENTS]
        grid = (self.outputs // tile.outputs, tile.splits, triton.cdiv(rows, tile.rows))
        _product[grid](
            x, out, weights[0], weights[1], weights[2], self._maxima, self._code, low, self._b,
            self._code if self._bias is None else self._bias,
            rows, ends[0], ends[1], rows * self.outputs, low.stride(0),
            INPUTS=self.inputs, OUTPUTS=self.outputs, DEEP=self.inputs // tile.splits,
            ROWS=tile.rows, WIDE=tile.outputs, DEPTH=tile.depth, RANK=self._rank,
            BIAS=self._bias is not None, GATHER=x.is_cuda, num_warps=tile.warps, num_stages=tile.stages,
        )  # fmt: skip
        return out


def block_maxima(state: QuantState) -> torch.Tensor:
    """Return the maximum of each block of a 4-bit weight, float32, shape [outputs, inputs / 64].

    Those of double quantisation are dequantised once: 0.4 GiB for 8B weights.
    """
    maxima = state.absmax
    if state.nested:
        from bitsandbytes.functional import dequantize_blockwise

        maxima = dequantize_blockwise(state.absmax, state.state2) + state.offset
    outputs, inputs = state.shape
    reshaped: torch.Tensor = maxima.float().reshape(outputs, inputs // BLOCK_SIZE)
    return reshaped


def halved(x: torch.Tensor) -> torch.Tensor:
    """Return even columns before odd ones."""
    return torch.cat((x[..., 0::2], x[..., 1::2]), dim=-1)


def _card(device: torch.device) -> tuple[int, int]:
    """Return multiprocessors of a card, and the rounds in flight that their shared memory holds."""
    if device.type != "cuda":
        return 1, 1
    properties = torch.cuda.get_device_properties(device)
    return properties.multi_processor_count, stages_in_flight((properties.major, properties.minor))


def stages_in_flight(capability: tuple[int, int]) -> int:
    """Return rounds of a product whose operands the shared memory of a compute capability holds at once."""
    return 2 if capability in ((8, 6), (8, 9), (12, 0)) else 3  # 100 KB, not 164


def pick_tile(rows: int, outputs: int, inputs: int, multiprocessors: int, stages: int) -> Tile:
    """Return a division that keeps the whole card busy: the fewer outputs, the more programs share them."""
    height = min(128, max(16, triton.next_power_of_2(rows)))
    wide = 128 if height >= 64 and outputs // 128 >= multiprocessors else 64
    programs = outputs // wide * triton.cdiv(rows, height)
    splits = 1
    while splits < 8 and 2 * splits * programs <= 3 * multiprocessors and (
        inputs % (2 * splits * 128) == 0
    ):  # fmt: skip
        splits *= 2
    return Tile(height, wide, 128, splits, 8 if wide == 128 else 4, stages)


def _joined_bias(projections: Sequence[Projection]) -> torch.Tensor | None:
    """Return the biases one after the other, float32, shape [outputs]; None where no layer has one."""
    biases = [getattr(projection.base, "bias", None) for projection in projections]
    if all(bias is None for bias in biases):
        return None
    weights = [projection.base.weight for projection in projections]
    return torch.cat(
        [
            weight.data.new_zeros(weight.quant_state.shape[0], dtype=torch.float32)
            if bias is None
            else bias.detach().float()
            for weight, bias in zip(weights, biases, strict=True)
        ]
    )


def _joined_lora(
    projections: Sequence[Projection], dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Return a of all layers [layers * rank, inputs] with halved columns, B [outputs, rank], padded rank."""
    ranks = [0 if p.lora is None else p.lora.a.shape[0] for p in projections]
    device = projections[0].base.weight.device
    if not any(ranks):
        nothing = torch.zeros(1, dtype=dtype, device=device)
        return nothing, nothing, 0
    rank = max(16, triton.next_power_of_2(max(ranks)))
    a_rows, b_rows = [], []
    for projection in projections:
        outputs, inputs = projection.base.weight.quant_state.shape
        a = torch.zeros(rank, inputs, dtype=dtype, device=device)
        b = torch.zeros(outputs, rank, dtype=dtype, device=device)
        if projection.lora is not None:
            width = projection.lora.a.shape[0]
            a[:width], b[:, :width] = halved(projection.lora.a), projection.lora.b
        a_rows.append(a)
        b_rows.append(b)
    return torch.cat(a_rows), torch.cat(b_rows), rank


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
def _product(
    x, out, weight0, weight1, weight2, maxima, code, low, lora_b, bias,
    rows, end0, end1, part_stride, low_stride,
    INPUTS: tl.constexpr, OUTPUTS: tl.constexpr, DEEP: tl.constexpr, ROWS: tl.constexpr,
    WIDE: tl.constexpr, DEPTH: tl.constexpr, RANK: tl.constexpr, BIAS: tl.constexpr,
    GATHER: tl.constexpr,
):  # fmt: skip
    """Compute one tile of the outputs, over one share of the inputs.

    The accumulator is the transposed output, [outputs, rows]: the weights are then the left operand of
    `tl.dot`, which tensor cores take from registers, where dequantising leaves them. As right operand
    they would pass through shared memory.
    """
    first = tl.program_id(0) * WIDE
    split = tl.program_id(1)
    # Query, key and value (or gate and up) lie in tensors of their own, and outputs are numbered through.
    # The ends are multiples of the tile, so that a program reads one of them; `end0 * 0` is an int32 zero
    # of the same type as in the branches below.
    weight = weight0
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
    dtype = x.dtype.element_ty
    BLOCKS: tl.constexpr = DEPTH // 64  # noqa: N806
    HALF: tl.constexpr = DEPTH // 2  # noqa: N806
    n = first + tl.arange(0, WIDE)
    m = tl.program_id(2) * ROWS + tl.arange(0, ROWS)
    there = m < rows
    half = tl.arange(0, HALF)
    begin = split * DEEP
    packed_at = (
        weight + (n - start)[:, None].to(tl.int64) * (INPUTS // 2) + begin // 2 + half[None, :]
    )
    x_at = x + m[None, :] * INPUTS + begin // 2 + half[:, None]
    blocks = tl.arange(0, BLOCKS)
    maxima_at = maxima + n[:, None] * (INPUTS // 64) + begin // 64 + blocks[None, :]
    total = tl.zeros([WIDE, ROWS], dtype=tl.float32)
    for _ in range(DEEP // DEPTH):
        packed = tl.load(packed_at).to(tl.int32)
        scale = tl.load(maxima_at)
        # 64 weights share a maximum: 32 even and 32 odd ones, which are taken in two products.
        scale = tl.broadcast_to(scale[:, :, None], (WIDE, BLOCKS, 32)).reshape(WIDE, HALF)
        even = tl.load(x_at, mask=there[None, :], other=0.0)
        odd = tl.load(x_at + INPUTS // 2, mask=there[None, :], other=0.0)
        # Codebook times maximum in float32, rounded once: bit for bit what dequantize_4bit gives.
        if GATHER:
            high = _gathered(packed >> 4, code)
            lower = _gathered(packed & 15, code)
        else:
            high = _selected(packed >> 4, code)
            lower = _selected(packed & 15, code)
        total = tl.dot((high * scale).to(dtype), even, total)
        total = tl.dot((lower * scale).to(dtype), odd, total)
        packed_at += HALF
        x_at += HALF
        maxima_at += BLOCKS
    if RANK > 0:  # noqa: SIM102 - one is decided when the kernel is compiled, the other when it runs
        # Partial sums are added up later; the update must be in only one of them.
        if split == 0:
            r = tl.arange(0, RANK)
            b = tl.load(lora_b + n[:, None] * RANK + r[None, :])
            low_at = low + m[None, :] * low_stride + segment * RANK + r[:, None]
            total = tl.dot(b, tl.load(low_at, mask=there[None, :], other=0.0), total)
    if BIAS:  # noqa: SIM102 - as above
        if split == 0:
            total += tl.load(bias + n)[:, None]
    out_at = out + split * part_stride + m[:, None] * OUTPUTS + n[None, :]
    tl.store(out_at, tl.trans(total).to(out.dtype.element_ty), mask=there[:, None])
