"""How fast thoughts are written: questions x samples, of lengths that spread as those of thinking models do.

    python benchmarks/thinking.py MODEL_DIR QUESTIONS.json [--kv-cache int8] [--asked 140] [--samples 8]
        [--mean 2000] [--spread 900] [--limit 4096] [--seconds 90] [--memory-gib 19] [--profile]

With random weights no text ends by itself, so each ends where a length drawn beforehand says: normal with
--mean and --spread, at least 64 and at most --limit tokens. Tokens are drawn as Qwen3's makers say for
thinking. The run stops after --seconds; its rate counts prefills, captures and what is computed twice.
Needs a CUDA device.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from hf_common import cap_memory, load, peak, prompts, reset_peak, synchronised

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.opening import open_engine
from lawqa.backends.hf.engine.sequence import Finished, Request
from lawqa.models.decoder import read_decoder
from lawqa.models.kernels.triton_probe import fastest_elementwise

SHORTEST = 64


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--kv-cache", choices=("model", "int8"), default="model")
    parser.add_argument("--asked", type=int, default=140)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--mean", type=int, default=2000)
    parser.add_argument("--spread", type=int, default=900)
    parser.add_argument("--limit", type=int, default=4096)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--condition", choices=("closed", "gold"), default="gold")
    parser.add_argument("--profile", action="store_true", help="print where the host's time goes")
    return parser.parse_args()


def requests_of(ids: list[tuple[int, ...]], options: argparse.Namespace) -> list[Request]:
    """One request a sample, with the length that it will have."""
    lengths = random.Random(0)  # noqa: S311 - lengths, not secrets
    drawn = [
        min(options.limit, max(SHORTEST, round(lengths.gauss(options.mean, options.spread))))
        for _ in range(len(ids) * options.samples)
    ]
    return [
        Request(number, ids[number // options.samples], number, length)
        for number, length in enumerate(drawn)
    ]


def main() -> None:
    """Measure and print."""
    options = arguments()
    cap_memory(options.memory_gib)
    loaded = load(options.model, options.adapter)
    decoder = replace(
        read_decoder(loaded.model, loaded.dtype), elementwise=fastest_elementwise(loaded.device)
    )
    asked = prompts(options.questions, options.condition, "cot")[: options.asked]
    ids = [tuple(encode(prompt, loaded.tokenizer).ids) for prompt in asked]
    requests = requests_of(ids, options)
    print(
        f"{len(requests)} texts of {sum(one.limit for one in requests):,} tokens after prompts of "
        f"{min(map(len, ids))} to {max(map(len, ids))}"
    )
    settings = GenerationSettings(
        options.limit, temperature=0.6, top_p=0.95, top_k=20, kv_cache=options.kv_cache
    )
    reset_peak()
    engine = open_engine(decoder, requests, settings, (), loaded.tokenizer)
    finished = written = 0
    profile = cProfile.Profile() if options.profile else None
    began = synchronised()
    with profile or nullcontext():
        for done in engine.run(requests):
            if not isinstance(done, Finished):
                raise SystemExit(f"not answered: {done}")
            finished, written = finished + 1, written + len(done.tokens)
            if time.perf_counter() - began > options.seconds:
                break
    seconds, stats = synchronised() - began, engine.stats
    print(
        f"{options.kv_cache}: {seconds:.1f} s, {finished} texts of {written:,} tokens done; "
        f"with those under way {stats.step_rows:,} tokens, {stats.step_rows / seconds:,.0f} a second, "
        f"{stats.step_seconds / stats.steps * 1e3:.2f} ms a step "
        f"of {stats.step_rows / stats.steps:.1f} rows, peak {peak():.2f} GiB\n  {stats}",
        flush=True,
    )
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
