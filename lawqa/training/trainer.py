"""The training loop: transformers' Trainer with a loss on answers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainingArguments

from lawqa.backends.hf.load import LoadedModel
from lawqa.errors import ConfigError
from lawqa.prompting import end_of_turn
from lawqa.records import IGNORED, TokenizedRecord
from lawqa.training.collate import LeftPadCollator, check_mask, micro_batches
from lawqa.training.config import TrainingConfig
from lawqa.training.progress import ProgressAndLog


@dataclass(frozen=True)
class TrainingFigures:
    """What was measured while training."""

    steps: int
    """Optimiser steps taken."""
    first_loss: float
    """Loss of the first logged step, nats per answer token."""
    last_loss: float
    """Loss of the last logged step, nats per answer token."""
    seconds: float
    """Wall time of the loop."""
    tokens: int
    """Tokens trained on, padding not counted, all epochs."""
    log: list[dict[str, Any]]
    """Every line of the log: step, loss, learning rate, gradient norm."""


class AnswerTrainer(Trainer):  # type: ignore[misc]  # transformers is not checked
    """Takes the records of one optimiser step at a time and cuts them into micro-batches itself.

    So the token budget changes memory and speed, never the result: the loss of a step is the mean over
    all its answer tokens, on all processes.
    """

    def __init__(
        self, *, token_budget: int, warmup_ratio: float, end_token_id: int, **options: Any
    ) -> None:
        super().__init__(**options)
        self._token_budget = token_budget
        self._warmup_ratio = warmup_ratio
        self._end_token_id = end_token_id

    def training_step(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        num_items_in_batch: Any = None,
    ) -> torch.Tensor:
        """Forward and backward over one optimiser step; returns its loss (this process's share)."""
        del (
            num_items_in_batch
        )  # counts labels before the shift to next tokens; counted here instead
        model.train()
        check_mask(inputs, self._end_token_id)
        inputs = self._prepare_inputs(inputs)
        answer_tokens = self._over_processes((inputs["labels"] != IGNORED).sum())
        parts = list(micro_batches(inputs, self._token_budget))
        loss = torch.zeros((), device=self.args.device)
        for number, part in enumerate(parts, start=1):
            # Gradients of several processes are averaged with the last part only.
            waits = number < len(parts) and self.accelerator.num_processes > 1
            with self.accelerator.no_sync(model) if waits else nullcontext():
                with self.compute_loss_context_manager():
                    part_loss = answer_loss(model, part) / answer_tokens
                    # The average over processes divides by their number; the mean is already taken.
                    part_loss = part_loss * self.accelerator.num_processes
                self.accelerator.backward(part_loss)
            loss += part_loss.detach()
        return loss

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The learning rate of every step; unlike transformers' own, no step has a rate of 0."""
        if self.lr_scheduler is None:
            warmup_steps = round(self._warmup_ratio * num_training_steps)
            self.lr_scheduler: Any = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer,
                lambda step: rate_at(step, warmup_steps, num_training_steps),
            )
        return self.lr_scheduler

    def _over_processes(self, count: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self.accelerator.reduce(count, reduction="sum")
        return total


def rate_at(step: int, warmup_steps: int, total_steps: int) -> float:
    """The share of the highest learning rate at a step: a line up, then half a cosine down.

    Args:
        step: optimiser steps taken before this one.
        warmup_steps: steps below the highest rate at the beginning.
        total_steps: all steps.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    done = (step - warmup_steps) / max(total_steps - warmup_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def answer_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Sum of the cross entropy of all answer tokens, in nats.

    Only the last positions go through `lm_head`: padding is on the left, so every answer ends at the
    last position. On 100 closed-book questions that is 2 positions of 270 in a row.

    Args:
        model: called through its own forward, so that a wrapper for several processes sees it.
        batch: `input_ids`, `labels`, `attention_mask` of shape [records, tokens].
    """
    longest_answer = int((batch["labels"] != IGNORED).sum(dim=1).max())
    mask = batch["attention_mask"]
    logits = model(
        input_ids=batch["input_ids"],
        attention_mask=mask,
        position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
        logits_to_keep=longest_answer + 1,
        use_cache=False,
    ).logits
    # The logits at one position predict the next token.
    predictions, targets = logits[:, :-1].float(), batch["labels"][:, -longest_answer:]
    return cross_entropy(
        predictions.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def fit(
    loaded: LoadedModel,
    model: Any,
    records: Sequence[TokenizedRecord],
    config: TrainingConfig,
    output_dir: Path,
    *,
    quiet: bool = False,
) -> TrainingFigures:
    """Train the adapter in place.

    Args:
        loaded: where the model came from, and its device.
        model: PEFT's wrapper, from `model.add_adapter`.
        records: what to learn.
        config: how.
        output_dir: where `log.jsonl` and checkpoints go.
        quiet: no progress bar.

    Raises:
        ConfigError: the records of a step cannot be shared out evenly over the processes.
    """
    trainer = AnswerTrainer(
        token_budget=config.token_budget,
        warmup_ratio=config.warmup_ratio,
        end_token_id=_end_token_id(loaded.tokenizer),
        model=model,
        args=_arguments(loaded, config, output_dir),
        train_dataset=as_dataset(records),
        data_collator=LeftPadCollator(loaded.tokenizer.pad_token_id or 0),
        callbacks=[ProgressAndLog(output_dir, quiet=quiet)],
    )
    for replaced in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(replaced)
    result = trainer.train()
    log = [entry for entry in trainer.state.log_history if "loss" in entry]
    losses = [entry["loss"] for entry in log] or [result.training_loss]
    model.eval()
    return TrainingFigures(
        steps=trainer.state.global_step,
        first_loss=losses[0],
        last_loss=losses[-1],
        seconds=result.metrics["train_runtime"],
        tokens=round(sum(len(r.input_ids) for r in records) * float(trainer.state.epoch or 0)),
        log=log,
    )


def as_dataset(records: Sequence[TokenizedRecord]) -> Dataset:
    """Records as a `datasets.Dataset`: columns `input_ids`, `labels`, `record` (its number), `reading`."""
    return Dataset.from_dict(
        {
            "input_ids": [record.input_ids for record in records],
            "labels": [record.labels for record in records],
            "record": list(range(len(records))),
            "reading": [record.reading for record in records],
        }
    )


def _end_token_id(tokenizer: Any) -> int:
    (end,) = tokenizer.encode(end_of_turn(tokenizer), add_special_tokens=False)
    return int(end)


def _arguments(loaded: LoadedModel, config: TrainingConfig, output_dir: Path) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=str(output_dir),
        num_train_epochs=config.num_epochs,
        max_steps=config.max_steps,
        # One batch of the Trainer is a whole optimiser step; AnswerTrainer cuts it up.
        gradient_accumulation_steps=1,
        learning_rate=config.learning_rate,
        weight_decay=0.0,
        max_grad_norm=1.0,
        bf16=loaded.dtype == torch.bfloat16,
        fp16=loaded.dtype == torch.float16,
        use_cpu=loaded.device.type == "cpu",
        dataloader_pin_memory=loaded.device.type == "cuda",
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,
        save_strategy="steps" if config.save_steps else "no",
        save_steps=config.save_steps or 500,
        report_to="none",
        remove_unused_columns=False,
        disable_tqdm=True,
        seed=config.seed,
        data_seed=config.seed,
    )
    processes = arguments.world_size
    if config.records_per_step % processes:
        raise ConfigError(
            f"--batch-size times --gradient-accumulation-steps is {config.records_per_step}, "
            f"which {processes} processes cannot share evenly",
            f"choose a multiple of {processes}",
        )
    arguments.per_device_train_batch_size = config.records_per_step // processes
    return arguments
