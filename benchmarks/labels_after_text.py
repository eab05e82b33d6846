"""What label probabilities after reasoning cost: the same texts written with and without them.

    python benchmarks/labels_after_text.py MODEL_DIR QUESTIONS.json [--new 512] [--asked 140] [--samples 8]
        [--memory-gib 19] [--condition gold]

Nothing stops early, so that both runs write the same tokens. On CUDA the card is held to --memory-gib; also
runs on a CPU, with small numbers. The order is with, without, with, without; the best of each two counts.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from hf_common import cap_memory, load, peak, reset_peak

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.labels import labels_after_text
from lawqa.backends.hf.engine.opening import open_engine
from lawqa.backends.hf.engine.sequence import Finished, Request
from lawqa.models.decoder import read_decoder
from lawqa.models.load import load_model
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import read_questions
from lawqa.settings import ModelSettings

TARGET = 10.0
"""Per cent of decode time that label probabilities may cost."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--new", type=int, default=512)
    parser.add_argument("--asked", type=int, default=140)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--condition", choices=("closed", "gold"), default="gold")
    return parser.parse_args()


def synchronised(device: torch.device) -> float:
    """The time when all launched work is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    """Measure and print."""
    options = arguments()
    cuda = torch.cuda.is_available()
    if cuda:
        cap_memory(options.memory_gib)
        loaded = load(options.model, None)
    else:
        loaded = load_model(ModelSettings(model_name=options.model))
    decoder = read_decoder(loaded.model, loaded.dtype)
    spec = PromptSpec("cot", options.condition)
    questions = read_questions(options.questions)[: options.asked]
    encoded = [encode(build_prompt(q, spec), loaded.tokenizer) for q in questions]
    items = [item for _ in range(options.samples) for item in encoded]
    requests = [
        Request(n, tuple(item.ids), n, options.new) for n, item in enumerate(items)
    ]  # fmt: skip
    settings = GenerationSettings(options.new, temperature=0.7, top_p=0.8, top_k=20)
    best: dict[str, float] = {}
    for turn in range(4):
        name = "without" if turn % 2 else "with"
        labels = (
            labels_after_text(items, loaded.tokenizer, loaded.device) if name == "with" else None
        )
        if cuda:
            reset_peak()
        began = synchronised(loaded.device)
        engine = open_engine(decoder, requests, settings, (), loaded.tokenizer, labels=labels)
        done: list[Any] = list(engine.run(requests))
        seconds = synchronised(loaded.device) - began
        texts = [one for one in done if isinstance(one, Finished)]
        scored = sum(one.labels is not None for one in texts)
        tokens = sum(len(one.tokens) for one in texts)
        best[name] = min(seconds, best.get(name, seconds))
        memory = f", peak {peak():.2f} GiB" if cuda else ""
        print(
            f"{name:8s} {len(texts)} texts of {len(done)}, {scored} with labels: {seconds:.2f} s, "
            f"{tokens / seconds:,.0f} tok/s{memory}\n  {engine.stats}",
            flush=True,
        )
        del engine  # its keys and values are most of the memory
    more = 100 * (best["with"] / best["without"] - 1)
    print(f"labels after texts: {more:+.1f} % time; the target is at most {TARGET:.0f} %")


if __name__ == "__main__":
    main()
