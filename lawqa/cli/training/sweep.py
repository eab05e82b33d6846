"""`lawqa sweep`."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import OmitArgPrefixes

from lawqa.cli.asking.generation_flags import GenerationFlags
from lawqa.cli.asking.prompt_options import resolve_condition, resolve_prompt
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.console import resume_hint_on_interrupt
from lawqa.cli.model_flags import of_run
from lawqa.cli.rerun import given_words
from lawqa.cli.training.held_out_flags import HeldOutFlags
from lawqa.cli.training.training_flags import FoldTrainingFlags
from lawqa.errors import ConfigError
from lawqa.prompting import Condition
from lawqa.settings import (
    STANDARD_PROMPT,
    DevSettings,
    FoldSettings,
    FoldTrainingSettings,
    GridSettings,
    HeldOutSettings,
    Hyperparameters,
    ModelSettings,
    PlaceSettings,
    RecordSettings,
    WordingSettings,
    declaration,
    part_of,
    values_of,
)

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.sweep import SweepConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Files:
    train_file: Path = field(metadata=declaration(FoldSettings, "input"))
    """The questions to train on, as JSON or JSONL; test questions are not among them."""
    output_dir: Path = field(metadata=declaration(FoldSettings, "output_dir"))
    """Where the sweep goes; the same command resumes where it stopped."""


@dataclass(frozen=True, kw_only=True)
class GridFlags(PlaceSettings, GridSettings, WordingSettings, _Files):
    """What is tried: every combination."""

    folds: int = field(default=3, metadata=declaration(FoldSettings, "folds"))
    """Into how many folds the questions are divided; groups stay together."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Cross-validate a small grid of settings within the training questions, and rank them."""

    grid: OmitArgPrefixes[GridFlags]
    records: OmitArgPrefixes[RecordSettings]
    training: OmitArgPrefixes[FoldTrainingFlags]
    evaluation: OmitArgPrefixes[HeldOutFlags]
    generation: OmitArgPrefixes[GenerationFlags]
    retrieval: OmitArgPrefixes[RetrievalFlags]

    def run(self) -> int:
        _refuse_single_values(self.training, self.grid)
        condition, remarks = resolve_condition(
            self.evaluation.condition,
            no_rag=self.evaluation.no_rag,
            retrieval_flags=self.retrieval.given(),
        )
        for remark in remarks:
            logger.warning("note: %s", remark)
        config = self._config(condition)
        from lawqa.pipelines.experiments.crossval_asking import asked_of
        from lawqa.pipelines.experiments.sweep import run_sweep
        from lawqa.report.comparisons import sweep_text

        with resume_hint_on_interrupt(
            "finished work is kept; run the same command again to resume"
        ):
            self.generation.warn_unused(asked_of(config.crossval).resolved())
            result = run_sweep(config, logger.info)
        print(sweep_text(result.base, result.cells))
        print("\nto train with the best on all the questions:")
        best, in_4bit = result.cells[0].training, config.crossval.load_in_4bit
        for line in _commands(self, condition, best, in_4bit=in_4bit):
            print(f"  {line}")
        if self.training.dev_size:
            print(
                "in the sweep dev questions chose the step; this takes the last one, as none is kept back: "
                "--dev-file FILE chooses by others"
            )
        return 0

    def _config(self, condition: Condition) -> SweepConfig:
        """Return what the flags ask for."""
        grid, flags = self.grid, self.training
        rag = self.retrieval.config((condition,), flags.model_name, flags.revision)
        training = part_of(Hyperparameters, flags)
        from lawqa.commands.placefile import current_place
        from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
        from lawqa.pipelines.experiments.sweep import Grid, SweepConfig

        return SweepConfig(
            CrossvalConfig(
                input=grid.train_file,
                output_dir=grid.output_dir,
                folds=grid.folds,
                seed=flags.seed,
                spec=self.evaluation.spec(condition, wording=resolve_prompt(grid.prompt)),
                generation=self.generation.choices(),
                **{
                    **values_of(RecordSettings, self.records),
                    **values_of(HeldOutSettings, self.evaluation),
                    **values_of(FoldTrainingSettings, flags),
                },
                **{
                    **values_of(ModelSettings, flags),
                    "dtype": flags.chosen_dtype(),
                    "load_in_4bit": flags.quantises(lambda: of_run(grid.output_dir / "base")),
                },
                training=training,
                place=current_place(grid.place),
                rag=rag,
                report_to=flags.report_to,
                quiet=flags.console.quiet,
            ),
            Grid(**values_of(GridSettings, grid)),
        )


