"""What `lawqa plan` reckons with: a model, a card, a training, and the size of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import (
    GIVEN,
    PLACE,
    RESULT,
    Declaration,
    by_content,
    declaration,
    only_with,
)
from lawqa.settings.model import DEFAULT_MODEL, ModelSettings
from lawqa.settings.training import ALL_LINEAR, DevSettings, Hyperparameters

MEASURE_SECONDS = 120.0
"""The most that a measurement takes where nothing else is asked for."""


def _of_training(name: str) -> Declaration:
    return declaration(Hyperparameters, name)


def _alone(declaration: Declaration) -> Declaration:
    """Declare that the table of --power does not use a setting."""
    return only_with(declaration, power=False)


_OF_TEXTS = only_with(RESULT, dev_max_new_tokens=GIVEN)
_MEASURED = only_with(PLACE, measure=True)
_POWER = only_with(RESULT, power=True)


@dataclass(frozen=True, kw_only=True)
class PlanSettings(Settings):
    """What is trained, on which card, and what is measured."""

    model: str = field(default=DEFAULT_MODEL, metadata=_alone(by_content(RESULT)))
    """A model directory, a config.json, a name in the Hugging Face cache, or a published Qwen3."""
    memory: str = field(default="20GiB", metadata=_alone(RESULT))
    """The card's memory, such as 20GiB or 10GB."""
    max_seq_length: int = field(default=3072, metadata=_alone(_of_training("max_seq_length")))
    """The tokens of the longest record; 3072 holds a question with 2048 tokens of context."""
    lora_r: int = field(default=Hyperparameters.lora_r, metadata=_alone(_of_training("lora_r")))
    """Rank of the adapter."""
    lora_dropout: float = field(
        default=Hyperparameters.lora_dropout, metadata=_alone(_of_training("lora_dropout"))
    )
    """Dropout on the adapter's inputs."""
    target_modules: tuple[str, ...] = field(
        default=ALL_LINEAR, metadata=_alone(_of_training("target_modules"))
    )
    """Layers that get an adapter."""
    batch_size: int = field(
        default=Hyperparameters.batch_size, metadata=_alone(_of_training("batch_size"))
    )
    """Records of one accumulation step."""
    gradient_accumulation_steps: int = field(
        default=Hyperparameters.gradient_accumulation_steps,
        metadata=_alone(_of_training("gradient_accumulation_steps")),
    )
    """Accumulation steps of one optimiser step."""
    dev_max_new_tokens: int | None = field(
        default=None, metadata=_alone(declaration(DevSettings, "dev_max_new_tokens"))
    )
    """Also plan one scoring of dev questions by text, of at most N tokens each."""
    dev_questions: int = field(default=32, metadata=_OF_TEXTS)
    """Of that scoring: dev questions that are asked."""
    dev_samples: int = field(default=1, metadata=_OF_TEXTS)
    """Of that scoring: texts for each question."""
    no_4bit: bool = field(default=False, metadata=_alone(declaration(ModelSettings, "no_4bit")))
    """Plan for weights in bfloat16 instead of 4 bits."""
    measure: bool = field(default=False, metadata=PLACE)
    """Load the model and measure how fast this machine runs it; later estimates rest on that."""
    measure_seconds: float = field(default=MEASURE_SECONDS, metadata=_MEASURED)
    """With --measure: when to stop, in seconds; what is left then is not measured."""
    speeds: Path | None = field(default=None, metadata=_MEASURED)
    """With --measure: also write what was measured into this file, replacing an earlier measurement."""
    power: bool = field(default=False, metadata=PLACE)
    """Show instead how large a difference a comparison can detect, by questions, votes, orders and seeds."""
    json: bool = field(default=False, metadata=PLACE)
    """Print JSON."""


@dataclass(frozen=True, kw_only=True)
class PowerSettings(Settings):
    """What `lawqa plan --power` reckons with; each list makes rows or columns of the table."""

    questions: tuple[int, ...] = field(default=(42, 140, 280), metadata=_POWER)
    """With --power: questions that both runs are asked."""
    discordance: tuple[float, ...] = field(default=(0.15, 0.25, 0.35), metadata=_POWER)
    """With --power: share of questions that exactly one of two single answers gets right; a quarter is usual
    between a model and its adapter."""
    orders: tuple[int, ...] = field(default=(1,), metadata=_POWER)
    """With --power: choice orders of each question."""
    votes: tuple[int, ...] = field(default=(1, 8), metadata=_POWER)
    """With --power: samples in each order."""
    seeds: tuple[int, ...] = field(default=(1, 3), metadata=_POWER)
    """With --power: trainings that are compared together."""
    spread: float = field(default=0.0, metadata=_POWER)
    """With --power: standard deviation between trainings, in points."""
    repeatable: float = field(default=0.8, metadata=_POWER)
    """With --power: how alike two answers of one run to a question are: 1 where asking again changes nothing,
    0 for all chance."""
    comparisons: int = field(default=1, metadata=_POWER)
    """With --power: comparisons that Holm's correction will count."""
