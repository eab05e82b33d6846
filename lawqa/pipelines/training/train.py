"""Training: records -> token ids -> QLoRA trainer -> adapter with its manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.errors import Interrupted
from lawqa.pipelines.adapters.card import modes_section
from lawqa.pipelines.adapters.manifest import trained_on_files
from lawqa.pipelines.adapters.modes import ProbedMode
from lawqa.pipelines.adapters.record import adapter_record
from lawqa.pipelines.training.mode_probe import probe_modes
from lawqa.pipelines.training.outputs import (
    ADAPTER_FILES,
    CARD,
    NO_BETTER,
    dev_sentence,
    figures_from_json,
    figures_json,
    manifest_of,
    write_outputs,
)
from lawqa.pipelines.training.prepare import is_main_process, prepare_training
from lawqa.pipelines.training.prepared import Prepared
from lawqa.pipelines.training.resume import earlier_training, require_same_request
from lawqa.runs.directory import RunDirectory
from lawqa.runs.manifest import Manifest, ending, now
from lawqa.runs.upkeep.lock import locked_directory
from lawqa.settings import PolicyRun, TrainingRun, checks_arguments
from lawqa.training.monitoring.log import EVENTS, read_log

if TYPE_CHECKING:
    from lawqa.training.figures import TrainingFigures
    from lawqa.training.policy_steps import PolicySteps


def is_done(config: TrainingRun) -> bool:
    """Return whether `resume` has nothing left to do.

    Raises:
        LawqaError: the directory holds something else, or a training with other settings or data.
    """
    earlier = earlier_training(config.output_dir) if config.resume else None
    if earlier is None or earlier.status != "done":
        return False
    require_same_request(config, earlier)
    return True


@dataclass(frozen=True)
class TrainingResult:
    """A finished training."""

    adapter: Path
    """The directory of the adapter, which `evaluate` takes."""
    figures: TrainingFigures
    """Losses, steps, time and dev accuracies."""
    notes: tuple[str, ...]
    """What a user must know of records and prompts, a sentence each."""
    modes: tuple[ProbedMode, ...] = ()
    """What became of every mode, where `probe_questions` asked for it."""

    def _repr_html_(self) -> str:
        figures = self.figures
        rows = [
            ("adapter", str(self.adapter)),
            ("optimiser steps", f"{figures.steps}, ended by: {figures.ended}"),
            (
                "loss (nats per answer token)",
                f"{figures.first_loss:.3f} -> {figures.last_loss:.3f}",
            ),
            ("time", f"{figures.seconds:.0f} s, {figures.tokens:,} tokens"),
        ]
        if figures.best:
            rows.append(("dev accuracy, best step", dev_sentence(figures.best)))
        from lawqa.report.notebook import figures_html  # for notebooks only

        return figures_html(rows, self.notes)


@checks_arguments
def train(run: TrainingRun | Prepared, say: Callable[[str], object] = str) -> TrainingResult:
    """Train, and write adapter, tokenizer, log, plot and manifest into the output directory.

    Example:
        >>> import lawqa
        >>> lawqa.train(lawqa.TrainingRun(train_file="none.jsonl", output_dir="adapter"))
        Traceback (most recent call last):
        lawqa.errors.DataError: none.jsonl: no such file

    Args:
        run: what is trained on what, and where the adapter goes; or that with its model loaded already, from
            `pipelines.training.prepare.prepare`.
        say: receives what a user should know, a line each; nothing is printed without it.

    Returns:
        Figures and the adapter's directory. With `resume`, those of a training that was finished before.

    Raises:
        LawqaError: a file, option or model does not allow it.
        ConfigError: the output directory cannot be written, or another process is writing it.
        TrainingError: loss or gradients are not finite, or the disk is full.
        Interrupted: a signal asked to stop; what was learnt is saved, be it the finished adapter.
    """
    if isinstance(run, TrainingRun) and is_done(run):
        return _finished(run.output_dir)
    prepared = run if isinstance(run, Prepared) else prepare_training(run)
    directory = prepared.config.output_dir
    with locked_directory(directory) if is_main_process() else nullcontext():
        figures = _train(prepared, say)
        modes: tuple[ProbedMode, ...] = ()
        if prepared.config.probe_questions and is_main_process():
            modes = _probe(prepared, say)
    return TrainingResult(directory, figures, prepared.notes, modes)


def _probe(prepared: Prepared, say: Callable[[str], object]) -> tuple[ProbedMode, ...]:
    """Ask in every mode once the adapter is safe, and add what is seen to its manifest and card."""
    modes, directory = probe_modes(prepared, say), prepared.config.output_dir
    manifest = Manifest.read(directory)
    stored = {**manifest.figures, "modes": [mode.to_json() for mode in modes]}
    replace(manifest, figures=stored).write(directory)
    with (directory / CARD).open("a", encoding="utf-8") as card:
        card.write(modes_section(stored))
    return modes


def _finished(directory: Path) -> TrainingResult:
    manifest = Manifest.read(directory)
    figures = figures_from_json(manifest.figures, read_log(directory))
    modes = tuple(map(ProbedMode.from_json, manifest.figures.get("modes") or ()))
    return TrainingResult(directory, figures, tuple(manifest.notes), modes)


def _train(prepared: Prepared, say: Callable[[str], object]) -> TrainingFigures:
    from lawqa.training.fit import fit
    from lawqa.training.processes.interruption import Interruption

    config, main_process = prepared.config, is_main_process()
    manifest = manifest_of(prepared)
    if main_process:
        run, manifest = _begin(prepared, manifest)
    try:
        figures = fit(
            prepared.loaded,
            prepared.model,
            prepared.records,
            config.training,
            config.output_dir,
            quiet=config.quiet or not main_process,
            dev=prepared.dev,
            resume=config.resume,
            report_to=config.report_to,
            preference=prepared.preference,
            policy=_policy(prepared),
        )
        if main_process:
            # A signal now would cost all that was learnt since the last checkpoint.
            late = Interruption("training is over; its adapter is being written, then this ends")
            with late.watching():
                _finish(prepared, figures, run, manifest, say)
    except BaseException as problem:
        if main_process:
            # On a full disk the first problem is the one to tell; a "running" manifest is resumed too.
            with suppress(OSError):
                replace(manifest, ended=now(), status=ending(problem)).write(run.path)
        raise
    if main_process and late.signum is not None:
        raise Interrupted(late.signum, f"training is done; adapter: {config.output_dir}")
    return figures


def _policy(prepared: Prepared) -> PolicySteps | None:
    """Return what draws the texts of a training on a model's own; None for other trainings."""
    config = prepared.config
    if not isinstance(config, PolicyRun):
        return None
    from lawqa.pipelines.training.policy import PolicyDraws
    from lawqa.training.policy_steps import PolicySteps

    return PolicySteps(config.policy, partial(PolicyDraws, prepared.source.records, config))