def _refuse_single_values(flags: FoldTrainingFlags, grid: GridFlags) -> None:
    default = FoldTrainingFlags()
    for name, instead in (("learning_rate", "--learning-rates"), ("num_epochs", "--epochs")):
        value = getattr(flags, name)
        if value != getattr(default, name):
            raise ConfigError(
                f"--{name.replace('_', '-')} {value:g}: a sweep tries several",
                f"{instead} {value:g}",
            )
    if flags.max_steps > 0 and len(grid.epochs) > 1:
        tried = " ".join(f"{value:g}" for value in grid.epochs)
        raise ConfigError(
            f"--max-steps-override {flags.max_steps} ends every training alike, and --epochs {tried} tries "
            "several numbers of epochs",
            f"--epochs {grid.epochs[0]:g}  for one; or leave --max-steps-override out",
        )


def _commands(
    sweep: Sweep, condition: Condition, best: Hyperparameters, *, in_4bit: bool
) -> list[str]:
    """Return what a user types to train with these settings; questions with contexts are made
    records first.
    """
    train_file, lines = str(sweep.grid.train_file), []
    wording = [] if sweep.grid.prompt == STANDARD_PROMPT else ["--prompt", sweep.grid.prompt]
    records = sweep.records
    distilled = records.learn_from == "distilled"
    if condition != "closed" or records.permutations != 1 or distilled:
        asks = ["--data" if distilled else "--lawqa-path", train_file, "--condition", condition]
        words = ["lawqa", "distill" if distilled else "records", *asks, *wording]
        words += (
            _sampling_words(sweep, in_4bit=in_4bit)
            if distilled
            else _record_words(sweep, condition)
        )
        words += given_words(sweep.retrieval) if condition == "rag" else []
        train_file = "RECORDS.jsonl"
        lines.append(shlex.join([*words, "--output-path", train_file]))
    training = _training_words(sweep.training, best, in_4bit=in_4bit)
    words = ["lawqa", "train", "--train-file", train_file, *training, *wording]
    return [*lines, shlex.join([*words, "--output-dir", "ADAPTER", "--do-train"])]


def _record_words(sweep: Sweep, condition: Condition) -> list[str]:
    """Return how `lawqa records` makes the letters that were learnt."""
    flags, orders = sweep.training, sweep.records.permutations
    words = ["--permutations", str(orders)] if orders != 1 else []
    if condition == "rag":
        words += ["--hf-model-name", flags.model_name]
        words += ["--revision", flags.revision] if flags.revision else []
    return words


def _sampling_words(sweep: Sweep, *, in_4bit: bool) -> list[str]:
    """Return how `lawqa distill` samples what was learnt: of the same model, loaded alike."""
    records, generation = sweep.records, sweep.generation
    spec = sweep.evaluation.spec("closed", wording=sweep.grid.prompt)
    model = part_of(ModelSettings, sweep.training)
    model = replace(model, dtype=sweep.training.chosen_dtype(), no_4bit=not in_4bit)
    return [
        *given_words(replace(records, learn_from="letters")),
        *("--mode", spec.mode),
        *(["--thinking"] if spec.thinking else []),
        *given_words(part_of(_Drawing, generation), vocabulary="evaluate"),
        *given_words(model, ("model_name",), "evaluate"),
        *(["--seed", str(sweep.training.seed)] if sweep.training.seed else []),
    ]


def _training_words(flags: FoldTrainingFlags, best: Hyperparameters, *, in_4bit: bool) -> list[str]:
    """Return the flags of `lawqa train`: no question is kept back there."""
    flags = replace(
        flags,
        learning_rate=best.learning_rate,
        lora_r=best.lora_r,
        lora_alpha=best.lora_alpha,
        num_epochs=best.num_epochs,
        no_4bit=not in_4bit,
        dev_size=0.0,
        **vars(DevSettings()),
    )
    named = ("model_name", "learning_rate", "lora_r", "lora_alpha", "num_epochs")
    return list(given_words(flags, named, "train"))


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """The flags of generated answers that `lawqa distill` has, too."""

    max_new_tokens: int | None = None
    thinking_budget: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k_sampling: int | None = None
    min_p: float | None = None
