"""Whether every way of computing an answer gives what transformers gives, one prompt at a time.

    python benchmarks/parity.py MODEL_DIR QUESTIONS.json [--adapter DIR] [--asked 24] [--new 48]

Differences are those of the log-probabilities of the likeliest tokens, in nats; a written token's margin
is how much likelier the reference finds its own. The first rows are transformers against itself: what
another batch alone changes. Ends with exit code 1 where something is outside the tolerance.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch
from hf_common import adapted, cap_memory, load, prompts

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.cache import PAGE, PagedCache
from lawqa.backends.hf.engine.opening import open_engine
from lawqa.backends.hf.engine.sequence import Request
from lawqa.backends.hf.engine.steps import TorchForward
from lawqa.backends.hf.plain_model import PlainModel
from lawqa.backends.hf.scoring import last_logits_shared
from lawqa.backends.hf.self_check import step_logits
from lawqa.models.agreement import Agreement, Tolerance, compare_logits, judge_tokens, tolerance_of
from lawqa.models.decoder import Decoder, read_decoder
from lawqa.models.kernels.triton_probe import triton_obstacle
from lawqa.models.load import LoadedModel
from lawqa.settings import KvCache

Ids = list[list[int]]
Row = tuple[str, Agreement]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--adapter", type=Path, help="without it: one of random weights, made here")
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--asked", type=int, default=24, help="questions of each condition")
    parser.add_argument("--new", type=int, default=48, help="tokens of each written text")
    parser.add_argument("--dense", action="store_true", help="do not quantise to 4 bits")
    return parser.parse_args()


def decoders(loaded: LoadedModel, *, adapter: bool) -> Iterator[tuple[str, Decoder]]:
    """The forward pass over flat tokens, with each kind of elementwise kernels that runs here."""
    plain = read_decoder(loaded.model, loaded.dtype, adapter=adapter)
    yield "torch", plain
    if triton_obstacle(loaded.device) is None:
        from lawqa.models.kernels.triton_elementwise import TritonElementwise

        yield "Triton", replace(plain, elementwise=TritonElementwise())


def alone_and_together(
    ids: Ids, logits: Callable[[Ids], torch.Tensor]
) -> Iterator[tuple[str, torch.Tensor]]:
    """Logits of the prompts one by one, and in batches of 8."""
    yield "one by one", torch.cat([logits([one]) for one in ids])
    yield "in batches", torch.cat([logits(ids[at : at + 8]) for at in range(0, len(ids), 8)])


def forward_passes(loaded: LoadedModel, ids: Ids, *, adapter: bool) -> Iterator[Row]:
    """Next-token probabilities of prompts, each way beside transformers one by one."""
    plain = PlainModel(loaded, adapter=adapter)
    reference = torch.cat([plain.last_logits([one]) for one in ids])
    batches = [plain.last_logits(ids[at : at + 8]) for at in range(0, len(ids), 8)]
    yield "transformers, left-padded batches", compare_logits(reference, torch.cat(batches))
    for kind, decoder in decoders(loaded, adapter=adapter):
        for how, found in alone_and_together(ids, partial(last_logits_shared, decoder)):
            name = f"flat tokens ({kind}), {how}" + ", prefixes shared" * (how == "in batches")
            yield name, compare_logits(reference, found)
    decoder = read_decoder(loaded.model, loaded.dtype, adapter=adapter)
    for kind in step_kinds(decoder):
        pages = sum(-(-len(one) // PAGE) for one in ids)
        for kept in get_args(KvCache):
            cache = PagedCache(
                decoder.shape, decoder.dtype, decoder.device, pages, eight_bit=kept == "int8"
            )
            forward = kind(decoder, cache)
            found = step_logits(decoder, cache, forward, ids, len(ids))
            name = f"a decoding step, {kind.__name__}, launched"
            yield name + ", int8" * (kept == "int8"), compare_logits(reference, found)
            del cache, forward


def step_kinds(decoder: Decoder) -> list[Any]:
    """The kinds of decoding steps that run here."""
    kinds: list[Any] = [TorchForward]
    if triton_obstacle(decoder.device) is None:
        from lawqa.backends.hf.engine.triton_forward import (
            GluonForward,
            TritonForward,
            fused_step_obstacle,
        )
        from lawqa.models.kernels.nf4_products import gluon_obstacle

        reason = fused_step_obstacle(decoder)
        print(f"fused steps: {reason or 'yes'}")
        kinds += [] if reason else [TritonForward]
        kinds += [] if reason or gluon_obstacle() else [GluonForward]
    return kinds


def texts(loaded: LoadedModel, ids: Ids, new: int, *, adapter: bool) -> Iterator[Row]:
    """Greedy texts of each engine, every token judged by transformers after the same tokens."""
    decoder = list(decoders(loaded, adapter=adapter))[-1][1]
    plain, settings = PlainModel(loaded, adapter=adapter), GenerationSettings(new)
    in_batch = [row for row in plain.generate(ids, settings, (), [0] * len(ids)) if row is not None]
    if len(in_batch) < len(ids):
        raise SystemExit("transformers' generate, batch: NaN or infinite logits")
    yield "transformers' generate, batch", judged(plain, ids, in_batch)
    requests = [Request(n, tuple(one), n, new) for n, one in enumerate(ids)]
    cuda = loaded.device.type == "cuda"
    for kernels in (False, True) if len(step_kinds(decoder)) > 1 else (False,):
        written: dict[bool, list[Sequence[int]]] = {}
        for graphs in (False, True) if cuda else (False,):
            engine = open_engine(
                decoder, requests, settings, (), loaded.tokenizer, kernels=kernels, graphs=graphs
            )
            found = {done.number: getattr(done, "tokens", ()) for done in engine.run(requests)}
            written[graphs] = [found[n] for n in range(len(ids))]
            how = "replayed" if graphs else "launched"
            name = f"engine, {engine.forward_name}, {how}"
            del engine  # the next one needs the memory of its cache
            yield name, judged(plain, ids, written[graphs])
        if cuda:
            same = sum(a == b for a, b in zip(written[False], written[True], strict=True))
            print(f"texts replayed as launched: {same} of {len(ids)}")
        eight_bit = replace(settings, kv_cache="int8")
        engine = open_engine(decoder, requests, eight_bit, (), loaded.tokenizer, kernels=kernels)
        found = {done.number: getattr(done, "tokens", ()) for done in engine.run(requests)}
        name = f"engine, {engine.forward_name}, int8"
        del engine
        yield name, judged(plain, ids, [found[n] for n in range(len(ids))])


def judged(plain: PlainModel, ids: Ids, written: Sequence[Sequence[int]]) -> Agreement:
    """All tokens of all texts under transformers' probabilities."""
    parts = [
        judge_tokens(logits, torch.tensor(tokens, device=logits.device))
        for one, tokens in zip(ids, written, strict=True)
        for logits in [plain.following_logits(one, tokens)]
    ]
    return Agreement(
        0.0, 0.0, sum(part.same for part in parts), sum(part.rows for part in parts),
        max(part.margin for part in parts),
    )  # fmt: skip


