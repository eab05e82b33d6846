"""How fast answers are written, beside transformers' own generate, and where a step's time goes.

    python benchmarks/generate.py MODEL_DIR QUESTIONS.json [--adapter DIR] [--new 512] [--peers] [--tiles]

Nothing stops early: every completion has all its tokens, so that runs compare. Needs a CUDA device.
"""

from __future__ import annotations

import argparse
import itertools
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hf_common import cap_memory, graph_ms, load, peak, prompts, reset_peak, synchronised

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.cache import PAGE, PagedCache
from lawqa.backends.hf.engine.opening import open_engine
from lawqa.backends.hf.engine.sequence import Request
from lawqa.backends.hf.engine.steps import Rows, Stepper
from lawqa.backends.hf.plain_generation import generate_plain
from lawqa.backends.hf.plain_model import PlainModel
from lawqa.models.agreement import judge_tokens
from lawqa.models.decoder import Decoder, read_decoder
from lawqa.models.kernels.triton_probe import triton_obstacle
from lawqa.models.load import LoadedModel


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--new", type=int, default=512)
    parser.add_argument("--questions-asked", type=int, default=140)
    parser.add_argument("--peers", action="store_true", help="transformers' generate as well")
    parser.add_argument("--unfused", action="store_true", help="the engine without kernels as well")
    parser.add_argument("--tiles", action="store_true", help="try divisions of the 4-bit product")
    return parser.parse_args()


def engine_run(
    decoder: Decoder, loaded: LoadedModel, encoded: list[Any], new: int, *, kernels: bool
) -> list[tuple[int, ...]]:
    """One run of the engine, its figures printed; the tokens of each prompt."""
    settings = GenerationSettings(new)
    requests = [Request(n, tuple(item.ids), n, new) for n, item in enumerate(encoded)]
    reset_peak()
    began = synchronised()
    engine = open_engine(decoder, requests, settings, (), loaded.tokenizer, kernels=kernels)
    found: dict[int, tuple[int, ...]] = {}
    for done in engine.run(requests):
        tokens = getattr(done, "tokens", None)
        if tokens is None:
            raise SystemExit(f"not answered: {done}")
        found[done.number] = tokens
    seconds = synchronised() - began
    total, stats = sum(map(len, found.values())), engine.stats
    print(
        f"engine ({'fused' if kernels else 'plain torch'}): {len(found)} x {new}: {seconds:.2f} s, "
        f"{total / seconds:.0f} tok/s, peak {peak():.2f} GiB\n  {stats}\n  "
        f"{stats.step_seconds / max(stats.steps, 1) * 1e3:.2f} ms a step with "
        f"{stats.step_rows / max(stats.steps, 1):.1f} rows; captures are inside",
        flush=True,
    )
    return [found[n] for n in range(len(encoded))]


def plain_run(loaded: LoadedModel, encoded: list[Any], new: int, batch: int) -> list[list[int]]:
    """Transformers' generate on the first prompts; the time of `new` tokens less that of 8."""

    def timed(tokens: int) -> tuple[float, list[list[int]]]:
        began = synchronised()
        ids = [item.ids for item in encoded[:batch]]
        rows = generate_plain(loaded.model, ids, tokens, (), 0, loaded.device)
        return synchronised() - began, rows

    reset_peak()
    timed(4)
    short, _ = timed(8)
    long, rows = timed(new)
    step = (long - short) / (new - 8)
    print(
        f"transformers generate, batch {batch}: {step * 1e3:.1f} ms a step, {batch / step:.0f} tok/s, "
        f"peak {peak():.2f} GiB",
        flush=True,
    )
    return rows


