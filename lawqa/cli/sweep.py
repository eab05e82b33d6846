"""`lawqa sweep`."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import OmitArgPrefixes

from lawqa.cli.prompt_options import ConditionFlag, resolve_condition
from lawqa.cli.retrieval_flags import RetrievalFlags
from lawqa.cli.telling import saying_how_to_go_on
from lawqa.cli.training_flags import TrainingFlags
from lawqa.prompting import PromptSpec

if TYPE_CHECKING:
    from lawqa.pipelines.sweep import Cell

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GridFlags:
    """What is tried: every combination."""

    train_file: Path
    """The questions to train on, as JSON or JSONL; test questions are not among them."""
    output_dir: Path
    """Where the sweep goes; the same command goes on where it stopped."""
    learning_rates: tuple[float, ...] = (1e-4, 2e-4, 4e-4)
    """Highest learning rates."""
    ranks: tuple[int, ...] = (16,)
    """Ranks of the adapter; --lora-alpha / --lora-r stays."""
    epochs: tuple[float, ...] = (2.0, 4.0)
    """Passes over the records."""
    folds: int = 3
    """Into how many folds the questions are divided; groups stay together."""
    condition: ConditionFlag = None
    """Context: none (closed), the data set's own (gold), retrieved (rag). Default closed."""
    place: str | None = None
    """Where this runs: local-3080, heart01, practice or any. Without it: LAWQA_PLACE, lawqa.toml, or any."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Cross-validate a small grid of settings within the training questions, and rank them."""

    grid: OmitArgPrefixes[GridFlags]
    training: OmitArgPrefixes[TrainingFlags]
    retrieval: OmitArgPrefixes[RetrievalFlags]

    def run(self) -> int:
        grid, flags = self.grid, self.training
        condition, _ = resolve_condition(
            grid.condition, no_rag=False, retrieval_flags=self.retrieval.given()
        )
        rag = self.retrieval.config((condition,), flags.model_name, flags.revision)
        dtype, training = flags.dtype(), flags.training()
        from lawqa.commands import current_place
        from lawqa.pipelines.crossval import CrossvalConfig
        from lawqa.pipelines.sweep import Grid, SweepConfig, run_sweep
        from lawqa.report.sweep_table import sweep_text

        config = SweepConfig(
            CrossvalConfig(
                input=grid.train_file,
                output_dir=grid.output_dir,
                model_name=flags.model_name,
                folds=grid.folds,
                seed=flags.seed,
                spec=PromptSpec("direct", condition),
                revision=flags.revision,
                load_in_4bit=flags.use_4bit,
                quant_type=flags.bnb_4bit_quant_type,
                dtype=dtype,
                training=training,
                place=current_place(grid.place),
                rag=rag,
                report_to=flags.report_to,
                quiet=flags.telling.quiet,
            ),
            Grid(grid.learning_rates, grid.ranks, grid.epochs),
        )
        with saying_how_to_go_on("what is done is kept; the same command goes on"):
            result = run_sweep(config, logger.info)
        print(sweep_text(result.base, result.cells))
        print(f"\nthe best: {_training_command(self, result.cells[0])}")
        return 0


def _training_command(sweep: Sweep, cell: Cell) -> str:
    """How to train with a cell's settings on all the questions."""
    training = cell.training
    words = [
        "lawqa", "train", "--model-name", sweep.training.model_name,
        *(["--use-4bit"] if sweep.training.use_4bit else []),
        "--train-file", str(sweep.grid.train_file),
        "--learning-rate", f"{training.learning_rate:g}", "--lora-r", str(training.lora_r),
        "--lora-alpha", str(training.lora_alpha), "--num-epochs", f"{training.num_epochs:g}",
        "--output-dir", "ADAPTER", "--do-train",
    ]  # fmt: skip
    return shlex.join(words)