def shown(row: Row, tolerance: Tolerance) -> bool:
    """Print a row; whether it is within the tolerance."""
    name, found = row
    good = found.within(tolerance)
    print(
        f"  {name:52s} {found.largest:9.2g} {found.mean:9.2g} {found.same:6d} of {found.rows:5d} "
        f"{found.margin:8.2g}  {'' if good else 'OUTSIDE'}",
        flush=True,
    )
    return good


def main() -> int:
    """Compare and print; 1 where something is outside the tolerance."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    args = arguments()
    cap_memory(args.memory_gib)
    loaded = load(args.model, args.adapter, four_bit=not args.dense)
    loaded = loaded if args.adapter else adapted(loaded)
    tolerance = tolerance_of(loaded.dtype)
    print(
        f"{loaded.dtype}; tolerance {tolerance.largest} nats for the largest difference, "
        f"{tolerance.mean} for the mean, {2 * tolerance.largest} for a margin"
    )
    asked = {
        condition: [
            encode(prompt, loaded.tokenizer).ids
            for prompt in prompts(args.questions, condition)[: args.asked]
        ]
        for condition in ("closed", "gold")
    }
    good = True
    for adapter in (False, True):
        print(f"{'with the adapter' if adapter else 'the base model':54s}   largest      mean"
              "       same likeliest   margin")  # fmt: skip
        for condition, ids in asked.items():
            for name, found in forward_passes(loaded, ids, adapter=adapter):
                good = shown((f"{name}; {condition}", found), tolerance) and good
        for row in texts(loaded, asked["closed"], args.new, adapter=adapter):
            good = shown(row, tolerance) and good
    print("all within the tolerance" if good else "OUTSIDE THE TOLERANCE")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