def _finish(
    prepared: Prepared,
    figures: TrainingFigures,
    run: RunDirectory,
    manifest: Manifest,
    say: Callable[[str], object],
) -> None:
    from lawqa.models.device import peak_memory_gib
    from lawqa.training.checkpoints.directory import disk_faults, flush_files, remove_all

    with disk_faults(run.path, "the adapter"):
        write_outputs(prepared, figures, manifest, say)
        flush_files(run.path)
    memory = {"peak_memory_gib": peak_memory_gib(prepared.loaded.device)}
    measured = {**figures_json(figures), **memory}
    notes = [*manifest.notes, *([NO_BETTER] if figures.no_better_step else [])]
    written = adapter_record(run.path)
    done = replace(manifest, figures=measured, notes=notes, written=written)
    replace(done, ended=now(), status="done").write(run.path)
    remove_all(run.path)  # only now: until here a killed process could need them


def _begin(prepared: Prepared, manifest: Manifest) -> tuple[RunDirectory, Manifest]:
    """Return the output directory, cleared where a new training begins."""
    config, earlier = prepared.config, prepared.earlier
    if earlier is not None:
        run, manifest = (
            RunDirectory(config.output_dir),
            replace(manifest, started=earlier.started),
        )
    else:
        run = RunDirectory.create(config.output_dir, fresh=config.fresh)
        for path in [*(run.path / name for name in ADAPTER_FILES), *trained_on_files(run.path)]:
            path.unlink(missing_ok=True)
        shutil.rmtree(run.path / EVENTS, ignore_errors=True)
    manifest.write(run.path)
    return run, manifest
