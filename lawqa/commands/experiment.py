"""What is fixed before anything is measured: the experiment, how each result is written, earlier figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lawqa.errors import ConfigError

OutcomeId = Literal["higher", "lower", "undecided", "void"]


@dataclass(frozen=True)
class OutcomeText:
    """What is written for one kind of result; the sentence's variables are the figures of the comparison."""

    id: OutcomeId
    """Which result: a significant difference, either way, none, or none that may be judged."""
    when_ja: str
    """How it shows."""
    sentence_ja: str
    """The sentence of the verdict."""
    means_ja: str
    """What may and may not be claimed of it."""


@dataclass(frozen=True)
class KnownAccuracy:
    """The accuracy of somebody else's run, known by its counts alone."""

    id: str
    """What variables call it: `{reference_ID}` is its argument of `lawqa report --reference`."""
    title_ja: str
    """Its name in tables."""
    correct: int
    """Right answers."""
    asked: int
    """Questions."""
    conditions_ja: str
    """How it was measured, as far as is known."""
    source_ja: str
    """Where the figure comes from."""

    @property
    def argument(self) -> str:
        """How the command line takes it."""
        return f"{self.title_ja}={self.correct}/{self.asked}"

    @property
    def percent(self) -> str:
        """The accuracy with one decimal."""
        return f"{self.correct / self.asked:.1%}"


@dataclass(frozen=True)
class Experiment:
    """The one recommended experiment, fixed before anything is run."""

    id: str
    """Its name in logs."""
    title: str
    """What is asked, in English."""
    title_ja: str
    """What is asked, in Japanese."""
    condition: str
    """The primary condition."""
    mode: str
    """The primary mode."""
    decides: str
    """The command whose result decides."""
    commands: tuple[str, ...]
    """The commands that belong to it, in order; all others are exploration or support."""
    variables: tuple[str, ...]
    """The variables that it fixes."""
    points_ja: tuple[str, ...]
    """What is fixed, and why, in Japanese sentences."""
    outcomes: tuple[OutcomeText, ...] = ()
    """How each result is written, decided before there is one."""
    second_claim_ja: str = ""
    """What is claimed beside the experiment, against `references`, in a Japanese sentence."""

    def outcome(self, outcome_id: OutcomeId) -> OutcomeText:
        """Return the rule for a result.

        Raises:
            ConfigError: none is declared.
        """
        for outcome in self.outcomes:
            if outcome.id == outcome_id:
                return outcome
        raise ConfigError(f"experiment {self.id}: no outcome {outcome_id!r} is declared")
