"""`lawqa prefer`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes

from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.model_flags import of_adapter, of_run
from lawqa.cli.training.train import run_training
from lawqa.cli.training.training_flags import TrainingFlags
from lawqa.errors import ConfigError
from lawqa.settings import (
    PREFERENCE_TRAINING,
    AdapterOutputs,
    DevSettings,
    Hyperparameters,
    OptimiserSettings,
    PlaceSettings,
    PolicyRun,
    PolicySettings,
    PreferenceRun,
    PreferenceSettings,
    declaration,
    only_with,
    part_of,
    values_of,
)


@dataclass(frozen=True, kw_only=True)
class Prefer(
    TrainingFlags, DevSettings, PlaceSettings, AdapterOutputs, PreferenceSettings, PolicySettings
):
    """Teach an adapter to prefer right answers to wrong ones of its own (DPO); rehearses without --do-train.

    With --pairs it learns from pairs (--beta, --length-normalised, --sft-weight); the reference is the model
    as it starts, whose log-probabilities are taken once. With --policy --data it draws texts itself at every
    step (RLOO; --mode, --condition, --thinking, --permutations, --samples-per-question, --max-new-tokens,
    --kl-weight): what is right, well-formed and in Japanese earns 1. Neither has a second model in memory.
    """

    pairs: Path | None = field(
        default=None, metadata=only_with(declaration(PreferenceRun, "train_file"), policy=False)
    )
    """Pairs of a right and a wrong answer: what `lawqa pool pairs` writes."""
    policy: FlagCreatePairsOff[bool] = False
    """Draw texts from the model while it is trained, and learn from their rewards; needs --data."""
    data: Path | None = field(
        default=None, metadata=only_with(declaration(PolicyRun, "train_file"), policy=True)
    )
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
    retrieval: OmitArgPrefixes[RetrievalFlags] = field(default_factory=RetrievalFlags)
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
        """Make sure that there is something to learn from; whose flag is whose, `only_with` declares.

        Raises:
            ConfigError: the file is missing, or flags of retrieval are given and nothing is retrieved.
        """
        if (self.data if self.policy else self.pairs) is None:
            raise ConfigError(
                "prefer learns from pairs or from the model's own texts, and needs the file of one of them",
                "--pairs PAIRS.jsonl, or --policy --data QUESTIONS.json",
            )
        if self.policy and self.condition == "rag":
            return
        if given := [name for name, value in self.retrieval.given().items() if value]:
            raise ConfigError(
                f"{', '.join(given)}: nothing is retrieved without --policy --condition rag",
                "leave it out, or say --policy --data QUESTIONS.json --condition rag",
            )
