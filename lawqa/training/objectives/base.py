"""What the trainer asks of an objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from lawqa.training.loss_paths import Batch

Score = Callable[[Batch], Tensor]
"""Log-probabilities of rows' answers under the model as it is, summed over their tokens, in nats, [records];
without dropout and gradients."""


@dataclass(frozen=True)
class StepRows:
    """What is learnt in one optimiser step by one process.

    The gradient of the step is that of the rows' cross entropy, each row times its `weight` where there are
    weights, divided by `count` of all processes.
    """

    rows: Batch
    """What goes through the model."""
    count: Tensor
    """How many things the loss is the mean over: answer tokens, pairs or samples; a scalar."""
    loss: Tensor | None = None
    """The sum of the objective over these things, where the weighted cross entropy has its gradient but not
    its value; a scalar."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What else is logged of the step, by name."""


class Objective(Protocol):
    """What a training minimises."""

    def step(self, batch: Batch, score: Score, number: int) -> StepRows:
        """Return the rows of one step.

        Args:
            batch: the records of the step as they were collated, on the model's device.
            score: asks the model, as it is before the step.
            number: of the step, from 0.
        """
