"""How fast thoughts are written: questions x samples, of lengths that spread as those of thinking models do.

    python benchmarks/thinking.py MODEL_DIR QUESTIONS.json [--kv-cache int8 model] [--asked 140]
        [--samples 8] [--mean 2000] [--spread 900] [--limit 4096] [--seconds 90] [--runs 1]
        [--memory-gib 19] [--out FILE] [--profile]

With random weights no text ends by itself, so each ends where a length drawn beforehand says: normal with
--mean and --spread, at least 64 and at most --limit tokens. Tokens are drawn as Qwen3's makers say for
thinking. The run stops after --seconds; its rate counts prefills, captures and what is computed twice, and
the rates of its pieces show what is sustained. Each kind of --kv-cache runs --runs times in one process.
"""

from __future__ import annotations

import argparse
import cProfile
import dataclasses
import itertools
import json
import pstats
import random
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_common import cap_memory, load, peak, prompts, reset_peak, synchronised

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.opening import open_engine
from lawqa.backends.hf.engine.sequence import Finished, Request
from lawqa.models.decoder import Decoder, read_decoder
from lawqa.models.kernels.triton_probe import fastest_elementwise
from lawqa.settings import KvCache

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHORTEST = 64
PIECE = 15.0
"""Seconds over which a rate of the time line is taken."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--adapter", type=Path, help="a folder, or random to have one made")
    parser.add_argument("--kv-cache", choices=("model", "int8"), nargs="+", default=["model"])
    parser.add_argument("--runs", type=int, default=1, help="a first run compiles its kernels")
    parser.add_argument("--asked", type=int, default=140)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--mean", type=int, default=2000)
    parser.add_argument("--spread", type=int, default=900)
    parser.add_argument("--limit", type=int, default=4096)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--condition", choices=("closed", "gold"), default="gold")
    parser.add_argument("--out", type=Path, help="where figures are appended, one JSON line a run")
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
    for kind in options.kv_cache:
        for number in range(options.runs):
            figures = measure(decoder, requests, kind, loaded.tokenizer, options)
            figures = {
                "kv_cache": kind,
                "condition": options.condition,
                "run": number + 1,
            } | figures
            print("RESULT", json.dumps(figures), flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(figures) + "\n")


def measure(
    decoder: Decoder,
    requests: list[Request],
    kind: KvCache,
    tokenizer: PreTrainedTokenizerBase,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """One run; its figures."""
    settings = GenerationSettings(
        options.limit, temperature=0.6, top_p=0.95, top_k=20, kv_cache=kind
    )
    reset_peak()
    opened = synchronised()
    engine = open_engine(decoder, requests, settings, (), tokenizer)
    finished = written = 0
    profile = cProfile.Profile() if options.profile else None
    began = synchronised()
    marks, stats = [(0.0, 0)], engine.stats
    with profile or nullcontext():
        for done in engine.run(requests):
            if not isinstance(done, Finished):
                raise SystemExit(f"not answered: {done}")
            finished, written = finished + 1, written + len(done.tokens)
            passed = time.perf_counter() - began
            if passed - marks[-1][0] >= PIECE:
                marks.append((passed, stats.step_rows))
            if passed > options.seconds:
                break
    seconds = synchronised() - began
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)
    pieces = itertools.pairwise(marks)
    return {
        "seconds": round(seconds, 1),
        "opening_seconds": round(began - opened, 2),
        "tokens_per_s": round(stats.step_rows / seconds),
        "steps_alone_tokens_per_s": round(stats.step_rows / stats.step_seconds),
        "ms_a_step": round(stats.step_seconds / stats.steps * 1e3, 2),
        "rows": round(stats.step_rows / stats.steps, 1),
        "peak_gib": round(peak(), 2),
        "texts": finished,
        "tokens_of_texts": written,
        "time_line": [round((b[1] - a[1]) / (b[0] - a[0])) for a, b in pieces],
        **dataclasses.asdict(stats),
    }


if __name__ == "__main__":
    main()
