"""What every backend offers, and what passes to and from it. A backend never sees the right answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lawqa.files import JsonObject
from lawqa.prompting import Prompt
from lawqa.runs.result import StopReason as StopReason
from lawqa.settings import KvCache


@dataclass(frozen=True)
class GenerationSettings:
    """How text is generated.

    What `lawqa.settings.GenerationChoices` mean for one call of a backend: every default resolved, with the
    numbers of the completions that are asked for.
    """

    max_new_tokens: int
    """The most tokens of one completion."""
    temperature: float = 0.0
    """0 for greedy decoding."""
    top_p: float = 1.0
    """Sample from the likeliest tokens that hold this share of the probability; 1 for all."""
    top_k: int = 0
    """Sample from the N likeliest tokens; 0 for all."""
    min_p: float = 0.0
    """Drop tokens less likely than this share of the likeliest; 0 for none."""
    seed: int = 0
    """Decides, with a prompt's key and the repeat, what is sampled when the temperature is above 0."""
    repeats: int = 1
    """How many completions each prompt gets."""
    first_repeat: int = 0
    """The number of the first of them: what is missing of an interrupted run is asked by its own numbers."""
    thinking_budget: int | None = None
    """The most tokens of a think block: one that reaches them is closed and the answer asked for."""
    budget_required: bool = True
    """Whether a backend that cannot keep the thinking budget must refuse; it was given, not a default."""
    stop_at_final_answer: bool = False
    """Stop after a finished line `最終回答：x`."""
    stop_at_loops: bool = False
    """Stop when the text repeats the same tokens over and over."""
    score_labels: bool = True
    """Score the labels after reasoning and think blocks, where the backend can."""
    kv_cache: KvCache = "model"
    """How keys and values are stored while text is written, where the backend can choose."""


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
    """Whether it ran into `max_new_tokens`, or filled the memory, before an end token."""
    prompt_text: str
    """The prompt exactly as sent."""
    prompt_tokens: int
    """Its length in tokens."""
    completion_tokens: int
    """The length of the text in tokens, without the end token."""
    seconds: float
    """This prompt's share of its batch's time."""
    repeat: int = 0
    """Which of the prompt's completions this is."""
    token_ids: tuple[int, ...] = ()
    """The tokens of the text as they were drawn; empty where the backend does not know them."""
    stopped: StopReason = "end"
    """Why it ended: an end token, `max_new_tokens`, a finished answer line, a loop, or the memory."""
    thinking_closed: bool = False
    """Whether its think block reached the thinking budget and was closed for it."""
    in_thought: bool = False
    """Whether the prompt ended inside an open think block, so that the text begins there."""
    label_logprobs: tuple[float, float, float, float] | None = None
    """As in `ChoiceScores`, at the place of the answer's label; None where they were not scored."""
    label_mass: float | None = None
    """The probability of any label there."""
    label_at: int | None = None
    """Characters of the text before that place."""
    label_after: str | None = None
    """What was put between them and the label."""


@runtime_checkable
class ScoresTexts(Protocol):
    """A backend that may be able to score the labels after its texts."""

    def no_text_labels(self) -> str | None:
        """Say why no text is continued."""


@dataclass(frozen=True)
class Failure:
    """A prompt that the backend could not answer."""

    key: str
    """`Prompt.key`."""
    reason: str
    """What went wrong."""
    repeat: int = 0
    """Which of the prompt's completions failed."""


@runtime_checkable
class NeedsRoom(Protocol):
    """A backend that must know how long the prompts of a run get, whichever of them it is asked first."""

    def make_room(self, prompts: Sequence[Prompt], settings: GenerationSettings) -> None:
        """Get ready for the longest of these.

        Args:
            prompts: all of the run, also those that are answered already.
            settings: how long an answer may be.

        Raises:
            BackendError: there is no room for the longest.
        """


@runtime_checkable
class RendersPrompts(Protocol):
    """A backend that renders the chat template itself, and so knows a prompt's text before it is asked."""

    def render(self, prompt: Prompt) -> str:
        """Return the prompt exactly as it will be sent.

        Raises:
            ConfigError: the template gives no text for it.
        """


class Backend(Protocol):
    """A language model that can be asked. Answers come in any order, exactly one for each prompt."""

    @property
    def chat_template(self) -> str:
        """The template that turns messages into text; empty where the backend has none."""

    def describe(self) -> JsonObject:
        """Return the model, revision, quantisation and machine, for the manifest."""

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        """Return the log-probabilities of the labels from one forward pass a prompt."""

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        """Return text for each prompt, `settings.repeats` times, numbered from `settings.first_repeat`."""

    def score_after(
        self, prompts: Sequence[Prompt], texts: Sequence[str]
    ) -> Iterator[ChoiceScores | Failure]:
        """Return the log-probabilities of the labels after a prompt and a text that the model wrote for it.

        Args:
            prompts: the prompts.
            texts: for each what is between it and the label.

        Raises:
            BackendError: the backend cannot score a continued text.
        """
