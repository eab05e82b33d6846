"""The training loop: transformers' Trainer with a loss on answers alone."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from torch.utils.data import DataLoader
from transformers import Trainer

from lawqa.errors import TrainingError
from lawqa.models.device import full_memory_named, give_back_memory
from lawqa.models.load import LoadedModel
from lawqa.records import TokenizedRecord
from lawqa.settings import Hyperparameters
from lawqa.training.checkpoints.checkpoint_state import (
    CheckpointState,
    adapter_weights,
    load_adapter_weights,
    put_adapter_weights,
)
from lawqa.training.data.collate import Features
from lawqa.training.data.sampler import StepSampler
from lawqa.training.dev import DevResult, DevScorer
from lawqa.training.loss_paths import Batch, LossPath, rehearse, smaller_path
from lawqa.training.monitoring.progress import TrainingProgress
from lawqa.training.non_finite import (
    broken_gradients,
    gradient_norm,
    not_finite,
    records_at_fault,
)
from lawqa.training.objectives.base import Objective
from lawqa.training.processes.interruption import Interruption
from lawqa.training.processes.sharding import in_step, sum_gradients, turns_of_all
from lawqa.training.schedule import rate_at
from lawqa.training.undisturbed import undisturbed

_EMPTIED = 2
"""How often a training empties the allocator's cache before it takes fewer tokens at once."""


