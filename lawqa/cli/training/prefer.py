"""`lawqa prefer`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.model_flags import of_adapter, of_run
from lawqa.cli.training.train import run_training
from lawqa.cli.training.training_flags import TrainingFlags
from lawqa.settings import (
    PREFERENCE_TRAINING,
    AdapterFiles,
    DevSettings,
    Hyperparameters,
    OptimiserSettings,
    PlaceSettings,
    PreferenceRun,
    PreferenceSettings,
    declaration,
    part_of,
    values_of,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Prefer(TrainingFlags, DevSettings, PlaceSettings, AdapterFiles, PreferenceSettings):
    """Teach an adapter to prefer right answers to wrong ones of its own (DPO); rehearses without --do-train.

    The reference is the model as it starts: the adapter of --init-adapter, or the base model. Its
    log-probabilities are taken once, so that no second model is in memory.
    """

    pairs: Path = field(metadata=declaration(PreferenceRun, "train_file"))
    """Pairs of a right and a wrong answer: what `lawqa pool pairs` writes."""
    num_epochs: float = field(
        default=PREFERENCE_TRAINING.num_epochs,
        metadata=declaration(OptimiserSettings, "num_epochs"),
    )
    """Passes over the pairs."""
    learning_rate: float = field(
        default=PREFERENCE_TRAINING.learning_rate,
        metadata=declaration(OptimiserSettings, "learning_rate"),
    )
    """The highest learning rate; --lr-scheduler says how it falls after the warm-up."""
    lora_dropout: float = field(
        default=PREFERENCE_TRAINING.lora_dropout,
        metadata=declaration(OptimiserSettings, "lora_dropout"),
    )
    """0: rewards are differences of log-probabilities, which dropout would blur."""
    do_train: FlagCreatePairsOff[bool] = False
    """Train. Without it nothing is written."""

    def run(self) -> int:
        return run_training(self._config(), do_train=self.do_train)

    def _config(self) -> PreferenceRun:
        own = {
            "train_file": self.pairs,
            "dtype": self.chosen_dtype(),
            "quiet": self.console.quiet,
            "load_in_4bit": self.in_4bit(
                lambda: of_run(self.output_dir if self.resume else None),
                lambda: of_adapter(self.init_adapter),
            ),
            "preference": part_of(PreferenceSettings, self),
            "training": part_of(Hyperparameters, self),
        }
        return PreferenceRun(**{**values_of(PreferenceRun, self), **own})
