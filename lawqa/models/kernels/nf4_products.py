"""Products of a few rows with 4-bit weights, dequantised on the way (QLoRA's NF4, arXiv:2305.14314).

The kernels read bitsandbytes' own packed weights, so there is one copy of them, and their weights are those
of `dequantize_4bit` bit for bit: codebook value times block maximum in float32, rounded once to the dtype of
products. There are two: `gluon_nf4`, and `triton_nf4` for versions of Triton on which that does not compile.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
import triton

from lawqa.models.kernels import triton_nf4
from lawqa.models.kernels.triton_planes import DEPTH, in_planes
from lawqa.models.projections import Projection

if TYPE_CHECKING:
    from bitsandbytes.functional import QuantState

BLOCK_SIZE = 64
"""Weights that share a maximum; bitsandbytes' default."""
_MOST_SEGMENTS = 3
_MOST_SPLITS = 8
_LOW_PARTS = 16
"""Shares of the inputs in their products with LoRA's A. 8 were slower on an H200."""
_LOW = 7
"""Where those products are among the arguments of a kernel."""
_LOW_ROWS, _LOW_WIDE = 16, 64
"""Rows, and most outputs, of one program of those products."""
_WIDEST = 128
"""Outputs of the widest tile: a program reads one weight, so ends of weights are multiples of it."""


@dataclass(frozen=True)
class CardLimits:
    """What a division of the work depends on."""

    multiprocessors: int
    shared: int
    """Bytes of shared memory that one program may have."""
    warpgroups: bool
    """Whether four warps multiply together, which only compute capability 9.0 knows."""

    @classmethod
    def of(cls, capability: tuple[int, int], multiprocessors: int) -> CardLimits:
        """Return what a compute capability has."""
        kib = 99 if capability in ((8, 6), (8, 9), (12, 0), (12, 1)) else 163
        return cls(
            multiprocessors, (227 if capability == (9, 0) else kib) << 10, capability == (9, 0)
        )


