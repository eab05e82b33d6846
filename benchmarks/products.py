"""How long a step's 4-bit products take, by rows, kernel and tile.

    python benchmarks/products.py [--shape Qwen3-8B] [--rows 1 16 64 80 128 140] [--rank 16] [--layers 36]
        [--tiles 64x128/256/3w 16x64/256/3/128 plain:64x64/256/3] [--splits 1 2 3 4 5 6 8] [--check]

A tile is [plain:]ROWSxOUTPUTS/DEPTH/STAGES[/REGISTERS][w]: `plain:` for the kernel of plain Triton, `w` for
warpgroups (compute capability 9.0). Each is tried with all --splits, for rows that it suits, beside the one
that `pick_tile` chooses. Layers are distinct, so that no cache serves their weights. Before anything is timed
each tile has to decode weights as bitsandbytes does, bit for bit, and to be near products in float64. Times
are medians of CUDA graphs. `--check` prints what would be measured on an H200, without a card.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Sequence
from dataclasses import replace

import torch
from hf_common import cap_memory, graph_ms
from random_models import SHAPES

from lawqa.models.kernels.nf4_products import (
    CardLimits,
    FusedLinear,
    Tile,
    four_bit_obstacle,
    gluon_obstacle,
    padded_rank,
    pick_tile,
)
from lawqa.models.kernels.triton_planes import in_planes
from lawqa.models.projections import Lora, Projection

H200 = CardLimits.of((9, 0), 132)
DTYPE = torch.bfloat16
TILES = ("64x128/256/3w", "128x128/128/3w", "64x128/128/4", "16x64/256/3/128", "plain:64x64/256/3")
CHECKED = (512, 256, 256)
"""Outputs of the layers that are compared with float64."""
CHECKED_INPUTS = 2304
"""Nine rounds of 256: slots are used again, and shares of the inputs are not even."""
MOST_ERRORS = 1e-4, 1e-2
"""Relative to the largest value: of float32 sums without LoRA, and of bfloat16 outputs with it."""

Kind = tuple[bool, Tile]
"""Whether the kernel is Gluon's, and how the product is divided."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="Qwen3-8B")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 16, 64, 80, 128, 140])
    parser.add_argument("--rank", type=int, default=16, help="of LoRA; 0 for none")
    parser.add_argument("--layers", type=int, help="distinct ones; all of the shape")
    parser.add_argument("--tiles", type=read_tile, nargs="*", default=[*map(read_tile, TILES)])
    parser.add_argument("--splits", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6, 8])
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--check", action="store_true", help="print what would be measured")
    return parser.parse_args()


def read_tile(text: str) -> Kind:
    """Read a tile as it is written on the command line."""
    found = re.fullmatch(r"(plain:)?(\d+)x(\d+)/(\d+)/(\d+)(?:/(\d+))?(w?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text}: not ROWSxOUTPUTS/DEPTH/STAGES[/REGISTERS][w]")
    plain, *sizes, registers, warpgroups = found.groups()
    if plain and (registers or warpgroups):
        raise argparse.ArgumentTypeError(f"{text}: plain Triton takes no registers and no w")
    rows, outputs, depth, stages = map(int, sizes)
    most = int(registers) if registers else None
    return not plain, Tile(rows, outputs, depth, stages, most, bool(warpgroups))


def written(kind: Kind) -> str:
    """The same text, and how many programs share the inputs."""
    gluon, tile = kind
    registers = f"/{tile.registers}" if tile.registers else ""
    text = f"{tile.rows}x{tile.outputs}/{tile.depth}/{tile.stages}{registers}"
    return f"{'' if gluon else 'plain:'}{text}{'w' * tile.warpgroups} in {tile.splits}"


def products_of(shape: str) -> dict[str, tuple[tuple[int, ...], int]]:
    """Outputs of the joined layers, and inputs, of each product of a layer."""
    numbers = SHAPES[shape][1]
    hidden, wide, dim = (numbers[key] for key in ("hidden_size", "intermediate_size", "head_dim"))
    queries, keys = numbers["num_attention_heads"] * dim, numbers["num_key_value_heads"] * dim
    return {
        "qkv": ((queries, keys, keys), hidden), "out": ((hidden,), queries),
        "gate_up": ((wide, wide), hidden), "down": ((hidden,), wide),
    }  # fmt: skip


