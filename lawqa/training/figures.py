"""What a training measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lawqa.files import JsonDict
from lawqa.training.dev import DevResult

if TYPE_CHECKING:
    from transformers import TrainerState

    from lawqa.training.checkpoints.checkpoint_state import CheckpointState

_OF_EVERY_STEP = {"step", "epoch", "loss", "learning_rate", "grad_norm", "tokens_per_second"}
"""What the log of any training says of a step."""


@dataclass(frozen=True)
class TrainingFigures:
    """What was measured while training."""

    steps: int
    """Optimiser steps taken."""
    first_loss: float
    """Loss of the first logged step, nats per answer token."""
    last_loss: float
    """Loss of the last logged step, nats per answer token."""
    seconds: float
    """Wall time of the loop, interruptions not counted."""
    tokens: int
    """Tokens trained on, padding not counted, all epochs."""
    log: list[JsonDict]
    """Every line of the log: step, loss, learning rate, gradient norm."""
    ended: str = "all steps"
    """Why training ended, in words."""
    best: DevResult | None = None
    """The dev questions at the step whose adapter is kept; None without dev questions."""
    dev: list[DevResult] = field(default_factory=list)
    """All scorings of the dev questions, the first before training."""

    @classmethod
    def of(cls, checkpoint_state: CheckpointState, state: TrainerState) -> TrainingFigures:
        """Return what the checkpoints' state and transformers' own say of a training that has ended."""
        log = [entry for entry in state.log_history if "loss" in entry]
        watch = checkpoint_state.watch
        return cls(
            steps=state.global_step,
            first_loss=log[0]["loss"],
            last_loss=log[-1]["loss"],
            seconds=round(checkpoint_state.seconds, 3),
            tokens=checkpoint_state.tokens,
            log=log,
            ended=watch.reason_to_stop() or "all steps",
            best=watch.best,
            dev=watch.results,
        )

    @property
    def objective(self) -> dict[str, tuple[float, float]]:
        """What an objective logs besides its loss, by name, at the first and at the last logged step."""
        own = set(self.log[-1]) - _OF_EVERY_STEP if self.log else set()
        return {
            name: (self.log[0][name], self.log[-1][name])
            for name in sorted(own)
            if name in self.log[0]
        }

    @property
    def no_better_step(self) -> bool:
        """Whether the dev questions were answered best before training."""
        return self.best is not None and self.best.correct <= self.dev[0].correct