@dataclass(frozen=True)
class Tile:
    """How a product is divided."""

    rows: int
    """Rows of the input of one program: 16, 32, 64 or 128."""
    outputs: int
    """Outputs of one program: 16 a warp."""
    depth: int
    """Inputs of a round: 128 or 256, and 256 in `triton_nf4`."""
    stages: int
    """Rounds that are in shared memory at once; 3 or more in `gluon_nf4`."""
    registers: int | None = None
    """Most registers of a thread in `gluon_nf4`; None for what the compiler takes."""
    warpgroups: bool = False
    """Whether four warps multiply together in `gluon_nf4`."""
    splits: int = 1
    """Programs that share the inputs of one output."""

    @property
    def warps(self) -> int:
        """Warps of a program."""
        return self.outputs // 16

    @property
    def slack(self) -> int:
        """Slots that stay empty in `gluon_nf4`, so that products run on while the next are asked for."""
        return int(self.warpgroups and self.stages > _FEWEST_STAGES)

    def shared(self, rank: int, *, gluon: bool) -> int:
        """Return the bytes of shared memory of a program: `triton_nf4` has only inputs there."""
        weights = self.outputs * (self.depth // 2 + self.depth // BLOCK_SIZE * 4)
        inputs = 2 * self.rows * self.depth
        low = 2 * self.rows * (min(rank, 32) if gluon else rank)
        return self.stages * (inputs + gluon * weights) + low


_FEWEST_STAGES = 3
_BUSY_WARPS = 8
"""Warps that a multiprocessor needs at least, so that one works while another waits."""
_WARPGROUPS = (
    Tile(128, 128, 128, 3, warpgroups=True),
    Tile(64, 128, 256, 4, warpgroups=True), Tile(64, 128, 256, 3, warpgroups=True),
    Tile(32, 128, 256, 4, warpgroups=True),
    Tile(16, 64, 256, 3, 128), Tile(16, 64, 128, 3, 128),
)  # fmt: skip
"""Tiles of compute capability 9.0, the best first; with few rows a warp by itself is faster there too."""
_WARPS = (
    Tile(128, 128, 128, 3), Tile(64, 128, 128, 4), Tile(64, 128, 128, 3),
    Tile(32, 64, 128, 4, 128), Tile(32, 64, 128, 3, 128),
    Tile(16, 64, 256, 3, 128), Tile(16, 64, 128, 4, 128), Tile(16, 64, 128, 3, 128),
)  # fmt: skip
"""Tiles of other cards."""
_PLAIN = (Tile(128, 128, 256, 2), Tile(64, 64, 256, 2), Tile(32, 64, 256, 2), Tile(16, 64, 256, 2))
"""Tiles of `triton_nf4`. 3 and 4 stages were no faster on an H200."""


def four_bit_obstacle(projections: Sequence[Projection], dtype: torch.dtype) -> str | None:
    """Return why these layers cannot be multiplied here, or None."""
    if dtype not in (torch.bfloat16, torch.float16):
        return f"products in {dtype}"
    for projection in projections:
        weight = getattr(projection.base, "weight", None)
        state = getattr(weight, "quant_state", None)
        if weight is None or state is None:
            return "layers that are not 4-bit"
        rows, columns = state.shape
        if state.blocksize != BLOCK_SIZE or rows % _WIDEST or columns % DEPTH:
            return f"a layer of {rows} x {columns} in blocks of {state.blocksize}"
        if getattr(state, "packing_format_for_cpu", False):
            return "weights packed for a CPU"
        if weight.data_ptr() % 16:
            return "weights that do not begin at a multiple of 16 bytes"
    return None


def gluon_obstacle() -> str | None:
    """Return why this version of Triton does not have what `gluon_nf4` is written in, or None."""
    try:
        import lawqa.models.kernels.gluon_nf4  # noqa: F401 - whether it can be imported is the question
    except (ImportError, AttributeError) as problem:
        return f"Triton {triton.__version__}: {str(problem).split(' (')[0]}"
    return None


class FusedLinear:
    """Linear layers with the same input, as one product, LoRA beside it.

    Args:
        projections: one to three layers of 4-bit weights.
        dtype: of products.
        gluon: whether the kernel is that of `gluon_nf4`, else that of `triton_nf4`.
    """

    def __init__(
        self, projections: Sequence[Projection], dtype: torch.dtype, *, gluon: bool = True
    ) -> None:
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
        self._card = _card(self._code.device)
        self._gluon = gluon

    def tile(self, rows: int) -> Tile:
        """Return the usual division."""
        return pick_tile(rows, self.outputs, self.inputs, self._rank, self._card, gluon=self._gluon)

    def __call__(self, x: torch.Tensor, tile: Tile | None = None) -> torch.Tensor:
        """Return partial sums of the outputs, shape [splits, rows, outputs]; float32 if there are several.

        Args:
            x: shape [rows, inputs], in the order of `in_planes`.
            tile: how to divide the work; None for the usual way.
        """
        rows = len(x)
        tile = tile or self.tile(rows)
        dtype = x.dtype if tile.splits == 1 else torch.float32
        out = torch.empty(tile.splits, rows, self.outputs, dtype=dtype, device=x.device)
        low = self._low(x) if self._rank else x[None]
        if self._rank and not self._gluon:
            low = low.sum(0, keepdim=True).to(x.dtype)
        weights = [*self._weights, *self._weights[-1:] * _MOST_SEGMENTS]
        ends = [*self._ends[1:], *self._ends[-1:] * _MOST_SEGMENTS]
        tiles = self.outputs // tile.outputs
        arguments = (
            x, out, weights[0], weights[1], weights[2], self._maxima, self._code, low, self._b,
            self._code if self._bias is None else self._bias,
            rows, ends[0], ends[1], rows * self.outputs, low.stride(1), self.outputs, tiles, tile.splits,
        )  # fmt: skip
        constants: dict[str, Any] = {
            "INPUTS": self.inputs, "ROWS": tile.rows, "WIDE": tile.outputs, "DEPTH": tile.depth,
            "RANK": self._rank, "BIAS": self._bias is not None,
        }  # fmt: skip
        grid = (tiles * tile.splits, triton.cdiv(rows, tile.rows))
        if self._gluon:
            _launch_gluon(grid, arguments, constants, tile)
        else:
            triton_nf4.plain_product[grid](
                *arguments,
                **constants,
                GATHER=x.device.type != "cpu",
                num_warps=tile.warps,
                num_stages=tile.stages,
            )
        return out

    def _low(self, x: torch.Tensor) -> torch.Tensor:
        """Return shares of the products of x with A, float32, shape [shares, rows, rows of A]."""
        rounds = self.inputs // DEPTH
        deep = triton.cdiv(rounds, _LOW_PARTS)
        parts, rows, outputs = triton.cdiv(rounds, deep), len(x), len(self._a)
        low = torch.empty(parts, rows, outputs, dtype=torch.float32, device=x.device)
        wide = min(self._rank, _LOW_WIDE)
        triton_nf4.low_product[(parts, outputs // wide, triton.cdiv(rows, _LOW_ROWS))](
            x, self._a, low, rows,
            INPUTS=self.inputs, DEEP=deep * DEPTH, DEPTH=DEPTH, WIDE=wide, OUTPUTS=outputs,
            num_warps=4,
        )  # fmt: skip
        return low


def _launch_gluon(
    grid: tuple[int, int], arguments: tuple[Any, ...], constants: dict[str, Any], tile: Tile
) -> None:
    from lawqa.models.kernels import gluon_nf4

    words, sums = _layouts(
        tile.outputs, tile.rows, tile.depth, tile.warps, warpgroups=tile.warpgroups
    )
    options = {} if tile.registers is None else {"maxnreg": tile.registers}
    gluon_nf4.product[grid](
        *arguments, **constants, LOW_PARTS=len(arguments[_LOW]),
        FULL=len(arguments[0]) % tile.rows == 0, STAGES=tile.stages,
        SLACK=tile.slack, WARPGROUPS=tile.warpgroups, WORDS_LAYOUT=words, MMA=sums, WARPS=tile.warps,
        num_warps=tile.warps, **options,
    )  # fmt: skip


@functools.cache
def _layouts(
    outputs: int, rows: int, depth: int, warps: int, *, warpgroups: bool
) -> tuple[Any, Any]:
    """Return the layouts of `gluon_nf4`, made once: a launch compares them."""
    from lawqa.models.kernels.gluon_nf4 import layouts

    return layouts(outputs, rows, depth, warps, warpgroups=warpgroups)


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


def _card(device: torch.device) -> CardLimits:
    if device.type != "cuda":
        return CardLimits.of((8, 0), 1)
    properties = torch.cuda.get_device_properties(device)
    return CardLimits.of((properties.major, properties.minor), properties.multi_processor_count)


def pick_tile(
    rows: int, outputs: int, inputs: int, rank: int, card: CardLimits, *, gluon: bool = True
) -> Tile:
    """Return a division that keeps the whole card busy: the fewer outputs, the more programs share them.

    The best divisions of Qwen3-8B's products on an H200, of all that were tried, are those of this rule. Its
    unit is the time of 256 inputs of a program, 2 to 3 microseconds; a program takes two more to begin and
    end. One program of few rows keeps less than half a multiprocessor busy.
    """
    tile = _usual_shape(rows, rank, card, gluon=gluon)
    programs = outputs // tile.outputs * triton.cdiv(rows, tile.rows)
    # 65,536 registers a multiprocessor; of 255 a thread with 8 warps only one program has enough.
    resident = 65536 // (32 * tile.warps * (tile.registers or 256))
    resident = max(1, min(resident, card.shared // tile.shared(rank, gluon=gluon)))
    rounds = inputs // tile.depth

    def cost(splits: int) -> float:
        full, rest = divmod(triton.cdiv(programs * splits, card.multiprocessors), resident)
        waves = full * max(1, 0.4 * resident) + (rest > 0) * max(1, 0.4 * rest)
        # Partial sums are written and read: half a microsecond for 4,096 outputs of 64 rows on 132
        # multiprocessors, whose share of the memory's bandwidth goes with their number.
        sums = splits * outputs * rows / (7100 * card.multiprocessors)
        return float(waves * (triton.cdiv(rounds, splits) * tile.depth / DEPTH + 2) + sums)

    splits = min(range(1, min(_MOST_SPLITS, rounds) + 1), key=cost)
    return replace(tile, splits=splits)


def _usual_shape(rows: int, rank: int, card: CardLimits, *, gluon: bool) -> Tile:
    """Return the best tile that is no higher than the rows and of which 8 warps fit a multiprocessor."""
    tiles = (_WARPGROUPS if card.warpgroups else _WARPS) if gluon else _PLAIN
    height = min(tiles[0].rows, max(tiles[-1].rows, triton.next_power_of_2(rows)))
    fitting = (
        tile
        for tile in tiles
        if tile.rows <= height
        and (_BUSY_WARPS // tile.warps if gluon else 1) * tile.shared(rank, gluon=gluon)
        <= card.shared
    )
    return next(fitting, tiles[-1])


def padded_rank(ranks: Sequence[int]) -> int:
    """Return the rank that LoRA's A and B of joined layers are padded to; 0 where none has any."""
    return max(16, int(triton.next_power_of_2(max(ranks)))) if any(ranks) else 0


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
    """Return A of all layers [layers * rank, inputs] in the order of `in_planes`, B [outputs, rank], and the
    padded rank.
    """
    rank = padded_rank([0 if p.lora is None else p.lora.a.shape[0] for p in projections])
    device = projections[0].base.weight.device
    if not rank:
        nothing = torch.zeros(1, dtype=dtype, device=device)
        return nothing, nothing, 0
    a_rows, b_rows = [], []
    for projection in projections:
        outputs, inputs = projection.base.weight.quant_state.shape
        a = torch.zeros(rank, inputs, dtype=dtype, device=device)
        b = torch.zeros(outputs, rank, dtype=dtype, device=device)
        if projection.lora is not None:
            width = projection.lora.a.shape[0]
            a[:width], b[:, :width] = in_planes(projection.lora.a), projection.lora.b
        a_rows.append(a)
        b_rows.append(b)
    return torch.cat(a_rows), torch.cat(b_rows), rank