def suiting(kinds: Sequence[Kind], rows: int, sizes: Sequence[int], inputs: int) -> list[Kind]:
    """Those tiles that are no higher than they need to be, and whose outputs and rounds fit the layers."""
    height = max(16, 1 << (rows - 1).bit_length())
    return [
        (gluon, tile) for gluon, tile in kinds
        if tile.rows <= height and 2 * tile.rows >= min(height, 128)
        and all(size % tile.outputs == 0 for size in sizes) and inputs % tile.depth == 0
    ]  # fmt: skip


def made(sizes: Sequence[int], inputs: int, rank: int, device: str) -> list[Projection]:
    """Layers of random weights, quantised by bitsandbytes, with an adapter."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    layers = []
    for size in sizes:
        module = Linear4bit(inputs, size, bias=False, device="meta")
        weight = torch.randn(size, inputs, device=device, dtype=DTYPE) * 0.02
        module.weight = Params4bit(weight, requires_grad=False, quant_type="nf4").to(device)
        a, b = (torch.randn(two, device=device) for two in ((rank, inputs), (size, rank)))
        lora = Lora((a * 0.02).to(DTYPE), (b * 0.2).to(DTYPE)) if rank else None
        layers.append(Projection(module, lora))
    reason = four_bit_obstacle(layers, DTYPE)
    if reason:
        raise SystemExit(f"the kernels do not multiply {reason}")
    return layers


def found(kind: Kind, layers: Sequence[Projection]) -> tuple[int, float, float]:
    """Return wrong weights, and errors of float32 sums without LoRA and of bfloat16 outputs with it."""
    from bitsandbytes.functional import dequantize_4bit

    gluon, tile = kind
    weights = [layer.base.weight for layer in layers]
    dense = torch.cat([dequantize_4bit(w.data, w.quant_state).to(DTYPE) for w in weights])
    bare = FusedLinear([replace(layer, lora=None) for layer in layers], DTYPE, gluon=gluon)
    two, one = replace(tile, splits=2), replace(tile, splits=1)
    unit = torch.eye(CHECKED_INPUTS, device=dense.device, dtype=DTYPE)
    wrong = bare(in_planes(unit), two).sum(0).to(DTYPE) != dense.t()
    x = torch.randn(tile.rows - 5, CHECKED_INPUTS, device=dense.device).to(DTYPE)
    sums = x.double() @ dense.double().t()
    updates = [(x @ p.lora.a.t()).double() @ p.lora.b.double().t() for p in layers if p.lora]
    outputs = sums + torch.cat(updates, dim=-1) if updates else sums
    joined = FusedLinear(layers, DTYPE, gluon=gluon)
    return (
        int(wrong.sum()), _error(bare(in_planes(x), two), sums),
        _error(joined(in_planes(x), one), outputs),
    )  # fmt: skip


def _error(parts: torch.Tensor, expected: torch.Tensor) -> float:
    return float((parts.double().sum(0) - expected).abs().max() / expected.abs().max())


def right(kinds: Sequence[Kind], rank: int, device: str) -> list[Kind]:
    """Check each tile, print its errors, and return those that can be launched.

    Raises:
        SystemExit: if one computes something else.
    """
    torch.manual_seed(0)
    layers, good = made(CHECKED, CHECKED_INPUTS, rank, device), []
    for kind in kinds:
        try:
            bits, sums, outputs = found(kind, layers)
        except Exception as problem:  # noqa: BLE001 - a tile may not fit the card; the others may
            print(f"{written(kind)}: {type(problem).__name__}: {str(problem)[:120]}", flush=True)
            continue
        print(
            f"{written(kind)}: {bits} wrong weights, errors {sums:.1e}, {outputs:.1e}", flush=True
        )
        if bits or not (sums < MOST_ERRORS[0] and outputs < MOST_ERRORS[1]):
            raise SystemExit(f"{written(kind)} computes something else")
        good.append(kind)
    return good


def times(group: Sequence[FusedLinear], x: torch.Tensor, tile: Tile | None) -> float:
    """Milliseconds of all layers, the median of three graphs; with no tile of the products with A alone."""

    def work() -> None:
        for linear in group:
            linear._low(x) if tile is None else linear(x, tile)

    return statistics.median(graph_ms(work, 4) for _ in range(3))


def measure(options: argparse.Namespace, kinds: Sequence[Kind], here: Sequence[bool]) -> None:
    """Time every product, print each, and the table at the end."""
    layers = options.layers or SHAPES[options.shape][1]["num_hidden_layers"]
    table: dict[int, list[str]] = {rows: [] for rows in options.rows}
    sums = {rows: [0.0] * (len(here) + 2) for rows in options.rows}
    for name, (sizes, inputs) in products_of(options.shape).items():
        each = [made(sizes, inputs, options.rank, "cuda") for _ in range(layers)]
        groups = {gluon: [FusedLinear(one, DTYPE, gluon=gluon) for one in each] for gluon in here}
        for rows in options.rows:
            x = torch.randn(rows, inputs, device="cuda").to(DTYPE)
            usual = [(gluon, group[0].tile(rows)) for gluon, group in groups.items()]
            others = [
                (gluon, replace(tile, splits=splits))
                for gluon, tile in suiting(kinds, rows, sizes, inputs)
                for splits in options.splits if gluon in here and splits <= inputs // tile.depth
            ]  # fmt: skip
            ms = {kind: times(groups[kind[0]], x, kind[1]) for kind in (*usual, *others)}
            low = times(groups[here[0]], x, None) if options.rank else 0.0
            ranking = sorted(ms, key=ms.__getitem__)
            for kind in ranking:
                print(f"  {name} {rows} rows: {ms[kind]:.3f} {written(kind)}", flush=True)
            columns = [*usual, ranking[0]]
            cells = [f"{ms[kind]:.3f} ({written(kind)})" for kind in columns]
            table[rows].append(f"| {rows} | {name} | {' | '.join(cells)} | {low:.3f} |")
            now = [*(ms[kind] for kind in columns), low]
            sums[rows] = [a + b for a, b in zip(sums[rows], now, strict=True)]
    names = ["Gluon" if gluon else "plain Triton" for gluon in here]
    print(f"\n| rows | product | {' | '.join(names)} | best of all | A alone |")
    print("|---" * (len(names) + 4) + "|")
    for rows, lines in table.items():
        print("\n".join(lines))
        print(f"| {rows} | sum | {' | '.join(f'{ms:.3f}' for ms in sums[rows])} |")


def main() -> None:
    """Check, measure and print."""
    options = arguments()
    reason = gluon_obstacle()
    here = [False] if reason else [True, False]
    print(f"kernels: plain Triton{f' alone: {reason}' if reason else ', Gluon'}")
    card, rank = H200 if options.check else this_card(), padded_rank([options.rank])
    usual: list[Kind] = []
    for name, (sizes, inputs) in products_of(options.shape).items():
        for rows in options.rows:
            own = [(g, pick_tile(rows, sum(sizes), inputs, rank, card, gluon=g)) for g in here]
            others = [written(kind) for kind in suiting(options.tiles, rows, sizes, inputs)]
            usual += own
            if options.check:
                print(f"{name} {rows} rows: {[*map(written, own)]}; all --splits of {others}")
    if options.check:
        return
    cap_memory(options.memory_gib)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {options.memory_gib} GiB")
    shapes = {(gluon, replace(tile, splits=1)) for gluon, tile in usual} | set(options.tiles)
    good = right(sorted(shapes, key=written), options.rank, "cuda")
    measure(options, [kind for kind in options.tiles if kind in good], here)


def this_card() -> CardLimits:
    """What the division depends on."""
    properties = torch.cuda.get_device_properties(0)
    return CardLimits.of((properties.major, properties.minor), properties.multi_processor_count)


if __name__ == "__main__":
    main()
