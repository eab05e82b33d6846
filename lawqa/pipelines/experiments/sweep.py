"""A small grid of settings, each cross-validated within one training file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from lawqa.bars import Parts, Say
from lawqa.errors import ConfigError
from lawqa.files import JsonObject, write_json
from lawqa.models.files.identity import model_content
from lawqa.pipelines.evaluation.contexts import retrieval_differences
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.pipelines.experiments.crossval import run_crossval, waiting_trainings
from lawqa.pipelines.experiments.crossval_asking import (
    check_crossval,
    held_out_config,
    require_askable,
)
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.crossval_manifest import index_sha256_of, require_same_crossval
from lawqa.questions import file_sha256
from lawqa.runs.identity import content_is_known, model_differences
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.runs.outputs import require_directory
from lawqa.runs.result_log import read_results
from lawqa.scoring import ScoredAnswer, Summary, summarise
from lawqa.scoring.comparisons import PairedComparison, compare
from lawqa.settings import (
    GridSettings,
    Hyperparameters,
    Settings,
    differences,
    with_quant_type,
)
from lawqa.training.monitoring.trackers import require_trackers

SWEEP = "sweep.json"


@dataclass(frozen=True)
class Grid(GridSettings):
    """The values that are tried, every combination of them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for flag, values in (
            ("--learning-rates", self.learning_rates),
            ("--ranks", self.ranks),
            ("--epochs", self.epochs),
        ):
            if not values or len(set(values)) < len(values):
                shown = " ".join(f"{value:g}" for value in values) or "empty"
                raise ConfigError(f"{flag} is {shown}, expected different values")

    def cells(self, training: Hyperparameters) -> dict[str, Hyperparameters]:
        """Return the settings of every cell by its name.

        Raises:
            ConfigError: a value is out of its range.
        """
        ratio = training.lora_alpha / training.lora_r
        return {
            f"lr{rate:g}_r{rank}_epochs{epochs:g}": replace(
                training,
                learning_rate=rate,
                lora_r=rank,
                lora_alpha=max(1, round(ratio * rank)),
                num_epochs=epochs,
            )
            for rate, rank, epochs in product(self.learning_rates, self.ranks, self.epochs)
        }


@dataclass(frozen=True)
class SweepConfig(Settings):
    """What is tried on which questions."""

    crossval: CrossvalConfig
    """Questions, model and all that does not change from cell to cell; its directory holds the sweep."""
    grid: Grid = field(default_factory=Grid)
    """What changes."""


@dataclass(frozen=True)
class Cell:
    """One combination of settings with what it reached on held-out folds."""

    name: str
    """Such as `lr0.0002_r16_epochs3`."""
    training: Hyperparameters
    """Its settings."""
    summary: Summary
    """Figures of the pooled held-out answers."""
    against_base: PairedComparison
    """Against the model without an adapter, on the same questions."""


@dataclass(frozen=True)
class SweepResult:
    """A finished sweep."""

    base: Summary
    """The model without an adapter."""
    cells: tuple[Cell, ...]
    """The most accurate first; of equals the one that comes first in the grid."""


def run_sweep(config: SweepConfig, say: Say = str) -> SweepResult:
    """Cross-validate every cell; what is done already is not done again.

    Only the questions of the one file are seen: each cell trains on most of its folds and is measured on
    the rest, with the same folds for all cells.

    Args:
        config: what to try. The same call resumes where an earlier one stopped.
        say: prints what is being done, a line each.

    Raises:
        LawqaError: a file or option does not allow it, or the directory holds another sweep.
    """
    cells = _cells(config)
    # Before the base model is asked everything.
    for crossval in cells.values():
        check_crossval(crossval)
    require_directory(config.crossval.output_dir, "--output-dir")
    require_trackers(config.crossval.report_to)
    require_askable(config.crossval)
    if not require_same_sweep(config):
        say("the model without an adapter")
        evaluate(_base_config(config.crossval))
    base = _answers(_base_dir(config))
    waiting = {name for name, crossval in cells.items() if waiting_trainings(crossval)}
    reached, progress = list[Cell](), Parts("settings", len(waiting), say)
    for number, (name, crossval) in enumerate(cells.items(), start=1):
        say(f"{name}: {number} of {len(cells)}")
        (pooled,) = run_crossval(crossval, say)
        answers = _answers(pooled.directory)
        reached.append(Cell(name, crossval.training, pooled.summary, compare(base, answers)))
        if name in waiting:
            progress.add()
    # sorted() keeps the grid's sequence among equals
    ranked = sorted(reached, key=lambda cell: -cell.summary.final.accuracy.correct)
    result = SweepResult(summarise(base), tuple(ranked))
    write_json(config.crossval.output_dir / SWEEP, _json(result))
    return result


def require_same_sweep(config: SweepConfig) -> bool:
    """Make sure that the directory holds no other sweep, before anything of this one is asked or trained.

    Returns:
        Whether the base model's answers are there already.

    Raises:
        ConfigError: it holds another; what differs is named.
        DataError: a file of it was damaged.
    """
    base = Manifest.read_evaluation(_base_dir(config)) if _has_base(config) else None
    changed = _base_differences(config.crossval, base) if base else []
    if changed:
        raise ConfigError(
            f"{config.crossval.output_dir}: holds a sweep with other settings ({', '.join(changed)})",
            "give the same options to resume it, or another --output-dir",
        )
    for cell in _cells(config).values():
        require_same_crossval(cell)
    return base is not None and base.status == "done"


def _cells(config: SweepConfig) -> dict[str, CrossvalConfig]:
    """Return the cross-validation of every cell by its name."""
    return {
        name: replace(
            config.crossval,
            output_dir=config.crossval.output_dir / name,
            training=training,
            samples_dir=config.crossval.output_dir / "distilled",
        )
        for name, training in config.grid.cells(config.crossval.training).items()
    }


def _base_dir(config: SweepConfig) -> Path:
    return config.crossval.output_dir / "base"


def _has_base(config: SweepConfig) -> bool:
    return (_base_dir(config) / MANIFEST).is_file()


def _base_config(config: CrossvalConfig) -> EvaluationConfig:
    """Return how the model without an adapter is asked."""
    run_dir = config.output_dir / "base"
    resumes = (run_dir / MANIFEST).is_file()
    asked = held_out_config(config, config.input, run_dir, config.seed)
    return replace(asked, resume=resumes, fresh=not resumes)


def _base_differences(config: CrossvalConfig, manifest: Manifest) -> list[str]:
    """Return the settings that the base model's stored answers were not given with, by the names of their
    flags.
    """
    evaluation = _base_config(config)
    asked, wanted = manifest.config, evaluation.to_json()
    model = {"content": model_content(config.model_name, config.revision)}
    known = content_is_known(manifest.model) and bool(model["content"])
    beside = ("quant_type",) if known else ("quant_type", "model_name", "revision")
    before, after = with_quant_type(asked), with_quant_type(wanted)
    changed = list(differences(EvaluationConfig, before, after, "train", beside=beside))
    changed = ["--eval-permutations" if one == "--permutations" else one for one in changed]
    contents = {
        "the content of --train-file": (manifest.data["sha256"], file_sha256(config.input)),
        "how questions are put: --mode, --thinking, --condition, --prompt, --few-shot": (
            list(manifest.prompt_specs),
            [config.spec.id],
        ),
    }
    changed += [name for name, (one, other) in contents.items() if one != other]
    index = {"index_sha256": index_sha256_of(config.rag)}
    retrieval = {**config.rag.to_json(), **index} if config.rag else None
    changed += retrieval_differences(manifest.retrieval, retrieval, tokenizer_is_known=known)
    return changed + (list(model_differences(manifest.model, model)) if known else [])


def _answers(run_dir: Path) -> list[ScoredAnswer]:
    return [result.scored() for result in read_results(run_dir).results.values()]


def _json(result: SweepResult) -> JsonObject:
    return {
        "schema_version": 1,
        "base": result.base.to_json(),
        "cells": [
            {
                "name": cell.name,
                "training": vars(cell.training),
                "statistics": cell.summary.to_json(),
                "against_base": cell.against_base.to_json(),
            }
            for cell in result.cells
        ],
    }
