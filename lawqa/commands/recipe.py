"""The recipe: stages of a training, each with a time budget and with what follows from each outcome."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StageOutcome:
    """What is done after a stage when it came out in a certain way, decided beforehand."""

    when_ja: str
    """How it shows."""
    then_ja: str
    """What is done then."""
    skips: tuple[str, ...] = ()
    """Later stages that are left out then, by id."""


@dataclass(frozen=True)
class Stage:
    """A stage of the recipe."""

    id: str
    """What outcomes call it."""
    title_ja: str
    """Its heading."""
    steps: tuple[str, ...]
    """Its commands, in order."""
    budget_hours: float
    """The most time that it may take on the card of its place."""
    text_ja: str
    """What it is for."""
    outcomes: tuple[StageOutcome, ...]
    """What comes next, for everything that can come out."""


@dataclass(frozen=True)
class Recipe:
    """All stages, in order."""

    title_ja: str
    """What it does."""
    stages: tuple[Stage, ...]
    """From the first to the last."""

    @property
    def budget_hours(self) -> float:
        """The budgets of all stages together."""
        return sum(stage.budget_hours for stage in self.stages)

    def number(self, stage_id: str) -> int:
        """Return which stage this is, counted from 1."""
        return [stage.id for stage in self.stages].index(stage_id) + 1
