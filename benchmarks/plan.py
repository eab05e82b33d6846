"""What `lawqa plan` predicts beside what a GPU measures, on models of random weights.

    python benchmarks/plan.py --tokenizer DIR --scratch DIR --models Qwen/Qwen3-8B Qwen/Qwen3-1.7B

Each setting runs forward and backward twice, with AdamW's moments in place; the peak is of tensors. On the
plain path the first record of a micro-batch is half padding, as records of different lengths make it.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, Qwen3Config

from lawqa.models.load import load_model
from lawqa.models.shapes import KNOWN, ModelShape
from lawqa.records import IGNORED
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.adapter import add_adapter
from lawqa.training.fast import FastPath
from lawqa.training.loss_paths import LossPath, PackedPath, PlainPath, rehearse
from lawqa.training.planning.memory import GIB, MemorySetting, training_memory

# Path, tokens of a micro-batch, records in it, share of the blocks that keep their activations.
SETTINGS = (
    ("fast", 2048, 4, 1.0),
    ("fast", 3840, 8, 1.0),
    ("fast", 4096, 2, 0.5),
    ("fast", 8192, 8, 0.0),
    ("fast", 8192, 16, 0.3),
    ("plain", 4096, 8, 0.0),
    ("plain", 8192, 8, 0.0),
)


def main() -> int:
    """Measure all settings and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--models", nargs="+", choices=KNOWN, default=["Qwen/Qwen3-1.7B"])
    parser.add_argument("--paths", nargs="+", choices=("fast", "plain"), default=["fast", "plain"])
    options = parser.parse_args()
    print("| model | path | tokens | blocks kept | predicted GiB | measured GiB | off by |")
    print("|---|---|---|---|---|---|---|")
    worst = 0.0
    for name in options.models:
        directory = options.scratch / name.replace("/", "--")
        if not (directory / "config.json").exists():
            write_random_model(name, directory, options.tokenizer)
        for path, tokens, records, share in SETTINGS:
            if path not in options.paths:
                continue
            shape = ModelShape.from_config(KNOWN[name], name)
            kept = round(share * shape.layers)
            predicted = training_memory(
                shape, MemorySetting(fast=path == "fast"), tokens=tokens, kept_blocks=kept,
                answer_tokens=2 * records,
            ).total / GIB  # fmt: skip
            measured = measure(directory, path, tokens, records, kept)
            off = predicted / measured - 1
            worst = max(worst, abs(off))
            print(
                f"| {name} | {path} | {tokens} | {kept} of {shape.layers} | {predicted:.2f} | "
                f"{measured:.2f} | {off:+.1%} |",
                flush=True,
            )
    print(f"\nlargest error {worst:.1%}, {torch.cuda.get_device_name()}, torch {torch.__version__}")
    return 0


def measure(directory: Path, path: str, tokens: int, records: int, kept: int) -> float:
    """GiB at the peak of a forward and backward pass."""
    loaded = load_model(ModelSettings(model_name=str(directory), load_in_4bit=True))
    model = add_adapter(loaded, Hyperparameters(lora_dropout=0.0))
    model.train()
    way: LossPath = (
        PackedPath(FastPath(model, keep_always(kept)), tokens)
        if path == "fast"
        else PlainPath(tokens)
    )
    length = tokens // records
    ids = torch.randint(1000, 100_000, (records, length), device=loaded.device)
    labels = torch.full_like(ids, IGNORED)
    labels[:, -2:] = ids[:, -2:]
    mask = torch.ones_like(ids)
    if path == "plain":
        mask[0, : length // 2] = 0
    batch = {"input_ids": ids, "labels": labels, "attention_mask": mask}
    for parameter in model.parameters():
        if parameter.requires_grad:  # a step of several parts has gradients from the first on
            parameter.grad = torch.zeros_like(parameter)
    torch.cuda.reset_peak_memory_stats()
    rehearse(way, model, batch, torch.autocast("cuda", dtype=loaded.dtype))
    peak: int = torch.cuda.max_memory_allocated()
    del loaded, model, way
    gc.collect()
    torch.cuda.empty_cache()
    return peak / GIB


def keep_always(kept: int) -> Callable[[int], int]:
    """This many blocks, whatever the number of tokens."""
    return lambda _: kept


def write_random_model(name: str, directory: Path, tokenizer: Path) -> None:
    """A checkpoint of this shape with random weights, and a tokenizer beside it."""
    known: dict[str, Any] = KNOWN[name]
    with torch.device("cuda"):
        torch.set_default_dtype(torch.bfloat16)
        model = AutoModelForCausalLM.from_config(Qwen3Config(**known))
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(directory)
    for file in tokenizer.iterdir():
        shutil.copy(file, directory)
    del model
    gc.collect()
    torch.cuda.empty_cache()


if __name__ == "__main__":
    sys.exit(main())
