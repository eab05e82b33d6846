"""`lawqa train`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.evaluate import DEFAULT_MODEL
from lawqa.cli.prompt_options import not_built_yet
from lawqa.errors import ConfigError
from lawqa.training.config import ALL_LINEAR, TrainingConfig

Dtype = Literal["auto", "bfloat16", "float16", "float32"]


@dataclass(frozen=True)
class Train:
    """Train a QLoRA adapter; without --do-train only rehearse and print the plan."""

    train_file: Path
    """Records from `lawqa records`, or questions, from which direct closed-book records are made."""
    output_dir: Path
    """Where the adapter, its manifest and the log go."""
    model_name: str = DEFAULT_MODEL
    """A local model directory, or a name in the Hugging Face cache."""
    revision: str | None = None
    """The revision of a cached model."""
    dev_file: Path | None = None
    """Questions whose accuracy decides when to stop."""
    num_epochs: float = 3.0
    """Passes over the records."""
    batch_size: int = 2
    """Records of one accumulation step."""
    gradient_accumulation_steps: int = 4
    """Accumulation steps of one optimiser step; times --batch-size it gives the records per step."""
    learning_rate: float = 2e-4
    """The highest learning rate; it falls along a cosine after the warm-up."""
    max_seq_length: int = 1024
    """The most tokens of one record; a longer one is an error, nothing is cut off."""
    token_budget: int = 8192
    """Padded tokens that go through the model at once; changes memory and speed, not the result."""
    warmup_ratio: float = 0.03
    """Share of the steps over which the learning rate rises."""
    lora_r: int = 16
    """Rank of the adapter."""
    lora_alpha: int = 32
    """Scale of the adapter."""
    lora_dropout: float = 0.05
    """Dropout on the adapter's inputs."""
    target_modules: tuple[str, ...] = ALL_LINEAR
    """Layers that get an adapter, such as q_proj v_proj."""
    use_4bit: FlagCreatePairsOff[bool] = False
    """Quantise the base model to 4 bits while loading."""
    bnb_4bit_compute_dtype: Dtype = "auto"
    """The dtype of products; auto: bfloat16, float16 on older GPUs, float32 on a CPU."""
    bnb_4bit_quant_type: Literal["nf4", "fp4"] = "nf4"
    """The 4-bit data type."""
    fp16: FlagCreatePairsOff[bool] = False
    """The same as --bnb-4bit-compute-dtype float16."""
    bf16: FlagCreatePairsOff[bool] = False
    """The same as --bnb-4bit-compute-dtype bfloat16."""
    max_steps_override: int = -1
    """Stop after so many optimiser steps; -1 for all epochs."""
    logging_steps: int = 1
    """Optimiser steps between two lines of the log."""
    save_steps: int = 0
    """Optimiser steps between two checkpoints; 0 for none before the end."""
    seed: int = 0
    """Decides the adapter's first weights, the order of records, and dropout."""
    resume: FlagCreatePairsOff[bool] = False
    """Go on from the last checkpoint."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier adapter in the output directory."""
    do_train: FlagCreatePairsOff[bool] = False
    """Train. Without it nothing is written."""

    def run(self) -> int:
        if self.resume:
            not_built_yet("--resume", "going on with an interrupted training")
        if self.dev_file is not None:
            not_built_yet("--dev-file", "early stopping on dev accuracy")
        dtype = self._dtype()
        training = self._training()
        from lawqa.pipelines.train import TrainConfig, plan_text, prepare, train

        config = TrainConfig(
            train_file=self.train_file,
            output_dir=self.output_dir,
            model_name=self.model_name,
            revision=self.revision,
            load_in_4bit=self.use_4bit,
            quant_type=self.bnb_4bit_quant_type,
            dtype=dtype,
            training=training,
            fresh=self.fresh,
        )
        prepared = prepare(config)
        for warning in prepared.source.warnings:
            print(f"note: {warning}", file=sys.stderr)
        print(plan_text(prepared))
        if not self.do_train:
            print("\nrehearsal only: nothing was trained or written; --do-train trains")
            return 0
        figures = train(prepared)
        print(
            f"\nloss {figures.first_loss:.3f} -> {figures.last_loss:.3f} in {figures.steps} steps, "
            f"{figures.seconds:.0f} s, {figures.tokens / figures.seconds:,.0f} tokens/s"
        )
        print(f"adapter: {self.output_dir}")
        return 0

    def _dtype(self) -> Dtype:
        named = {
            "--fp16": "float16" if self.fp16 else None,
            "--bf16": "bfloat16" if self.bf16 else None,
            "--bnb-4bit-compute-dtype": (
                None if self.bnb_4bit_compute_dtype == "auto" else self.bnb_4bit_compute_dtype
            ),
        }
        given = {flag: dtype for flag, dtype in named.items() if dtype}
        if len(set(given.values())) > 1:
            raise ConfigError(
                " and ".join(f"{flag} ({dtype})" for flag, dtype in given.items())
                + " contradict each other",
                "give one dtype",
            )
        choices: tuple[Dtype, ...] = ("bfloat16", "float16", "float32")
        return next((dtype for dtype in choices if dtype in given.values()), "auto")

    def _training(self) -> TrainingConfig:
        return TrainingConfig(
            num_epochs=self.num_epochs,
            batch_size=self.batch_size,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
            learning_rate=self.learning_rate,
            warmup_ratio=self.warmup_ratio,
            max_seq_length=self.max_seq_length,
            token_budget=self.token_budget,
            max_steps=self.max_steps_override,
            lora_r=self.lora_r,
            lora_alpha=self.lora_alpha,
            lora_dropout=self.lora_dropout,
            target_modules=self.target_modules,
            logging_steps=self.logging_steps,
            save_steps=self.save_steps,
            seed=self.seed,
        )