class AnswerTrainer(Trainer):  # type: ignore[misc]  # transformers is not checked
    """Takes the records of one optimiser step at a time and cuts them into micro-batches itself.

    So the token budget changes memory and speed, never the result: the loss of a step is the mean over
    all its answer tokens, on all processes.

    Args:
        config: how to train.
        keys: what messages call the records, by number.
        sampler: which records make a step, and which of them this process takes.
        objective: what is learnt of them.
        path: cuts a step into micro-batches and computes their losses.
        checkpoint_state: writes checkpoints, and knows what the Trainer does not keep.
        progress: shows and logs.
        dev: asks the dev questions; None without any.
        loaded: for asking them: tokenizer and device of the model.
        interruption: whether a signal has asked to stop.
        options: of transformers' Trainer.
    """

    def __init__(
        self,
        *,
        config: Hyperparameters,
        keys: Sequence[str],
        sampler: StepSampler,
        objective: Objective,
        path: LossPath,
        checkpoint_state: CheckpointState,
        progress: TrainingProgress,
        dev: DevScorer | None,
        loaded: LoadedModel,
        interruption: Interruption,
        **options: object,
    ) -> None:
        super().__init__(**options)
        self._config = config
        self._keys = keys
        self._sampler = sampler
        self._objective = objective
        self._path = path
        self._checkpoint_state = checkpoint_state
        self._progress = progress
        self._dev = dev
        self._loaded = loaded
        self._interruption = interruption
        self._emptied = 0

    def get_train_dataloader(self) -> DataLoader[object]:
        """Return this process's share of every step's records."""
        # Not accelerate's: it repeats records where the last batch cannot be dealt out evenly.
        return DataLoader(
            self.train_dataset,
            batch_sampler=self._sampler,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def training_step(
        self, model: torch.nn.Module, inputs: Batch, num_items_in_batch: object = None
    ) -> torch.Tensor:
        """Go forward and backward over one optimiser step; returns its loss, the same on every process.

        Raises:
            TrainingError: loss or gradients are not finite.
        """
        del num_items_in_batch  # of labels before the shift to next tokens; counted here instead
        inputs = self._prepare_inputs(inputs)
        step = self._objective.step(inputs, self.log_probabilities, self.state.global_step)
        model.train()
        counts = torch.stack([step.count, step.rows["attention_mask"].sum()])
        count, tokens = self._over_processes(counts)
        parts, losses = self._in_memory(model, step.rows, count)
        # One wait for the GPU; what is not finite anywhere is seen everywhere.
        norm = gradient_norm(model, self.accelerator.scaler).to(self.args.device)
        loss, norm = self._over_processes(torch.stack([torch.stack(losses).sum(), norm]))
        if not math.isfinite(float(loss)) or not math.isfinite(float(norm)):
            raise self._not_finite(model, parts, losses, float(loss), float(norm))
        if step.loss is not None:
            loss = self._over_processes(step.loss) / count
        self._checkpoint_state.took_figures(step.figures)
        self._checkpoint_state.took_step(float(loss), int(tokens))
        return loss.detach()

    def log_probabilities(self, batch: Batch) -> torch.Tensor:
        """Return the log-probabilities of rows' answers as the model is now, summed over tokens, in nats,
        [records].

        There is neither dropout nor a gradient.
        """
        batch = self._prepare_inputs(batch)
        place = torch.arange(len(batch["record"]), device=batch["record"].device)
        longest = int(batch["attention_mask"].sum(dim=1).max())
        self.model.eval()
        while True:
            parts = self._path.parts({**batch, "place": place})
            try:
                with full_memory_named(), torch.no_grad(), self.compute_loss_context_manager():
                    losses = [self._path.losses(self.model, part) for part in parts]
            except torch.OutOfMemoryError:
                losses = []  # leave the handler first: the exception holds the tensors of its frames
            if losses:
                break
            self._make_room(self.model, max(map(self._path.tokens, parts)), longest)
        places = torch.cat([part["place"] for part in parts])
        found = torch.empty(len(place), device=place.device)
        found[places] = -torch.cat(losses).float()
        return found

    def _not_finite(
        self,
        model: torch.nn.Module,
        parts: Sequence[Batch],
        losses: Sequence[torch.Tensor],
        loss: float,
        norm: float,
    ) -> TrainingError:
        """Return what to say of a step whose loss or gradients are not finite, the same on every process."""
        keys = [
            self._keys[number] for number in sorted(gather_object(records_at_fault(parts, losses)))
        ]
        broken = next(filter(None, gather_object([broken_gradients(model)])), None)
        step = self.state.global_step + 1
        return not_finite(step, loss, norm, keys, broken, self._checkpoint_state.newest())

    def rehearse(self, records: Sequence[Features]) -> None:
        """Try the heaviest step on a GPU before the first one, so that it fits or fails at once.

        Args:
            records: all features of the data set.

        Raises:
            TrainingError: not even the longest record alone fits.
        """
        if self.args.device.type != "cuda":
            return
        lengths = [len(record["input_ids"]) for record in records]
        share = -(-self._config.records_per_step // self.args.world_size)
        longest = sorted(range(len(records)), key=lambda number: -lengths[number])[:share]
        batch = self._prepare_inputs(self.data_collator([records[number] for number in longest]))
        self.model.train()
        while True:
            fits = True
            give_back_memory()  # what an earlier training left is in other pieces than are wanted
            try:
                with full_memory_named():
                    rehearse(
                        self._path, self.model, batch, self.compute_loss_context_manager(),
                        whole=self._loaded.sharded,
                    )  # fmt: skip
            except torch.OutOfMemoryError:
                fits = False
            if fits:
                break
            self._shrink(self.model, self._path.token_budget, lengths[longest[0]])
        peak = torch.cuda.max_memory_allocated(self.args.device) / 2**30
        self._progress.say(f"rehearsed the longest records: {peak:.1f} GiB at the peak")

    def _in_memory(
        self, model: torch.nn.Module, inputs: Batch, count: torch.Tensor
    ) -> tuple[list[Batch], list[torch.Tensor]]:
        """Return the micro-batches of a step and their losses; out of memory it starts over."""
        longest = int(inputs["attention_mask"].sum(dim=1).max())
        while True:
            parts = self._path.parts(inputs)
            try:
                with full_memory_named():
                    losses = self.run_step(model, parts, count)
            except torch.OutOfMemoryError:
                # Leave the handler first: the exception holds the tensors of its frames.
                losses = None
            if losses is not None:
                return parts, losses
            self._make_room(model, max(map(self._path.tokens, parts)), longest)

    def _make_room(self, model: torch.nn.Module, tokens: int, longest: int) -> None:
        """Empty the allocator's cache after running out of memory, and at last take fewer tokens at once.

        What the rehearsal has shown to fit can fail over a cache that is in pieces.
        """
        if self._emptied < _EMPTIED and self.args.world_size == 1:
            self._emptied += 1
            model.zero_grad(set_to_none=True)
            give_back_memory()
            self._progress.say("! out of memory: the cache is emptied, and the step taken again")
        else:
            self._shrink(model, tokens, longest)

    def _shrink(self, model: torch.nn.Module, tokens: int, longest: int) -> None:
        """Lower the token budget after running out of memory: more parts, the same step."""
        model.zero_grad(set_to_none=True)
        give_back_memory()
        self._path = smaller_path(self._path, tokens, longest, self.args.world_size)
        self._progress.say(
            f"! out of memory: micro-batches of {self._path.token_budget} tokens from here on, "
            "more of them a step; the result stays the same"
        )

    def run_step(
        self, model: torch.nn.Module, parts: Sequence[Batch], count: torch.Tensor
    ) -> list[torch.Tensor]:
        """Add up the gradients of one optimiser step.

        Args:
            model: the wrapped model.
            parts: this process's micro-batches.
            count: what the step's loss is the mean over, on all processes.

        Returns:
            Each part's share of the step's mean loss, detached.
        """
        processes, sharded = self.accelerator.num_processes, self._loaded.sharded
        by_wrapper = processes > 1 and not (sharded or self._path.bypasses_wrapper)
        turns = turns_of_all(len(parts), self.args.device) if sharded else len(parts)
        losses = []
        for number, part in enumerate(parts, start=1):
            # Gradients of several processes are averaged with the last part only.
            waits = number < len(parts) and by_wrapper
            with self.accelerator.no_sync(model) if waits else nullcontext():
                with self.compute_loss_context_manager():
                    share = self._path.loss(model, part) / count
                # The average over processes divides by their number; the mean is already taken.
                self.accelerator.backward(share * processes if by_wrapper else share)
            # What its graph still holds would lie between the tensors of the next part.
            share = share.detach()
            losses.append(share)
        if sharded:
            self._keep_others_company(model, parts[-1], turns - len(parts))
        if processes > 1 and not by_wrapper:
            sum_gradients(model)
        return losses

    def _keep_others_company(self, model: torch.nn.Module, part: Batch, turns: int) -> None:
        """Compute what counts for nothing while others, who need these weights, have parts left."""
        for _ in range(turns):
            with self.compute_loss_context_manager():
                nothing = self._path.loss(model, part) * 0
            self.accelerator.backward(nothing)

    def evaluate(self, *args: object, **options: object) -> dict[str, float]:
        """Ask the dev questions, and decide on the best step and on stopping."""
        del args, options
        self.control.should_evaluate = False  # else the end of an epoch asks once more
        if self._dev is None:
            return {}
        watch, step = self._checkpoint_state.watch, self.state.global_step
        sharded, adapter = self._loaded.sharded, Path(self.args.output_dir)
        model = in_step(self.model) if sharded else self.model
        loaded = replace(self._loaded, model=model, adapter=adapter)
        answers, began = [], time.monotonic()
        # Where weights are shared out, each process must run every batch, so each asks all questions.
        share = (0, 1) if sharded else (self.args.process_index, self.args.world_size)
        expected = -(-self._dev.expected // share[1])
        with undisturbed(self.model), self._progress.scoring(expected) as bar:
            for answer in bar.over(self._dev(loaded, *share)):
                answers.append(answer)
                if self._interruption.asked and self.args.world_size == 1:
                    # A job scheduler leaves seconds; the scoring is repeated on resuming.
                    watch.waiting = True
                    self.control.should_save = self.control.should_training_stop = True
                    return {}
        seconds = time.monotonic() - began
        result = DevResult.of(step, answers if sharded else gather_object(answers), seconds)
        if watch.take(result):
            watch.best_weights = adapter_weights(self.model)
        self._progress.row(self.state, result.to_json())
        # `self.log` would put it into the history of losses, which checkpoints keep.
        self.callback_handler.on_log(
            self.args, self.state, self.control,
            {"eval_accuracy": result.accuracy, "eval_correct": result.correct, "eval_failed": result.failed},
        )  # fmt: skip
        self._progress.say(f"step {step}: {result.sentence}")
        if result.collapse:
            self._progress.say(f"! COLLAPSE at step {step}: {result.collapse}")
        if watch.reason_to_stop():
            self.control.should_training_stop = True
        return {"dev_accuracy": result.accuracy}

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log a line; its loss is the mean since the last one, also across an interruption."""
        if "loss" in logs:
            speed = self._checkpoint_state.tokens_per_second()
            logs = {
                **logs,
                "loss": self._checkpoint_state.mean_loss(),
                **self._checkpoint_state.mean_figures(),
                "tokens_per_second": round(speed, 1),
            }
        super().log(logs, start_time)
        if "loss" in logs:
            self._progress.row(self.state, {"step": self.state.global_step, **logs})

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        """Return the learning rate of every step; unlike transformers' own, no step has a rate of 0."""
        if self.lr_scheduler is None:
            warmup_steps = round(self._config.warmup_ratio * num_training_steps)
            self.lr_scheduler: torch.optim.lr_scheduler.LRScheduler = (
                torch.optim.lr_scheduler.LambdaLR(
                    optimizer or self.optimizer,
                    lambda step: rate_at(
                        step, warmup_steps, num_training_steps, self._config.lr_scheduler
                    ),
                )
            )
        return self.lr_scheduler

    def _save(self, output_dir: str | None = None, state_dict: object = None) -> None:
        """Save the adapter of a checkpoint; the Trainer's own way may look for the base model
        in a network.
        """
        self.model.save_pretrained(
            output_dir, state_dict=state_dict, save_embedding_layers=False,
            is_main_process=self.args.should_save,
        )  # fmt: skip

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: torch.nn.Module | None = None
    ) -> None:
        """Load the adapter of a checkpoint; PEFT would only warn of tensors that find no place."""
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        put_adapter_weights(self.model, load_adapter_weights(Path(resume_from_checkpoint)))

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        """Write a checkpoint aside, and give it its name once it is whole."""
        with self._checkpoint_state.writing(self.state.global_step, self.accelerator) as written:
            super()._save_checkpoint(model, trial)
            if self.args.should_save:
                self._checkpoint_state.save(written)

    def _over_processes(self, values: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, self.accelerator.reduce(values, reduction="sum"))


def as_dataset(records: Sequence[TokenizedRecord]) -> Dataset:
    """Return records as a `datasets.Dataset`: columns `input_ids`, `labels`, `record` (its number),
    `reading`.
    """
    return Dataset.from_dict(
        {
            "input_ids": [record.input_ids for record in records],
            "labels": [record.labels for record in records],
            "record": list(range(len(records))),
            "reading": [record.reading for record in records],
        }
    )
