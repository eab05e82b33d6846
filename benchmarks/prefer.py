"""How long a step of learning preferences takes, and what memory it needs, at the shape of an 8B model.

    python benchmarks/prefer.py QUESTIONS.json [--only dpo] [--model DIR] [--shape Qwen/Qwen3-8B]
        [--memory-gib 19] [--pairs 8] [--thought 1000] [--asked 8] [--samples 8] [--tokens 1024]
        [--condition closed]

DPO: one step of --pairs pairs whose answers are thoughts of about --thought tokens; the pass of the reference
over both answers, which is once a training, is timed apart. Policy: one step of --asked questions with
--samples texts each, all of --tokens tokens, since random weights end no text; their rewards are drawn. The
weights are random unless --model names a directory (the shape's checkpoint is written to a temporary one
first), NF4 with LoRA r=16 on all linear layers. The first step is not counted. Needs a CUDA device.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from unittest.mock import patch

import torch
from hf_common import cap_memory, load, peak, prompts, reset_peak, synchronised

from lawqa.backends.hf.encoded import encode
from lawqa.models.load import LoadedModel
from lawqa.models.shapes import KNOWN
from lawqa.pipelines.training.policy import PolicyDraws, longest_rows, policy_source
from lawqa.questions import read_questions
from lawqa.records import IGNORED, TokenizedRecord
from lawqa.settings import (
    PREFERENCE_TRAINING,
    Hyperparameters,
    PolicyRun,
    PolicySettings,
    PreferenceSettings,
)
from lawqa.training.adapter import add_adapter
from lawqa.training.checkpoints.checkpoint_state import CheckpointState
from lawqa.training.fit import fit
from lawqa.training.objectives.policy import DrawnText
from lawqa.training.policy_steps import PolicySteps
from lawqa.training.trainer import AnswerTrainer

if TYPE_CHECKING:
    from peft import PeftModel

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
    parser.add_argument("--only", choices=("dpo", "policy"))
    parser.add_argument("--asked", type=int, default=8, help="questions of a policy step")
    parser.add_argument("--samples", type=int, default=8, help="texts of each")
    parser.add_argument("--tokens", type=int, default=1024, help="tokens of each")
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


class Clock:
    """When steps ended, and what their scoring passes took, as (seconds, tokens)."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, int]] = []
        self.scoring: list[tuple[float, int]] = []
        took_step, score = CheckpointState.took_step, AnswerTrainer.log_probabilities

        def timed_step(state: CheckpointState, loss: float, tokens: int) -> None:
            self.ends.append((synchronised(), tokens))
            took_step(state, loss, tokens)

        def timed_score(trainer: AnswerTrainer, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            began = synchronised()
            found = score(trainer, batch)
            self.scoring.append((synchronised() - began, int(batch["attention_mask"].sum())))
            return found

        self._patches = (
            patch.object(CheckpointState, "took_step", timed_step),
            patch.object(AnswerTrainer, "log_probabilities", timed_score),
        )
        for each in self._patches:
            each.start()

    @property
    def step_seconds(self) -> float:
        """Of a step after the first."""
        return (self.ends[-1][0] - self.ends[0][0]) / (STEPS - 1)

    def stop(self) -> None:
        """Leave trainer and checkpoints as they were."""
        for each in self._patches:
            each.stop()


def training_of(records: int) -> Hyperparameters:
    """As many records a step."""
    return replace(
        PREFERENCE_TRAINING, batch_size=records, gradient_accumulation_steps=1, save_minutes=0
    )


def time_pairs(loaded: LoadedModel, model: PeftModel, options: argparse.Namespace) -> None:
    """Train a few steps of DPO, and print what a step takes."""
    rows, clock = pair_rows(loaded, options), Clock()
    reset_peak()
    with tempfile.TemporaryDirectory() as directory:
        fit(
            loaded, model, rows, training_of(options.pairs), Path(directory), quiet=True,
            preference=PreferenceSettings(),
        )  # fmt: skip
    clock.stop()
    reference, of_steps = clock.scoring[:-STEPS], clock.scoring[-STEPS:]
    seconds = clock.step_seconds
    scored = sum(one for one, _ in of_steps[1:]) / (STEPS - 1)
    warm = reference[1:] or reference
    rate = sum(n for _, n in warm) / sum(s for s, _ in warm)
    print(
        f"DPO step, {options.pairs} pairs of {options.thought}-token answers, {options.condition}: "
        f"{seconds:.2f} s (scoring {scored:.2f}, training {seconds - scored:.2f}), "
        f"{clock.ends[-1][1]:,} tokens; reference {rate:,.0f} tokens/s; peak {peak():.2f} GiB",
        flush=True,
    )


class TimedDraws(PolicyDraws):
    """Draws texts by the clock, and draws their rewards."""

    seconds: ClassVar[list[float]] = []

    def __call__(self, numbers: Sequence[int], step: int) -> list[list[DrawnText]]:
        """The texts of a step."""
        rewards, began = random.Random(step), synchronised()  # noqa: S311 - not secret
        groups = super().__call__(numbers, step)
        self.seconds.append(synchronised() - began)
        print(f"  drawn in {self.seconds[-1]:.1f} s, peak {peak():.2f} GiB", flush=True)
        return [
            [replace(text, reward=float(rewards.random() < 0.5)) for text in group]
            for group in groups
        ]


def time_policy(
    loaded: LoadedModel, model: PeftModel, options: argparse.Namespace, output_dir: Path
) -> None:
    """Take a few policy steps, and print what a step takes."""
    policy = PolicySettings(
        condition=options.condition, permutations=1, samples_per_question=options.samples,
        max_new_tokens=options.tokens,
    )  # fmt: skip
    training = training_of(options.asked)
    run = PolicyRun(
        train_file=options.questions, output_dir=output_dir, policy=policy, training=training
    )
    records = policy_source(run).records[: options.asked * STEPS]
    rows, clock = longest_rows(records, run, loaded.tokenizer), Clock()
    reset_peak()
    steps = PolicySteps(policy, partial(TimedDraws, records, run))
    fit(loaded, model, rows, training, output_dir, quiet=True, policy=steps)
    clock.stop()
    seconds, drawn = clock.step_seconds, sum(TimedDraws.seconds[1:]) / (STEPS - 1)
    scored = sum(one for one, _ in clock.scoring[-2 * (STEPS - 1) :]) / (STEPS - 1)
    print(
        f"policy step, {options.asked} questions x {options.samples} texts x {options.tokens} tokens, "
        f"{options.condition}: {seconds:.1f} s (sampling {drawn:.1f}, scoring {scored:.1f}, training "
        f"{seconds - drawn - scored:.1f}), {clock.ends[-1][1]:,} tokens; peak {peak():.2f} GiB",
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
    model = add_adapter(loaded, PREFERENCE_TRAINING)
    if options.only != "policy":
        time_pairs(loaded, model, options)
    if options.only != "dpo":
        with tempfile.TemporaryDirectory() as directory:
            time_policy(loaded, model, options, Path(directory))


if __name__ == "__main__":
    main()
