"""`lawqa prefer`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.model_flags import of_adapter, of_run
from lawqa.cli.training.train import run_training
from lawqa.cli.training.training_flags import TrainingFlags
from lawqa.errors import ConfigError
from lawqa.settings import (
    PREFERENCE_TRAINING,
    AdapterFiles,
    DevSettings,
    Hyperparameters,
    OptimiserSettings,
    PlaceSettings,
    PolicyRun,
    PolicySettings,
    PreferenceRun,
    PreferenceSettings,
    declaration,
    flag_of,
    part_of,
    values_of,
)


@dataclass(frozen=True, kw_only=True)
class Prefer(
    TrainingFlags, DevSettings, PlaceSettings, AdapterFiles, PreferenceSettings, PolicySettings
):
    """Teach an adapter to prefer right answers to wrong ones of its own (DPO); rehearses without --do-train.

    With --pairs it learns from pairs (--beta, --length-normalised, --sft-weight); the reference is the model
    as it starts, whose log-probabilities are taken once. With --policy --data it draws texts itself at every
    step (RLOO; --mode, --condition, --thinking, --permutations, --samples-per-question, --max-new-tokens,
    --kl-weight): what is right, well-formed and in Japanese earns 1. Neither has a second model in memory.
    """

    pairs: Path | None = field(default=None, metadata=declaration(PreferenceRun, "train_file"))
    """Pairs of a right and a wrong answer: what `lawqa pool pairs` writes."""
    policy: FlagCreatePairsOff[bool] = False
    """Draw texts from the model while it is trained, and learn from their rewards; needs --data."""
    data: Path | None = field(default=None, metadata=declaration(PolicyRun, "train_file"))
    """The training questions of --policy; never those that are to be measured on."""
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

    def _config(self) -> PreferenceRun | PolicyRun:
        self._check()
        common = {
            "dtype": self.chosen_dtype(),
            "quiet": self.console.quiet,
            "load_in_4bit": self.in_4bit(
                lambda: of_run(self.output_dir if self.resume else None),
                lambda: of_adapter(self.init_adapter),
            ),
            "training": part_of(Hyperparameters, self),
        }
        if self.policy:
            policy = {"train_file": self.data, "policy": part_of(PolicySettings, self)}
            return PolicyRun(**{**values_of(PolicyRun, self), **common, **policy})
        pairs = {"train_file": self.pairs, "preference": part_of(PreferenceSettings, self)}
        return PreferenceRun(**{**values_of(PreferenceRun, self), **common, **pairs})

    def _check(self) -> None:
        """Make sure that the flags are those of one of the two ways.

        Raises:
            ConfigError: the file is missing, or a flag is of the other way.
        """
        given, file, other = (
            ("--policy", self.data, self.pairs)
            if self.policy
            else ("--pairs", self.pairs, self.data)
        )
        if file is None or other is not None:
            raise ConfigError(
                "prefer learns from pairs or from the model's own texts, and needs the file of one of them",
                "--pairs PAIRS.jsonl, or --policy --data QUESTIONS.json",
            )
        kind = PreferenceSettings if self.policy else PolicySettings
        foreign = [
            flag_of(kind, field.name, "train")
            for field in fields(kind)
            if getattr(self, field.name) != field.default
        ]
        if foreign:
            raise ConfigError(
                f"{', '.join(foreign)}: without effect with {given}",
                "lawqa prefer --help  says which is whose",
            )
