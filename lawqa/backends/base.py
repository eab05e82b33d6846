"""What every backend offers, and what passes to and from it. A backend never sees the right answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lawqa.prompting import Prompt


@dataclass(frozen=True)
class GenerationSettings:
    """How text is generated."""

    max_new_tokens: int
    """The most tokens of one completion."""
    temperature: float = 0.0
    """0 for greedy decoding."""
    seed: int = 0
    """Decides what is sampled when the temperature is above 0."""


@dataclass(frozen=True)
class ChoiceScores:
    """How likely each label is as the next token of a prompt."""

    key: str
    """`Prompt.key`."""
    logprobs: tuple[float, float, float, float]
    """Natural log-probabilities of a-d, normalised over the four."""
    label_mass: float
    """The probability that the next token is any label at all, between 0 and 1."""
    prompt_text: str
    """The prompt exactly as sent."""
    prompt_tokens: int
    """Its length in tokens."""
    seconds: float
    """This prompt's share of its batch's time."""


@dataclass(frozen=True)
class Completion:
    """Text that a model wrote."""

    key: str
    """`Prompt.key`."""
    text: str
    """The raw text, without the end token."""
    hit_limit: bool
    """Whether it ran into `max_new_tokens` before an end token."""
    prompt_text: str
    """The prompt exactly as sent."""
    prompt_tokens: int
    """Its length in tokens."""
    completion_tokens: int
    """The length of the text in tokens, without the end token."""
    seconds: float
    """This prompt's share of its batch's time."""


@dataclass(frozen=True)
class Failure:
    """A prompt that the backend could not answer."""

    key: str
    """`Prompt.key`."""
    reason: str
    """What went wrong."""


class Backend(Protocol):
    """A language model that can be asked. Answers come in any order, exactly one for each prompt."""

    @property
    def chat_template(self) -> str:
        """The template that turns messages into text; empty where the backend has none."""

    def describe(self) -> dict[str, Any]:
        """Model, revision, quantisation and machine, for the manifest."""

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        """Log-probabilities of the labels from one forward pass a prompt."""

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        """Text for each prompt."""
