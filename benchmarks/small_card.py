"""What fits ten gigabytes, and how fast: training, labels and thinking with context under a small cap.

    python benchmarks/small_card.py QUESTIONS.json --tokenizer DIR [--models Qwen3-1.7B ...] [--cap-gib 9.3]
        [--work score think train] [--kv-cache model] [--out FILE]

Models of random weights in NF4, each in a process of its own. Beside each measured peak is what `lawqa plan`
predicts. 9.3 GiB are what a card of ten gigabytes leaves to tensors. One JSON line for each piece of work.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from lawqa.errors import LawqaError

if TYPE_CHECKING:
    from lawqa.models.load import LoadedModel
    from lawqa.training.loss_paths import LossPath

WORK = ("score", "think", "train")  # training leaves an adapter behind
MODELS = ("Qwen3-1.7B", "Qwen3-4B", "Qwen2.5-1.5B", "Qwen2.5-3B")
QUESTIONS_TRAINED = 100
LORA_R = 16


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("questions", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--cap-gib", type=float, default=9.3)
    parser.add_argument("--asked", type=int, default=16, help="questions thought about")
    parser.add_argument("--samples", type=int, default=2, help="texts for each of them")
    parser.add_argument("--new", type=int, default=512, help="tokens of each text")
    parser.add_argument("--kv-cache", choices=("model", "int8"), default="model")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for one model")
    parser.add_argument("--out", type=Path, help="where figures are appended")
    parser.add_argument(
        "--narrow", action="store_true", help="two narrow layers, to try the script"
    )
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # the folder of this process's model
    return parser.parse_args()


def train(loaded: LoadedModel, options: argparse.Namespace) -> dict[str, Any]:
    """Two epochs over questions with their context, the second by the clock."""
    from hf_common import prompts, reset_peak

    from lawqa.backends.hf.encoded import encode
    from lawqa.records import IGNORED, TokenizedRecord
    from lawqa.settings import Hyperparameters
    from lawqa.training import fit as fitting
    from lawqa.training.adapter import add_adapter
    from lawqa.training.path_choice import choose_path

    answer = loaded.tokenizer.encode("a<|im_end|>", add_special_tokens=False)
    asked = [encode(prompt, loaded.tokenizer).ids for prompt in prompts(options.questions, "gold")]
    records = [
        TokenizedRecord(str(number), [*ids, *answer], [IGNORED] * len(ids) + answer)
        for number, ids in enumerate(asked[:QUESTIONS_TRAINED])
    ]
    config = Hyperparameters(
        num_epochs=1, batch_size=16, gradient_accumulation_steps=1, lora_r=LORA_R, save_minutes=0,
        lora_dropout=0.0,
    )  # fmt: skip
    model = add_adapter(loaded, config)
    said: list[str] = []

    def choose(
        loaded: LoadedModel, model: Any, config: Hyperparameters, records: Sequence[TokenizedRecord],
        _say: Callable[[str], None],
    ) -> LossPath:  # fmt: skip
        return choose_path(loaded, model, config, records, said.append)

    for _ in range(2):
        said.clear()
        reset_peak()
        with tempfile.TemporaryDirectory() as folder, patch.object(fitting, "choose_path", choose):
            figures = fitting.fit(loaded, model, records, config, Path(folder), quiet=True)
    longest = max(len(record.input_ids) for record in records)
    return {
        "path": said[-1], "longest": longest, "tokens": figures.tokens,
        "seconds": figures.seconds, "tokens_per_s": round(figures.tokens / figures.seconds),
    }  # fmt: skip


def score(loaded: LoadedModel, options: argparse.Namespace) -> dict[str, Any]:
    """Labels of all questions with their context; the first 16 warm up."""
    from hf_common import prompts, reset_peak, synchronised

    from lawqa.backends.base import ChoiceScores
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.shapes import read_shape
    from lawqa.training.planning.memory import GIB, MemorySetting, scoring_memory

    backend = HFBackend(loaded)
    asked = prompts(options.questions, "gold")
    list(backend.score_choices(asked[:16]))
    reset_peak()
    began = synchronised()
    given = list(backend.score_choices(asked))
    seconds = synchronised() - began
    described = backend.describe()
    budget = described["token_budget"]
    if not isinstance(budget, int):
        raise TypeError(f"token_budget is {budget!r}: no label was scored")
    shape = read_shape(loaded.config.model_name)
    predicted = scoring_memory(shape, MemorySetting(), tokens=budget)
    tokens = sum(one.prompt_tokens for one in given if isinstance(one, ChoiceScores))
    return {
        "labels": sum(isinstance(one, ChoiceScores) for one in given), "seconds": round(seconds, 2),
        "tokens_per_s": round(tokens / seconds), "token_budget": budget,
        "predicted_gib": round(predicted / GIB, 2), "path": described["path"],
    }  # fmt: skip


def think(loaded: LoadedModel, options: argparse.Namespace) -> dict[str, Any]:
    """Texts of a fixed length after questions with their context; the second run counts."""
    from hf_common import prompts, reset_peak, synchronised

    from lawqa.backends.base import GenerationSettings
    from lawqa.backends.hf.encoded import encode
    from lawqa.backends.hf.engine.opening import open_engine
    from lawqa.backends.hf.engine.sequence import Finished, Request
    from lawqa.models.decoder import read_decoder
    from lawqa.models.kernels.triton_probe import fastest_elementwise
    from lawqa.models.shapes import read_shape
    from lawqa.training.planning.memory import GIB, MemorySetting, generating_memory

    decoder = read_decoder(
        loaded.model, loaded.dtype, elementwise=fastest_elementwise(loaded.device)
    )
    asked = prompts(options.questions, "gold", "cot")[: options.asked]
    ids = [tuple(encode(prompt, loaded.tokenizer).ids) for prompt in asked]
    requests = [
        Request(number, ids[number // options.samples], number, options.new)
        for number in range(len(ids) * options.samples)
    ]
    settings = GenerationSettings(
        options.new, temperature=0.6, top_p=0.95, top_k=20, kv_cache=options.kv_cache
    )
    for _ in range(2):
        reset_peak()
        began = synchronised()
        engine = open_engine(decoder, requests, settings, (), loaded.tokenizer)
        done = list(engine.run(requests))
        seconds = synchronised() - began
        stats, cached = engine.stats, engine._cache.pages * engine._cache.page
        del engine
    written = sum(len(one.tokens) for one in done if isinstance(one, Finished))
    shape = read_shape(loaded.config.model_name)
    predicted = generating_memory(shape, MemorySetting(), cached_tokens=cached)
    return {
        "texts": len(done), "tokens": written, "seconds": round(seconds, 2),
        "tokens_per_s": round(written / seconds), "kv_cache": options.kv_cache,
        "ms_a_step": round(stats.step_seconds / stats.steps * 1e3, 2), "cached_tokens": cached,
        "predicted_gib": round(predicted / GIB, 2), "preempted": stats.preempted,
    }  # fmt: skip


def inside(options: argparse.Namespace) -> None:
    """All work on the model of this process, a line of figures for each piece."""
    import gc

    import torch
    from hf_common import cap_memory, load, peak, reset_peak

    cap_memory(options.cap_gib)
    loaded = load(options.inside, None)
    for work in options.work:
        gc.collect()
        reset_peak()
        try:
            figures = {"train": train, "score": score, "think": think}[work](loaded, options)
        except (torch.OutOfMemoryError, LawqaError) as problem:
            figures = {"left_out": f"does not fit: {str(problem)[:200]}"}
        figures = {"work": work, **figures, "peak_gib": round(peak(), 2)}
        print("RESULT", json.dumps(figures), flush=True)


def main() -> None:
    """Run all work on all models, and print a line of each."""
    options = arguments()
    if options.inside:
        inside(options)
        return
    from random_models import write_folder
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(options.tokenizer)
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.models:
            folder = Path(scratch) / name
            write_folder(name, folder, tokenizer, narrow=options.narrow)
            for figures in in_process(folder, options):
                line = {"model": name, "cap_gib": options.cap_gib, **figures}
                print(json.dumps(line, ensure_ascii=False), flush=True)
                if options.out:
                    with options.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def in_process(folder: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The figures of each piece of work on a model, or why there are none."""
    command = [
        sys.executable, __file__, str(options.questions), "--tokenizer", str(options.tokenizer),
        "--cap-gib", str(options.cap_gib), "--asked", str(options.asked), "--work", *options.work,
        "--samples", str(options.samples), "--new", str(options.new),
        "--kv-cache", options.kv_cache, "--inside", str(folder),
    ]  # fmt: skip
    began, reason = time.perf_counter(), ""
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            command, capture_output=True, text=True, check=False, timeout=options.timeout
        )
        out, said = done.stdout, done.stderr
        if done.returncode:
            reason = " / ".join(said.strip().splitlines()[-3:])[:500]
    except subprocess.TimeoutExpired as late:
        out = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        reason = f"no end within {options.timeout:.0f} s"
    for line in out.splitlines():
        if line.startswith("RESULT "):
            yield json.loads(line.removeprefix("RESULT "))
    if reason:
        yield {"left_out": reason}
    print(f"{folder.name}: {time.perf_counter() - began:.1f} s in all", flush=True)


if __name__ == "__main__":
    main()
