"""How long a step of learning preferences takes, and what memory it needs, at the shape of an 8B model.

    python benchmarks/prefer.py QUESTIONS.json [--model DIR] [--shape Qwen/Qwen3-8B] [--memory-gib 19]
        [--pairs 8] [--thought 1000] [--condition closed]

DPO: one step of --pairs pairs whose answers are thoughts of about --thought tokens; the pass of the reference
over both answers, which is once a training, is timed apart. The weights are random unless --model names a
directory (the shape's checkpoint is written to a temporary directory first), NF4 with LoRA r=16 on all linear
layers. Needs a CUDA device.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from hf_common import cap_memory, load, peak, prompts, reset_peak, synchronised

from lawqa.backends.hf.encoded import encode
from lawqa.models.load import LoadedModel
from lawqa.models.shapes import KNOWN
from lawqa.questions import read_questions
from lawqa.records import IGNORED, TokenizedRecord
from lawqa.settings import PREFERENCE_TRAINING, PreferenceSettings
from lawqa.training import fit as fitting
from lawqa.training.adapter import add_adapter
from lawqa.training.checkpoints.checkpoint_state import CheckpointState
from lawqa.training.trainer import AnswerTrainer

STEPS = 3


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("questions", type=Path)
    parser.add_argument("--model", help="a model directory; without it one of random weights")
    parser.add_argument(
        "--shape", default="Qwen/Qwen3-8B", choices=[name for name in KNOWN if "Qwen3" in name]
    )
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--thought", type=int, default=1000, help="tokens of an answer")
    parser.add_argument("--condition", choices=("closed", "gold"), default="closed")
    return parser.parse_args()


def write_checkpoint(shape: str, directory: Path, questions: Path) -> None:
    """A model of the shape with random weights, and a small tokenizer."""
    from transformers import AutoModelForCausalLM, Qwen3Config

    from lawqa.models.tiny import train_tiny_tokenizer

    tokenizer = train_tiny_tokenizer(f"{q.context}\n{q.text}" for q in read_questions(questions))
    config = Qwen3Config(**{**KNOWN[shape], "eos_token_id": tokenizer.eos_token_id})
    with torch.device("cuda"):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    del model
    reset_peak()


def pair_rows(loaded: LoadedModel, options: argparse.Namespace) -> list[TokenizedRecord]:
    """Rows of pairs whose answers are random tokens, of lengths a fifth around --thought."""
    drawn = random.Random(0)  # noqa: S311 - lengths, not secrets
    (end,) = loaded.tokenizer.encode("<|im_end|>", add_special_tokens=False)
    asked = prompts(options.questions, options.condition, "cot")
    rows = []
    for number in range(2 * options.pairs * STEPS):
        ids = list(encode(asked[(number // 2) % len(asked)], loaded.tokenizer).ids)
        length = round(options.thought * drawn.uniform(0.8, 1.2))
        answer = [drawn.randrange(20, len(loaded.tokenizer)) for _ in range(length)] + [end]
        rows.append(TokenizedRecord(str(number), ids + answer, [IGNORED] * len(ids) + answer))
    return rows


def time_pairs(loaded: LoadedModel, options: argparse.Namespace) -> None:
    """Train a few steps of DPO, and print the seconds of each."""
    rows = pair_rows(loaded, options)
    training = replace(
        PREFERENCE_TRAINING, batch_size=options.pairs, gradient_accumulation_steps=1, save_minutes=0
    )
    model = add_adapter(loaded, training)
    steps, scoring = [], []
    took_step, score = CheckpointState.took_step, AnswerTrainer.log_probabilities

    def timed_step(state: CheckpointState, loss: float, tokens: int) -> None:
        steps.append((synchronised(), tokens))
        took_step(state, loss, tokens)

    def timed_score(trainer: AnswerTrainer, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        began = synchronised()
        found = score(trainer, batch)
        scoring.append((synchronised() - began, int(batch["attention_mask"].sum())))
        return found

    CheckpointState.took_step = timed_step  # type: ignore[method-assign]
    AnswerTrainer.log_probabilities = timed_score  # type: ignore[method-assign]
    reset_peak()
    with tempfile.TemporaryDirectory() as directory:
        fitting.fit(
            loaded,
            model,
            rows,
            training,
            Path(directory),
            quiet=True,
            preference=PreferenceSettings(),
        )
    reference, of_steps = scoring[:-STEPS], scoring[-STEPS:]
    seconds = (steps[-1][0] - steps[0][0]) / (STEPS - 1)
    scored = sum(one for one, _ in of_steps[1:]) / (STEPS - 1)
    tokens = steps[-1][1]
    warm = reference[1:] or reference
    rate = sum(n for _, n in warm) / sum(s for s, _ in warm)
    print(
        f"DPO step, {options.pairs} pairs of {options.thought}-token answers, {options.condition}: "
        f"{seconds:.2f} s (scoring {scored:.2f}, training {seconds - scored:.2f}), {tokens:,} tokens; "
        f"reference {rate:,.0f} tokens/s; peak {peak():.2f} GiB",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    options = arguments()
    with tempfile.TemporaryDirectory() as directory:
        if options.model is None:
            write_checkpoint(options.shape, Path(directory), options.questions)
        cap_memory(options.memory_gib)
        loaded = load(options.model or directory, None)
    time_pairs(loaded, options)


if __name__ == "__main__":
    main()
