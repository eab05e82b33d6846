"""Training an adapter from beginning to end, or from where an earlier process stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate.utils import broadcast_object_list
from transformers import PrinterCallback, ProgressCallback, TrainerState, TrainingArguments

from lawqa.amounts import counted
from lawqa.errors import ConfigError, Interrupted
from lawqa.models.load import LoadedModel
from lawqa.prompting import end_of_turn
from lawqa.records import TokenizedRecord
from lawqa.settings import Hyperparameters, PreferenceSettings, Tracker
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
from lawqa.training.dev import DevScorer
from lawqa.training.figures import TrainingFigures
from lawqa.training.monitoring.log import LOG
from lawqa.training.monitoring.progress import TrainingProgress
from lawqa.training.monitoring.tracking import FiguresOnly, open_trackers
from lawqa.training.objectives.answers import Answers
from lawqa.training.objectives.base import Objective
from lawqa.training.objectives.pairs import Pairs
from lawqa.training.objectives.policy import Policy
from lawqa.training.path_choice import choose_path
from lawqa.training.policy_steps import PolicySteps
from lawqa.training.processes.group import form_group, require_shared_directory
from lawqa.training.processes.interruption import Interruption
from lawqa.training.processes.sharding import share_out
from lawqa.training.reference import reference_log_probabilities
from lawqa.training.trainer import AnswerTrainer, as_dataset

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase


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
    arguments = form_group(lambda: _arguments(loaded, config, output_dir))
    rows = 1 if preference is None else 2  # of a unit: a pair has two
    units = len(records) // rows
    check_shares(config, units, processes=arguments.world_size)
    require_shared_directory(
        output_dir, process=arguments.process_index, processes=arguments.world_size
    )
    watchers = _watchers(loaded, config, output_dir, arguments, report_to, quiet=quiet)
    if loaded.sharded:
        watchers.progress.say(f"FSDP: {share_out(loaded, model)}")
    collator = LeftPadCollator(loaded.tokenizer.pad_token_id or 0)
    objective = _objective(loaded, model, output_dir, collator, preference, policy)
    sampler = StepSampler(
        units, config.records_per_step, config.seed, arguments.process_index,
        arguments.world_size, rows=rows,
    )  # fmt: skip
    trainer = _trainer(
        loaded, model, records, config, watchers, dev, sampler=sampler, objective=objective,
        args=arguments, data_collator=collator,
    )  # fmt: skip
    checkpoint_state = watchers.checkpoint_state
    checkpoint = _start_from(output_dir, watchers.progress, arguments, resume=resume)
    if checkpoint:
        checkpoint_state.restore(checkpoint)
    if checkpoint and is_finished(checkpoint, checkpoint_state, config.total_steps(units)):
        put_adapter_weights(model, load_adapter_weights(checkpoint))
        state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    else:
        state = _train(trainer, objective, watchers, output_dir, checkpoint, quiet=quiet)
    model.eval()
    if checkpoint_state.watch.best_weights is not None:
        put_adapter_weights(model, checkpoint_state.watch.best_weights)
    return TrainingFigures.of(checkpoint_state, state)


@dataclass(frozen=True)
class _Watchers:
    """What saves, stops, shows and reports a training."""

    checkpoint_state: CheckpointState
    interruption: Interruption
    progress: TrainingProgress
    trackers: Sequence[FiguresOnly]


def _watchers(
    loaded: LoadedModel,
    config: Hyperparameters,
    output_dir: Path,
    arguments: TrainingArguments,
    report_to: Sequence[Tracker],
    *,
    quiet: bool,
) -> _Watchers:
    progress = TrainingProgress(
        output_dir, quiet=quiet, device=loaded.device, writes=arguments.process_index == 0
    )
    return _Watchers(
        CheckpointState(output_dir, config),
        Interruption(),
        progress,
        open_trackers(report_to, progress.say),
    )


def _objective(
    loaded: LoadedModel,
    model: PeftModel,
    output_dir: Path,
    collator: LeftPadCollator,
    preference: PreferenceSettings | None,
    policy: PolicySteps | None,
) -> Answers | Pairs | Policy:
    end_token_id = _end_token_id(loaded.tokenizer)
    if preference is not None:
        return Pairs(preference, end_token_id)
    if policy is not None:
        return policy.objective(loaded, model, output_dir, collator)
    return Answers(end_token_id)


def _trainer(
    loaded: LoadedModel,
    model: PeftModel,
    records: Sequence[TokenizedRecord],
    config: Hyperparameters,
    watchers: _Watchers,
    dev: DevScorer | None,
    *,
    sampler: StepSampler,
    objective: Objective,
    **options: object,
) -> AnswerTrainer:
    """Put a trainer together; it scores the dev questions when `Cadence` says so.

    Args:
        loaded: where the model came from.
        model: PEFT's wrapper.
        records: what to learn.
        config: how.
        watchers: what follows the training.
        dev: asks the dev questions; None without any.
        sampler: which records make a step.
        objective: what is learnt of them.
        options: further ones of `AnswerTrainer`.
    """
    every = config.eval_steps or len(sampler)
    cadence = Cadence(watchers.checkpoint_state, watchers.interruption, every if dev else 0)
    trainer = AnswerTrainer(
        config=config,
        keys=[record.key for record in records],
        sampler=sampler,
        objective=objective,
        path=choose_path(loaded, model, config, records, watchers.progress.say),
        checkpoint_state=watchers.checkpoint_state,
        progress=watchers.progress,
        dev=dev,
        loaded=loaded,
        interruption=watchers.interruption,
        model=model,
        train_dataset=as_dataset(records),
        callbacks=[*watchers.trackers, watchers.progress, cadence],
        **options,
    )
    for replaced in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(replaced)
    cadence.score = trainer.evaluate
    return trainer


def _train(
    trainer: AnswerTrainer,
    objective: Objective,
    watchers: _Watchers,
    output_dir: Path,
    checkpoint: Path | None,
    *,
    quiet: bool,
) -> TrainerState:
    """Train from a checkpoint or the start to the end, and return where it ended.

    Raises:
        Interrupted: a signal asked to stop; a checkpoint was written.
    """
    with watchers.interruption.watching():
        try:
            trainer.rehearse(trainer.train_dataset)
            if isinstance(objective, Pairs):
                objective.reference = reference_log_probabilities(
                    trainer, output_dir, watchers.interruption, quiet=quiet
                )
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        finally:
            watchers.progress.close()
            for tracker in watchers.trackers:
                tracker.close()
    _raise_if_interrupted(watchers.interruption, watchers.checkpoint_state, trainer.state)
    return trainer.state


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
