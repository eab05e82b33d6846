"""Training an adapter from beginning to end, or from where an earlier process stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate.utils import broadcast_object_list
from transformers import PrinterCallback, ProgressCallback, TrainerState, TrainingArguments

from lawqa.amounts import counted
from lawqa.errors import ConfigError, Interrupted
from lawqa.models.load import LoadedModel
from lawqa.prompting import end_of_turn
from lawqa.records import TokenizedRecord
from lawqa.settings import Hyperparameters, PolicySettings, PreferenceSettings, Tracker
from lawqa.training.cadence import Cadence
from lawqa.training.checkpoints.checkpoint_state import (
    CheckpointState,
    is_finished,
    load_adapter_weights,
    put_adapter_weights,
)
from lawqa.training.checkpoints.directory import (
    newest_whole,
    remove_all,
    remove_unfinished,
    staging,
)
from lawqa.training.data.collate import LeftPadCollator
from lawqa.training.data.sampler import StepSampler
from lawqa.training.dev import DevResult, DevScorer
from lawqa.training.monitoring.log import LOG
from lawqa.training.monitoring.progress import TrainingProgress
from lawqa.training.monitoring.tracking import open_trackers
from lawqa.training.objectives.answers import Answers
from lawqa.training.objectives.pairs import Pairs
from lawqa.training.objectives.policy import DrawnText, Draws, Policy, without_adapter
from lawqa.training.path_choice import choose_path
from lawqa.training.processes.group import form_group, require_shared_directory
from lawqa.training.processes.interruption import Interruption
from lawqa.training.processes.sharding import share_out
from lawqa.training.reference import reference_log_probabilities
from lawqa.training.trainer import AnswerTrainer, as_dataset
from lawqa.training.undisturbed import undisturbed

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase


_OF_EVERY_STEP = {"step", "epoch", "loss", "learning_rate", "grad_norm", "tokens_per_second"}
"""What the log of any training says of a step."""


@dataclass(frozen=True)
class PolicySteps:
    """A training on texts that the model draws itself."""

    settings: PolicySettings
    """How they are judged."""
    draws: Callable[[LoadedModel], Draws]
    """Draws them from a model with its adapter."""

    def objective(
        self, loaded: LoadedModel, model: PeftModel, output_dir: Path, collator: LeftPadCollator
    ) -> Policy:
        """Return what the trainer minimises.

        Args:
            loaded: the base model.
            model: PEFT's wrapper around it.
            output_dir: of the training.
            collator: of its rows.
        """
        draws = self.draws(replace(loaded, model=model, adapter=output_dir))

        def undisturbed_draws(numbers: Sequence[int], step: int) -> list[list[DrawnText]]:
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()  # what the last step held is room for keys and values
            with undisturbed(model):
                return draws(numbers, step)

        return Policy(
            self.settings, undisturbed_draws, partial(without_adapter, model), collator.pad_token_id
        )


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
    """Wall time of the loop, interruptions not counted."""
    tokens: int
    """Tokens trained on, padding not counted, all epochs."""
    log: list[dict[str, Any]]
    """Every line of the log: step, loss, learning rate, gradient norm."""
    ended: str = "all steps"
    """Why training ended, in words."""
    best: DevResult | None = None
    """The dev questions at the step whose adapter is kept; None without dev questions."""
    dev: list[DevResult] = field(default_factory=list)
    """All scorings of the dev questions, the first before training."""

    @property
    def objective(self) -> dict[str, tuple[float, float]]:
        """What an objective logs besides its loss, by name, at the first and at the last logged step."""
        own = set(self.log[-1]) - _OF_EVERY_STEP if self.log else set()
        return {
            name: (self.log[0][name], self.log[-1][name])
            for name in sorted(own)
            if name in self.log[0]
        }

    @property
    def no_better_step(self) -> bool:
        """Whether the dev questions were answered best before training."""
        return self.best is not None and self.best.correct <= self.dev[0].correct


def fit(
    loaded: LoadedModel,
    model: PeftModel,
    records: Sequence[TokenizedRecord],
    config: Hyperparameters,
    output_dir: Path,
    *,
    quiet: bool = False,
    dev: DevScorer | None = None,
    resume: bool = False,
    report_to: Sequence[Tracker] = (),
    preference: PreferenceSettings | None = None,
    policy: PolicySteps | None = None,
) -> TrainingFigures:
    """Train the adapter in place; with dev questions it is left as it was at the best step.

    Args:
        loaded: where the model came from, and its device.
        model: PEFT's wrapper, from `model.add_adapter`.
        records: what to learn; with `preference` right and wrong answer of each pair, one after the other.
        config: how.
        output_dir: where log and checkpoints go.
        quiet: no progress bar.
        dev: asks the dev questions; None without any.
        resume: resume from the last whole checkpoint where there is one; otherwise earlier ones are removed.
        report_to: trackers that get the figures, from `require_trackers`.
        preference: how pairs are learnt from; None without pairs.
        policy: draws texts after the prompts of the records, to be learnt from instead of their answers.

    Raises:
        ConfigError: the other processes of the launch do not come, there are fewer records than processes
            to share them, a host sees another output directory, or a tracker cannot begin.
        TrainingError: loss or gradients are not finite, or the disk is full.
        Interrupted: a signal asked to stop; a checkpoint was written.
    """
    checkpoint_state, interruption = CheckpointState(output_dir, config), Interruption()
    arguments = form_group(lambda: _arguments(loaded, config, output_dir))
    width = 1 if preference is None else 2
    units = len(records) // width
    check_shares(config, units, processes=arguments.world_size)
    require_shared_directory(
        output_dir, process=arguments.process_index, processes=arguments.world_size
    )
    progress = TrainingProgress(
        output_dir, quiet=quiet, device=loaded.device, writes=arguments.process_index == 0
    )
    if loaded.sharded:
        progress.say(f"FSDP: {share_out(loaded, model)}")
    trackers = open_trackers(report_to, progress.say)
    every = config.eval_steps or config.steps_per_epoch(units)
    cadence = Cadence(checkpoint_state, interruption, every if dev else 0)
    end_token_id = _end_token_id(loaded.tokenizer)
    pairs = None if preference is None else Pairs(preference, end_token_id)
    collator = LeftPadCollator(loaded.tokenizer.pad_token_id or 0)
    drawn = None
    if policy is not None:
        drawn = policy.objective(loaded, model, output_dir, collator)
    trainer = AnswerTrainer(
        config=config,
        keys=[record.key for record in records],
        sampler=StepSampler(
            units,
            config.records_per_step,
            config.seed,
            arguments.process_index,
            arguments.world_size,
            rows=width,
        ),
        objective=pairs or drawn or Answers(end_token_id),
        path=choose_path(
            loaded, model, config, max(len(record.input_ids) for record in records), progress.say
        ),
        checkpoint_state=checkpoint_state,
        progress=progress,
        dev=dev,
        loaded=loaded,
        interruption=interruption,
        model=model,
        args=arguments,
        train_dataset=as_dataset(records),
        data_collator=collator,
        callbacks=[*trackers, progress, cadence],
    )
    for replaced in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(replaced)
    cadence.score = trainer.evaluate
    checkpoint = _start_from(output_dir, progress, arguments, resume=resume)
    if checkpoint:
        checkpoint_state.restore(checkpoint)
    if checkpoint and is_finished(checkpoint, checkpoint_state, config.total_steps(units)):
        put_adapter_weights(model, load_adapter_weights(checkpoint))
        state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    else:
        with interruption.watching():
            try:
                trainer.rehearse(trainer.train_dataset)
                if pairs is not None:
                    pairs.reference = reference_log_probabilities(
                        trainer, output_dir, interruption, quiet=quiet
                    )
                trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            finally:
                progress.close()
                for tracker in trackers:
                    tracker.close()
        state = trainer.state
        _raise_if_interrupted(interruption, checkpoint_state, state)
    model.eval()
    if checkpoint_state.watch.best_weights is not None:
        put_adapter_weights(model, checkpoint_state.watch.best_weights)
    return _figures(checkpoint_state, state)


def _figures(checkpoint_state: CheckpointState, state: TrainerState) -> TrainingFigures:
    log = [entry for entry in state.log_history if "loss" in entry]
    watch = checkpoint_state.watch
    return TrainingFigures(
        steps=state.global_step,
        first_loss=log[0]["loss"],
        last_loss=log[-1]["loss"],
        seconds=round(checkpoint_state.seconds, 3),
        tokens=checkpoint_state.tokens,
        log=log,
        ended=watch.reason_to_stop() or "all steps",
        best=watch.best,
        dev=watch.results,
    )


def _raise_if_interrupted(
    interruption: Interruption, checkpoint_state: CheckpointState, state: TrainerState
) -> None:
    unfinished = state.global_step < state.max_steps and not checkpoint_state.watch.reason_to_stop()
    if interruption.signum is not None and (unfinished or checkpoint_state.watch.waiting):
        raise Interrupted(
            interruption.signum,
            f"stopped after step {state.global_step} of {state.max_steps}; saved {checkpoint_state.newest()}",
        )


def _start_from(
    output_dir: Path, progress: TrainingProgress, arguments: TrainingArguments, *, resume: bool
) -> Path | None:
    """Return the checkpoint to resume from, the same on every process."""
    checkpoint: list[Path | None] = [None]
    if arguments.process_index == 0:
        remove_unfinished(output_dir)
        if resume:
            checkpoint = [newest_whole(output_dir, lambda line: progress.say(f"! {line}"))]
            if checkpoint[0]:
                progress.say(f"resuming from {checkpoint[0]}")
            elif (output_dir / LOG).is_file():
                progress.say("there is no checkpoint to resume from: training starts over")
        else:
            remove_all(output_dir)
    if arguments.world_size > 1:
        broadcast_object_list(checkpoint)
    return checkpoint[0]


def check_shares(config: Hyperparameters, records: int, *, processes: int) -> None:
    """Make sure that each process gets a record of every step.

    Raises:
        ConfigError: some step has fewer records than there are processes.
    """
    smallest = records // config.steps_per_epoch(records)
    if smallest < processes:
        raise ConfigError(
            f"a step has {counted(smallest, 'record')} at least, too few for "
            f"{counted(processes, 'process', 'processes')}",
            "raise --batch-size or --gradient-accumulation-steps, or start fewer processes",
        )


def _end_token_id(tokenizer: PreTrainedTokenizerBase) -> int:
    (end,) = tokenizer.encode(end_of_turn(tokenizer), add_special_tokens=False)
    return int(end)


def _arguments(loaded: LoadedModel, config: Hyperparameters, output_dir: Path) -> TrainingArguments:
    arguments = TrainingArguments(
        # Checkpoints are written here and moved when whole; nothing else is.
        output_dir=str(staging(output_dir)),
        num_train_epochs=config.num_epochs,
        max_steps=config.max_steps,
        # One batch of the Trainer is a whole optimiser step; AnswerTrainer cuts it up.
        gradient_accumulation_steps=1,
        per_device_train_batch_size=config.records_per_step,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        neftune_noise_alpha=config.neftune_alpha or None,
        max_grad_norm=1.0,
        bf16=loaded.dtype == torch.bfloat16,
        fp16=loaded.dtype == torch.float16,
        use_cpu=loaded.device.type == "cpu",
        dataloader_pin_memory=loaded.device.type == "cuda",
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,
        # Cadence says when.
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        run_name=str(output_dir),  # what trackers call it
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        disable_tqdm=True,
        seed=config.seed,
        data_seed=config.seed,
    )
    # transformers adds a tracker that nobody asked for where the environment names its server.
    arguments.report_to = []
    # One process trains on one GPU, however many it sees: transformers would multiply the batch by their
    # number, and several GPUs are torchrun's.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments
