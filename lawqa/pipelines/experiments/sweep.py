"""A small grid of settings, each cross-validated within one training file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from lawqa.bars import Parts
from lawqa.errors import ConfigError
from lawqa.files import write_json
from lawqa.models.files.identity import model_content
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.pipelines.experiments.crossval import (
    index_sha256_of,
    run_crossval,
    waiting_trainings,
)
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.questions import file_sha256
from lawqa.runs.identity import content_is_known, model_differences
from lawqa.runs.manifest import MANIFEST, read_manifest
from lawqa.runs.result_log import read_results
from lawqa.scoring import PairedComparison, ScoredAnswer, Summary, compare, summarise
from lawqa.settings import Hyperparameters, ModelSettings, differences, values_of
from lawqa.training.monitoring.trackers import require_trackers

SWEEP = "sweep.json"

Say = Callable[[str], object]


@dataclass(frozen=True)
class Grid:
    """The values that are tried, every combination of them."""

    learning_rates: tuple[float, ...] = (1e-4, 2e-4, 4e-4)
    """Highest learning rates: half and double the default, where most of the difference lies."""
    ranks: tuple[int, ...] = (16,)
    """Ranks of the adapter; its scale keeps its ratio to the rank."""
    epochs: tuple[float, ...] = (2.0, 4.0)
    """Passes over the records."""

    def __post_init__(self) -> None:
        for flag, values in (
            ("--learning-rates", self.learning_rates),
            ("--ranks", self.ranks),
            ("--epochs", self.epochs),
        ):
            if not values or len(set(values)) < len(values):
                shown = " ".join(f"{value:g}" for value in values) or "empty"
                raise ConfigError(f"{flag} is {shown}, expected different values")

    def cells(self, training: Hyperparameters) -> dict[str, Hyperparameters]:
        """The settings of every cell by its name.

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
class SweepConfig:
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
        config: what to try. The same call goes on where an earlier one stopped.
        say: told what is being done, a line each.

    Raises:
        LawqaError: a file or option does not allow it, or the directory holds another sweep.
    """
    directory = config.crossval.output_dir
    settings = config.grid.cells(config.crossval.training)
    require_trackers(config.crossval.report_to)  # before the base model is asked everything
    base = _base_answers(config.crossval, say)
    cells = {
        name: replace(config.crossval, output_dir=directory / name, training=training)
        for name, training in settings.items()
    }
    waiting = {name for name, crossval in cells.items() if waiting_trainings(crossval)}
    found, progress = [], Parts("settings", len(waiting), say)
    for number, (name, crossval) in enumerate(cells.items(), start=1):
        say(f"{name}: {number} of {len(cells)}")
        (pooled,) = run_crossval(crossval, say)
        answers = _answers(pooled.directory)
        found.append(Cell(name, crossval.training, pooled.summary, compare(base, answers)))
        if name in waiting:
            progress.add()
    # sorted() keeps the grid's sequence among equals
    ranked = sorted(found, key=lambda cell: -cell.summary.accuracy.correct)
    result = SweepResult(summarise(base), tuple(ranked))
    write_json(directory / SWEEP, _json(result))
    return result


def _base_answers(config: CrossvalConfig, say: Say) -> Sequence[ScoredAnswer]:
    run_dir = config.output_dir / "base"
    evaluation = EvaluationConfig(
        data=config.input,
        spec=config.spec,
        answer_by="logits",
        backend="hf",
        **values_of(ModelSettings, config),
        seed=config.seed,
        place=config.place,
        run_dir=run_dir,
        fresh=True,
        rag=config.rag,
        quiet=config.quiet,
    )
    if not _is_base_of(evaluation, run_dir):
        say("the model without an adapter")
        evaluate(evaluation)
    return _answers(run_dir)


def _is_base_of(config: EvaluationConfig, run_dir: Path) -> bool:
    """Whether the base model's answers are there already.

    Raises:
        ConfigError: they are, but to other questions or of another model.
    """
    if not (run_dir / MANIFEST).is_file():
        return False
    manifest = read_manifest(run_dir)
    asked, wanted = manifest["config"], config.to_json()
    model = {"content": model_content(config.model_name, config.revision)}
    known = content_is_known(manifest["model"]) and bool(model["content"])
    beside = ("quant_type",) if known else ("quant_type", "model_name", "revision")
    changed = list(
        differences(
            EvaluationConfig,
            {**asked, "quant_type": asked.get("quant_type") or "nf4"},
            {**wanted, "quant_type": config.quant_type or "nf4"},
            "train",
            beside=beside,
        )
    )
    contents = {
        "the content of --train-file": (manifest["data"]["sha256"], file_sha256(config.data)),
        "--condition": (list(manifest["prompt_specs"]), [config.spec.id]),
        "the retrieval": (asked["rag"], json.loads(json.dumps(wanted["rag"]))),
        "the retrieval's index": (
            (manifest.get("retrieval") or {}).get("index_sha256"),
            index_sha256_of(config.rag),
        ),
    }
    changed += [name for name, (one, other) in contents.items() if one != other]
    if known:
        changed += model_differences(manifest["model"], model)
    if changed:
        raise ConfigError(
            f"{run_dir.parent}: holds a sweep with other settings ({', '.join(changed)})",
            "give the same options to resume it, or another --output-dir",
        )
    return bool(manifest["status"] == "done")


def _answers(run_dir: Path) -> list[ScoredAnswer]:
    return [result.scored() for result in read_results(run_dir).results.values()]


def _json(result: SweepResult) -> dict[str, Any]:
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
