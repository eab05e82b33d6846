"""How a model learns from preferences."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.settings.accepted import Settings
from lawqa.settings.declared import PLACE, RESULT, declaration, flagged, only_with, within
from lawqa.settings.evaluation import AskedSettings, GenerationChoices, ThinkingSettings
from lawqa.settings.experiments import FilterName, SelectSettings
from lawqa.settings.ranges import out_of_range
from lawqa.settings.retrieval import RetrievalSettings
from lawqa.settings.training import Hyperparameters
from lawqa.settings.training_run import TrainingRun
from lawqa.settings.values import Condition, Mode, Permutations

PREFERENCE_TRAINING = Hyperparameters(num_epochs=1.0, learning_rate=1e-5, lora_dropout=0.0)
"""How preferences are learnt where nothing else is said: one pass at a twentieth of the rate for answers, as
rewards of long answers add up over their tokens; without dropout, as rewards are differences of
log-probabilities, which dropout would blur."""

_OF_PAIRS = only_with(RESULT, policy=False)
_OF_POLICY = only_with(RESULT, policy=True)

_HELP = "lawqa prefer --help  explains every option"


@dataclass(frozen=True, kw_only=True)
class PreferenceSettings(Settings):
    """How pairs of a right and a wrong answer are learnt from: DPO (Rafailov et al. 2023,
    arXiv:2305.18290).
    """

    beta: float = field(default=0.1, metadata=_OF_PAIRS)
    """How strongly the model is held to what it was: reward = beta * (log-probability now - before)."""
    length_normalised: bool = field(default=False, metadata=_OF_PAIRS)
    """Take rewards per token, so that length earns nothing (arXiv:2411.15124); takes a --beta of 2 to 10."""
    sft_weight: float = field(default=1.0, metadata=_OF_PAIRS)
    """Weight of the right answer's own loss per token beside that of the pair (arXiv:2404.19733 takes 1 for a
    model's own reasoning): without it both answers may become less likely. 0 for none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if broken := out_of_range(self):
            raise ConfigError("\n".join(broken), _HELP)


@dataclass(frozen=True, kw_only=True)
class PolicySettings(Settings):
    """How a model learns from its own samples while they are drawn (RLOO, Ahmadian et al. 2024,
    arXiv:2402.14740).
    """

    mode: Mode = field(
        default="cot", metadata=only_with(declaration(ThinkingSettings, "mode"), policy=True)
    )
    """How questions are put. direct: one letter; cot: reasoning and a final answer line."""
    condition: Condition = field(
        default="closed",
        metadata=only_with(declaration(ThinkingSettings, "condition"), policy=True),
    )
    """Context: none (closed), the data set's own (gold), or retrieved (rag)."""
    thinking: bool = field(
        default=False, metadata=only_with(declaration(ThinkingSettings, "thinking"), policy=True)
    )
    """Switch the model's own thinking on."""
    permutations: Permutations = field(
        default=4, metadata=only_with(declaration(AskedSettings, "permutations"), policy=True)
    )
    """Put each question in N orders of its choices, each in a step of its own."""
    samples_per_question: int = field(default=8, metadata=_OF_POLICY)
    """Texts sampled for each question of a step, 2 or more: each is judged by the mean of the others."""
    max_new_tokens: int = field(
        default=1024,
        metadata=only_with(declaration(GenerationChoices, "max_new_tokens"), policy=True),
    )
    """The most tokens of one text; one that reaches them earns nothing."""
    kl_weight: float = field(default=0.02, metadata=_OF_POLICY)
    """What a nat of divergence from the base model, adapter off, costs a text; its right answer earns 1. 0
    spares the base model's pass."""

    def __post_init__(self) -> None:
        super().__post_init__()
        broken = out_of_range(self)
        if self.samples_per_question < 2:
            broken.append("--samples-per-question is 1, expected 2 or more: one text has no others")
        if broken:
            raise ConfigError("\n".join(broken), _HELP)


def _refuse(run: TrainingRun) -> None:
    """Refuse options that are none of a training on preferences.

    Raises:
        ConfigError: there are such.
    """
    refused = {
        "--extra": run.extra, "--max-synthetic-share": run.max_synthetic_share, "--fsdp": run.fsdp,
        "--neftune-alpha": run.training.neftune_alpha, "--lora-dropout": run.training.lora_dropout,
    }  # fmt: skip
    if given := [flag for flag, value in refused.items() if value]:
        raise ConfigError(f"{', '.join(given)}: preferences are learnt without it", _HELP)


@dataclass(frozen=True, kw_only=True)
class PreferenceRun(TrainingRun):
    """A training on pairs, and where the adapter goes; `lawqa.train` runs it.

    Raises:
        ConfigError: an option of it is none of such a training.
    """

    train_file: Path = field(metadata=flagged(declaration(TrainingRun, "train_file"), "--pairs"))
    """The pairs: what `lawqa pool pairs` writes."""
    preference: PreferenceSettings = field(
        default_factory=PreferenceSettings, metadata=within(PreferenceSettings)
    )
    """How pairs count."""
    training: Hyperparameters = field(
        default=PREFERENCE_TRAINING, metadata=declaration(TrainingRun, "training")
    )
    """How the adapter is trained."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse(self)


@dataclass(frozen=True, kw_only=True)
class PolicyRun(TrainingRun):
    """A training on a model's own samples, and where the adapter goes; `lawqa.train` runs it.

    Raises:
        ConfigError: an option of it is none of such a training.
    """

    train_file: Path = field(metadata=flagged(declaration(TrainingRun, "train_file"), "--data"))
    """The training questions; never those that are to be measured on."""
    policy: PolicySettings = field(default_factory=PolicySettings, metadata=within(PolicySettings))
    """How samples are drawn and judged; a step takes as many questions as `training` takes records."""
    retrieval: RetrievalSettings = field(
        default_factory=RetrievalSettings, metadata=within(RetrievalSettings)
    )
    """Where contexts are retrieved, for the condition `rag`; once, before the first step."""
    training: Hyperparameters = field(
        default=PREFERENCE_TRAINING, metadata=declaration(TrainingRun, "training")
    )
    """How the adapter is trained."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse(self)
        if self.training.use_dora:
            raise ConfigError(
                "--use-dora: a policy needs the base model, with the adapter off", _HELP
            )


@dataclass(frozen=True, kw_only=True)
class PairSettings(Settings):
    """Which right and wrong samples of a pool become pairs."""

    pairs_per_question: int = field(default=4, metadata=PLACE)
    """The most pairs of one question, so that those with many do not flood."""
    limit: int | None = field(default=None, metadata=declaration(SelectSettings, "limit"))
    """The most in all, of questions with 1 to half of their samples right first."""
    without: tuple[FilterName, ...] = field(
        default=(), metadata=declaration(SelectSettings, "without")
    )
    """Filters that the right sample of a pair need not pass: agreed, japanese, grounded, own-letters,
    no-loop; `lawqa pool select --help` explains them."""
