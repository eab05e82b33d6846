"""`lawqa sweep`."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from tyro.conf import OmitArgPrefixes

from lawqa.cli.asking.generation_flags import GenerationFlags
from lawqa.cli.asking.prompt_options import resolve_condition, resolve_prompt
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.console import resume_hint_on_interrupt
from lawqa.cli.model_flags import of_run
from lawqa.cli.rerun import given_words
from lawqa.cli.training.held_out_flags import HeldOutFlags
from lawqa.cli.training.training_flags import TrainingFlags
from lawqa.errors import ConfigError
from lawqa.prompting import Condition
from lawqa.settings import (
    STANDARD_PROMPT,
    GridSettings,
    HeldOutSettings,
    Hyperparameters,
    ModelSettings,
    PlaceSettings,
    RecordSettings,
    WordingSettings,
    part_of,
    values_of,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Files:
    train_file: Path
    """The questions to train on, as JSON or JSONL; test questions are not among them."""
    output_dir: Path
    """Where the sweep goes; the same command resumes where it stopped."""


@dataclass(frozen=True, kw_only=True)
class GridFlags(PlaceSettings, GridSettings, WordingSettings, _Files):
    """What is tried: every combination."""

    folds: int = 3
    """Into how many folds the questions are divided; groups stay together."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Cross-validate a small grid of settings within the training questions, and rank them."""

    grid: OmitArgPrefixes[GridFlags]
    records: OmitArgPrefixes[RecordSettings]
    training: OmitArgPrefixes[TrainingFlags]
    evaluation: OmitArgPrefixes[HeldOutFlags]
    generation: OmitArgPrefixes[GenerationFlags]
    retrieval: OmitArgPrefixes[RetrievalFlags]

    def run(self) -> int:
        grid, flags = self.grid, self.training
        _refuse_single_values(flags)
        condition, remarks = resolve_condition(
            self.evaluation.condition,
            no_rag=self.evaluation.no_rag,
            retrieval_flags=self.retrieval.given(),
        )
        for remark in remarks:
            logger.warning("note: %s", remark)
        rag = self.retrieval.config((condition,), flags.model_name, flags.revision)
        training = part_of(Hyperparameters, flags)
        from lawqa.commands import current_place
        from lawqa.pipelines.experiments.crossval_asking import asked_of
        from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
        from lawqa.pipelines.experiments.sweep import Grid, SweepConfig, run_sweep
        from lawqa.report.comparisons import sweep_text

        config = SweepConfig(
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
                },
                **{
                    **values_of(ModelSettings, flags),
                    "dtype": flags.chosen_dtype(),
                    "load_in_4bit": flags.in_4bit(lambda: of_run(grid.output_dir / "base")),
                },
                training=training,
                place=current_place(grid.place),
                rag=rag,
                report_to=flags.report_to,
                quiet=flags.console.quiet,
            ),
            Grid(**values_of(GridSettings, grid)),
        )
        with resume_hint_on_interrupt(
            "finished work is kept; run the same command again to resume"
        ):
            self.generation.warn_unused(asked_of(config.crossval).resolved())
            result = run_sweep(config, logger.info)
        print(sweep_text(result.base, result.cells))
        print("\nto train with the best on all the questions:")
        print(
            "\n".join(f"  {line}" for line in _commands(self, condition, result.cells[0].training))
        )
        return 0


def _refuse_single_values(flags: TrainingFlags) -> None:
    default = TrainingFlags()
    for name, instead in (("learning_rate", "--learning-rates"), ("num_epochs", "--epochs")):
        value = getattr(flags, name)
        if value != getattr(default, name):
            raise ConfigError(
                f"--{name.replace('_', '-')} {value:g}: a sweep tries several",
                f"{instead} {value:g}",
            )


def _commands(sweep: Sweep, condition: Condition, best: Hyperparameters) -> list[str]:
    """What a user types to train with these settings; questions with contexts are made records first."""
    flags = replace(
        sweep.training,
        learning_rate=best.learning_rate,
        lora_r=best.lora_r,
        lora_alpha=best.lora_alpha,
        num_epochs=best.num_epochs,
    )
    named = ("model_name", "learning_rate", "lora_r", "lora_alpha", "num_epochs")
    train_file, lines = str(sweep.grid.train_file), []
    wording = [] if sweep.grid.prompt == STANDARD_PROMPT else ["--prompt", sweep.grid.prompt]
    records = sweep.records
    if condition != "closed" or records.permutations != 1 or records.learn_from == "distilled":
        words = ["lawqa", "records", "--lawqa-path", train_file, "--condition", condition, *wording]
        if records.permutations != 1:
            words += ["--permutations", str(records.permutations)]
        if records.learn_from == "distilled":
            words = ["lawqa", "distill", "--data", train_file, "--condition", condition, *wording]
            words += given_words(replace(records, learn_from="letters"))
            words += ["--mode", sweep.evaluation.spec(condition, wording=sweep.grid.prompt).mode]
            words += ["--thinking"] if sweep.evaluation.thinking else []
            if sweep.generation.max_new_tokens is not None:
                words += ["--max-new-tokens", str(sweep.generation.max_new_tokens)]
            if condition != "rag":
                words += ["--hf-model-name", flags.model_name]
        if condition == "rag":
            words += ["--hf-model-name", flags.model_name, *given_words(sweep.retrieval)]
            words += ["--revision", flags.revision] if flags.revision else []
        train_file = "RECORDS.jsonl"
        lines.append(shlex.join([*words, "--output-path", train_file]))
    ends = [*wording, "--output-dir", "ADAPTER", "--do-train"]
    words = [
        "lawqa",
        "train",
        "--train-file",
        train_file,
        *given_words(flags, named, "train"),
        *ends,
    ]
    return [*lines, shlex.join(words)]
