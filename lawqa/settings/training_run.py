"""A training run: what is trained on what, and where the adapter goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lawqa.errors import ConfigError
from lawqa.settings.accepted import Settings
from lawqa.settings.declared import (
    GIVEN,
    PLACE,
    RESULT,
    SPEED,
    by_content,
    declaration,
    only_with,
    plain,
    within,
)
from lawqa.settings.evaluation import QuietSettings, RunSettings, WordingSettings
from lawqa.settings.model import ModelSettings
from lawqa.settings.training import Hyperparameters
from lawqa.settings.values import OwnCondition

Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio"]
"""Names that `report_to` of transformers' TrainingArguments knows."""


@dataclass(frozen=True, kw_only=True)
class TrackerSettings(Settings):
    """Who else gets the figures of a training."""

    report_to: tuple[Tracker, ...] = field(default=(), metadata=PLACE)
    """Also give the figures to these trackers. TensorBoard's events are always written, and nothing is sent
    anywhere without this flag."""


@dataclass(frozen=True, kw_only=True)
class StageSettings(Settings):
    """What a training starts from, and how it is looked at when it is over."""

    init_adapter: Path | None = field(default=None, metadata=by_content(RESULT))
    """Start with the weights of this adapter, of the same base model and LoRA settings, instead of new ones.
    What it was trained on, and whatever it started from, counts as trained on by the new adapter."""
    probe_questions: int = field(default=0, metadata=PLACE)
    """After training, ask N questions in every mode (direct, cot, thinking), without and with the adapter,
    and say what training took from the modes that it did not teach; 0 for not."""
    probe_max_new_tokens: int | None = field(
        default=None, metadata=only_with(PLACE, probe_questions=GIVEN)
    )
    """Of that: the most tokens of a text that reasons. Without it: 1024 cot, 4096 thinking."""


@dataclass(frozen=True, kw_only=True)
class AdapterOutputs(StageSettings):
    """What chooses the step that is kept, and where the adapter goes."""

    output_dir: Path = field(metadata=PLACE)
    """Where the adapter, its manifest and the log go."""
    dev_file: Path | None = field(default=None, metadata=by_content(RESULT))
    """Questions, or records of them, whose accuracy decides which step is kept; none may be trained on."""
    dev_condition: OwnCondition | None = field(
        default=None, metadata=only_with(RESULT, dev_file=GIVEN)
    )
    """The context that dev questions are put with, where the training records do not say it."""
    resume: bool = field(default=False, metadata=declaration(RunSettings, "resume"))
    """Resume from the last checkpoint; begin where there is none."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier adapter in the output directory."""


@dataclass(frozen=True, kw_only=True)
class TrainingFiles(AdapterOutputs, WordingSettings):
    """What is trained on, and where the adapter goes."""

    train_file: Path = field(metadata=by_content(RESULT))
    """Records from `lawqa records`, or questions, from which direct closed-book records are made."""
    max_synthetic_share: float | None = field(default=None, metadata=RESULT)
    """The most that questions made by lawqa augment may be of all records, from 0 to below 1: more are left
    out, drawn by --seed. Without it: all are learnt."""
    fsdp: bool = field(default=False, metadata=SPEED)
    """Share the base model's weights out over the processes that torchrun starts: for models that do not fit
    one GPU; slower, and each process loads the whole model into main memory first."""


@dataclass(frozen=True, kw_only=True)
class TrainingRun(TrainingFiles, ModelSettings, TrackerSettings):
    """What is trained on what and how, and where the adapter goes.

    Raises:
        ConfigError: `resume` and `fresh` are both given.
    """

    training: Hyperparameters = field(
        default_factory=Hyperparameters, metadata=within(Hyperparameters)
    )
    """How."""
    extra: tuple[tuple[Path, float], ...] = field(default=(), metadata=by_content(RESULT))
    """Files of further records that are learnt from, each with how often a record is taken."""
    quiet: bool = field(default=True, metadata=declaration(QuietSettings, "quiet"))
    """No progress bar."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resume and self.fresh:
            raise ConfigError(
                "--resume and --fresh contradict each other",
                "--resume continues a training, --fresh starts over",
            )

    def to_json(self) -> dict[str, object]:
        """Return the settings in plain JSON types."""
        return plain(self)
