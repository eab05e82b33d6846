"""The settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.errors import ConfigError

ALL_LINEAR = ("all-linear",)
"""All linear layers of the blocks; never `lm_head`."""


@dataclass(frozen=True)
class TrainingConfig:
    """How an adapter is trained."""

    num_epochs: float = 3.0
    """Passes over the records."""
    batch_size: int = 2
    """Records of one accumulation step; see `records_per_step`."""
    gradient_accumulation_steps: int = 4
    """How many of those one optimiser step sums over."""
    learning_rate: float = 2e-4
    """The highest learning rate; it falls along a cosine after the warm-up."""
    warmup_ratio: float = 0.03
    """Share of the steps over which the learning rate rises from 0."""
    max_seq_length: int = 1024
    """The most tokens of one record; a longer record is an error."""
    token_budget: int = 8192
    """Padded tokens of one micro-batch; decides memory, never the result."""
    max_steps: int = -1
    """Stop after this many optimiser steps; -1 to train all epochs."""
    lora_r: int = 16
    """Rank of the adapter."""
    lora_alpha: int = 32
    """Its scale: the update is multiplied by `lora_alpha / lora_r`."""
    lora_dropout: float = 0.05
    """Share of an adapter's inputs that is dropped while training."""
    target_modules: tuple[str, ...] = ALL_LINEAR
    """Names of the layers that get an adapter."""
    logging_steps: int = 1
    """Optimiser steps between two lines of the log."""
    save_steps: int = 0
    """Optimiser steps between two checkpoints; 0 for none before the end."""
    seed: int = 0
    """Decides the adapter's first weights, the order of records, and dropout."""

    def __post_init__(self) -> None:
        rules = (
            ("--num-epochs", self.num_epochs, self.num_epochs > 0, "above 0"),
            ("--batch-size", self.batch_size, self.batch_size >= 1, "1 or more"),
            (
                "--gradient-accumulation-steps",
                self.gradient_accumulation_steps,
                self.gradient_accumulation_steps >= 1,
                "1 or more",
            ),
            ("--learning-rate", self.learning_rate, 0 < self.learning_rate < 1, "between 0 and 1"),
            ("--warmup-ratio", self.warmup_ratio, 0 <= self.warmup_ratio < 1, "0 to below 1"),
            ("--max-seq-length", self.max_seq_length, self.max_seq_length >= 2, "2 or more"),
            ("--token-budget", self.token_budget, self.token_budget >= 1, "1 or more"),
            (
                "--max-steps-override",
                self.max_steps,
                self.max_steps == -1 or self.max_steps >= 1,
                "1 or more, or -1 for all epochs",
            ),
            ("--lora-r", self.lora_r, self.lora_r >= 1, "1 or more"),
            ("--lora-alpha", self.lora_alpha, self.lora_alpha >= 1, "1 or more"),
            ("--lora-dropout", self.lora_dropout, 0 <= self.lora_dropout < 1, "0 to below 1"),
            ("--logging-steps", self.logging_steps, self.logging_steps >= 1, "1 or more"),
            ("--save-steps", self.save_steps, self.save_steps >= 0, "0 or more"),
        )
        broken = [
            f"{flag} is {value}, expected {rule}" for flag, value, holds, rule in rules if not holds
        ]
        if broken:
            raise ConfigError("\n".join(broken), "lawqa train --help  explains every option")

    @property
    def records_per_step(self) -> int:
        """Records of one optimiser step, over all processes."""
        return self.batch_size * self.gradient_accumulation_steps
