"""`lawqa train`."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import FlagCreatePairsOff, UseAppendAction

from lawqa.amounts import counted
from lawqa.cli.model_flags import of_adapter, of_run
from lawqa.cli.training.training_flags import TrainingFlags
from lawqa.errors import Interrupted
from lawqa.settings import (
    DevSettings,
    Hyperparameters,
    PlaceSettings,
    TrainingFiles,
    TrainingRun,
    part_of,
    values_of,
)

if TYPE_CHECKING:
    from lawqa.training.figures import TrainingFigures

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Train(TrainingFlags, DevSettings, PlaceSettings, TrainingFiles):
    """Train a QLoRA adapter; without --do-train only rehearse and print the plan."""

    extra: UseAppendAction[tuple[tuple[str, ...], ...]] = ()
    """FILE=WEIGHT: learn also from these records, each WEIGHT times; 0.5 takes half of them."""
    do_train: FlagCreatePairsOff[bool] = False
    """Train. Without it nothing is written."""

    def run(self) -> int:
        return run_training(self._config(), do_train=self.do_train)

    def _config(self) -> TrainingRun:
        from lawqa.pipelines.training.mixing import parse_extra

        own = {
            "extra": parse_extra([word for words in self.extra for word in words]),
            "dtype": self.chosen_dtype(),
            "quiet": self.console.quiet,
            "load_in_4bit": self.in_4bit(
                lambda: of_run(self.output_dir if self.resume else None),
                lambda: of_adapter(self.init_adapter),
            ),
        }
        training = part_of(Hyperparameters, self)
        return TrainingRun(**{**values_of(TrainingRun, self), **own, "training": training})


def run_training(config: TrainingRun, *, do_train: bool) -> int:
    """Show what a training would do, and do it where that is asked for; the exit code.

    Args:
        config: what is trained on what.
        do_train: without it nothing is trained or written.

    Raises:
        LawqaError: a file, option or model does not allow it.
    """
    from lawqa.pipelines.evaluation.interrupts import exit_code
    from lawqa.pipelines.evaluation.ranks import check_launch
    from lawqa.pipelines.training.plan import plan_text
    from lawqa.pipelines.training.prepare import is_main_process, prepare_training
    from lawqa.pipelines.training.train import is_done, train

    check_launch(os.environ)
    if is_done(config):
        print(f"training is done already; adapter: {config.output_dir}")
        return 0
    prepared = prepare_training(config)
    if is_main_process():
        for note in prepared.notes:
            logger.warning("note: %s", note)
        if config.resume and prepared.earlier is None:
            logger.warning(
                "note: %s holds no training to resume: a new one begins", config.output_dir
            )
        print(plan_text(prepared))
        if not do_train:
            print("\nrehearsal only: nothing was trained or written; --do-train trains")
    if not do_train:
        return 0
    sys.stdout.flush()
    from lawqa.training.processes.group import leave_group

    try:
        result = train(prepared, logger.info)
    except Interrupted as stop:
        leave_group()
        if is_main_process():
            # A signal may come while the finished adapter is written.
            done = is_done(replace(config, resume=True, fresh=False))
            more = "" if done else f"\n{_resuming(sys.argv)}"
            logger.error(f"{stop.saved}{more}")  # noqa: TRY400
        return exit_code(stop)
    leave_group()
    if is_main_process():
        from lawqa.pipelines.adapters.modes import modes_text

        modes = f"\n{modes_text(result.modes)}" if result.modes else ""
        print(f"\n{figures_text(result.figures)}{modes}\nadapter: {config.output_dir}")
    return 0


def figures_text(figures: TrainingFigures) -> str:
    """Return what a user reads when training is done."""
    from lawqa.pipelines.training.outputs import NO_BETTER, dev_sentence

    lines = [
        f"loss {figures.first_loss:.3f} -> {figures.last_loss:.3f} in {counted(figures.steps, 'step')}, "
        f"{figures.seconds:.0f} s, {figures.tokens / max(figures.seconds, 1e-9):,.0f} tokens/s; "
        f"ended by: {figures.ended}"
    ]
    if figures.objective:
        changes = (f"{name} {a:.3f} -> {b:.3f}" for name, (a, b) in figures.objective.items())
        lines.append(f"first and last step: {', '.join(changes)}")
    if figures.best and figures.dev:
        before, best = figures.dev[0], figures.best
        lines += [
            f"dev accuracy before training  {dev_sentence(before)}",
            f"dev accuracy at step {best.step}, kept  {dev_sentence(best)}; chosen by these questions, so it "
            "flatters",
        ]
        if figures.no_better_step:
            lines.append(f"! {NO_BETTER}")
    return "\n".join(lines)


def _resuming(argv: list[str]) -> str:
    """Return the command that resumes: the same one, by a name that a shell knows."""
    processes, here = os.environ.get("WORLD_SIZE"), os.environ.get("LOCAL_WORLD_SIZE")
    if processes != here:
        return "resume with the same command on every host, and --resume"
    program = Path(argv[0])
    words = ["python", "-m", "lawqa"] if program.name == "__main__.py" else [program.name]
    if "LOCAL_WORLD_SIZE" in os.environ:
        words = ["torchrun", "--nproc-per-node", os.environ["LOCAL_WORLD_SIZE"], "-m", "lawqa"]
    again = [word for word in argv[1:] if word not in ("--resume", "--fresh")]
    return f"resume with: {shlex.join([*words, *again, '--resume'])}"