def parts(decoder: Decoder, rows: int, length: int) -> None:
    """Milliseconds of one step, part by part, all layers together."""
    from lawqa.backends.hf.engine.triton_forward import GluonForward
    from lawqa.models.kernels.triton_attention import attend_pages, pick_splits, rotate_and_store
    from lawqa.models.kernels.triton_elementwise import add_norm_in_planes, swiglu_in_planes

    shape, device = decoder.shape, decoder.device
    per_row = -(-(length + 8) // PAGE)
    cache = PagedCache(shape, decoder.dtype, device, rows * per_row)
    forward = GluonForward(decoder, cache)
    state = Rows.empty(rows, per_row, 8, 8, device)
    table = torch.arange(1, rows * per_row + 1, device=device, dtype=torch.int32)

    def refill() -> None:
        state.clear()
        state.tables.copy_(table.view(rows, per_row))
        state.positions.fill_(length - 1)

    refill()
    x = torch.randn(rows, shape.hidden, device=device, dtype=decoder.dtype)
    wide = torch.randn(rows, shape.intermediate, device=device, dtype=decoder.dtype)
    products = forward._products
    qkv, both = products[0].qkv(x), products[0].gate_up(x)
    rotary = decoder.rotary(state.positions)
    q = torch.randn(rows, shape.heads, shape.head_dim, device=device, dtype=decoder.dtype)
    splits = pick_splits(rows, shape.kv_heads, forward._multiprocessors)
    stream = torch.randn_like(x)
    layers = range(shape.layers)
    norm = decoder.layers[0]
    work = {
        "qkv": lambda: [products[i].qkv(x) for i in layers],
        "out": lambda: [products[i].out(x) for i in layers],
        "gate_up": lambda: [products[i].gate_up(x) for i in layers],
        "down": lambda: [products[i].down(wide) for i in layers],
        "attention": lambda: [
            attend_pages(q, cache.layer(i), state.tables, state.positions,
                         page=PAGE, splits=splits) for i in layers],
        "rotate and store": lambda: [
            rotate_and_store(qkv, norm.q_norm, norm.k_norm, rotary, cache.layer(i),
                             state.tables, state.positions, heads=shape.heads, page=PAGE,
                             eps=shape.eps) for i in layers],
        "norms": lambda: [
            add_norm_in_planes(stream, x[None], norm.mlp_norm, shape.eps) for _ in range(2 * shape.layers)],
        "swiglu": lambda: [swiglu_in_planes(both, decoder.dtype) for _ in layers],
        "lm_head and argmax": lambda: decoder.logits(stream).argmax(dim=-1),
        "transformers/bitsandbytes linears": lambda: [
            [p(x) for p in (*layer.qkv, *layer.gate_up)] + [layer.out(x), layer.down(wide)]
            for layer in decoder.layers],
    }  # fmt: skip
    with torch.no_grad():
        for name, do in work.items():
            print(f"  {name:34s} {graph_ms(do):7.2f} ms", flush=True)
    stepper = Stepper(
        decoder, forward, GenerationSettings(8), state, capacity=per_row * PAGE, graphs=True
    )
    step = stepper.prepare(rows, length)
    refill()
    began = synchronised()
    for _ in range(8):
        step()
    print(
        f"  {'the whole step, replayed':34s} {(synchronised() - began) / 8 * 1e3:7.2f} ms",
        flush=True,
    )
    refill()
    began = synchronised()
    stepper._step(rows, length)
    print(
        f"  {'the whole step, launched':34s} {(synchronised() - began) * 1e3:7.2f} ms", flush=True
    )


def tiles(decoder: Decoder, rows: int) -> None:
    """Divisions of each product, the fastest first; microseconds of one product."""
    from lawqa.models.kernels.nf4_products import FusedLinear, Tile

    def products(group: list[FusedLinear], x: torch.Tensor, tile: Tile) -> list[torch.Tensor]:
        return [product(x, tile) for product in group]

    sample = decoder.layers[:8]
    groups = {
        "qkv": [FusedLinear(layer.qkv, decoder.dtype) for layer in sample],
        "out": [FusedLinear([layer.out], decoder.dtype) for layer in sample],
        "gate_up": [FusedLinear(layer.gate_up, decoder.dtype) for layer in sample],
        "down": [FusedLinear([layer.down], decoder.dtype) for layer in sample],
    }
    for name, group in groups.items():
        x = torch.randn(rows, group[0].inputs, device=decoder.device, dtype=decoder.dtype)
        usual = group[0].tile(rows)
        tried = {usual} | {
            replace(usual, outputs=wide, depth=depth, stages=stages, splits=splits)
            for wide, depth, stages, splits in itertools.product(
                (64, 128), (128, 256), (3, 4), range(1, 9)
            )
        }
        found: list[tuple[float, Tile]] = []
        for tile in tried:
            try:
                ms = graph_ms(partial(products, group, x, tile))
            except Exception as problem:  # noqa: BLE001 - a tile may not fit the card; the others may
                print(f"  {name} {tile}: {type(problem).__name__}: {str(problem)[:80]}")
                continue
            found.append((ms / len(group) * 1e3, tile))
        for us, tile in sorted(found, key=lambda pair: pair[0])[:4]:
            print(
                f"  {name:8s} rows {rows}: {us:6.1f} us {tile}{' (usual)' * (tile == usual)}",
                flush=True,
            )


def main() -> None:
    """Measure and print."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    args = arguments()
    cap_memory(args.memory_gib)
    loaded = load(args.model, args.adapter)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, cap {args.memory_gib} GiB")
    asked = prompts(args.questions)[: args.questions_asked]
    encoded = [encode(prompt, loaded.tokenizer) for prompt in asked]
    reason = triton_obstacle(loaded.device)
    print(f"kernels: {reason or 'yes'}")
    decoder = read_decoder(loaded.model, loaded.dtype)
    if reason is None:
        from lawqa.models.kernels.triton_elementwise import TritonElementwise

        decoder = replace(decoder, elementwise=TritonElementwise())
        for rows, length in ((1, 500), (16, 500), (64, 500), (96, 520), (128, 400)):
            print(f"one step of {rows} rows with {length} tokens each:")
            parts(decoder, rows, length)
            reset_peak()
        if args.tiles:
            for rows in (16, 64, 128):
                tiles(decoder, rows)
    print("the first run compiles and captures:")
    written = engine_run(decoder, loaded, encoded, args.new, kernels=True)
    engine_run(decoder, loaded, encoded, args.new, kernels=True)
    if args.unfused:
        engine_run(decoder, loaded, encoded[:32], 32, kernels=False)
    if args.peers:
        plain_run(loaded, encoded, 56, 64)
        plain = PlainModel(loaded, adapter=loaded.adapter is not None)
        found = [
            judge_tokens(plain.following_logits(item.ids, text[:128]),
                  torch.tensor(text[:128], device=loaded.device))
            for item, text in zip(encoded[:16], written, strict=False)
        ]  # fmt: skip
        same, tokens = sum(part.same for part in found), sum(part.rows for part in found)
        print(f"after the same tokens transformers finds {same} of {tokens} tokens likeliest too, and no "
              f"other likelier by more than {max(part.margin for part in found):.3f} nats")  # fmt: skip


if __name__ == "__main__":
    main()
