"""The cross entropy of answers: what `lawqa train` minimises."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.records import IGNORED
from lawqa.training.data.collate import check_mask
from lawqa.training.loss_paths import Batch
from lawqa.training.objectives.base import Score, StepRows


@dataclass(frozen=True)
class Answers:
    """The mean cross entropy of all answer tokens of a step."""

    end_token_id: int
    """The token that ends a turn."""

    def step(self, batch: Batch, score: Score, number: int) -> StepRows:
        """See `Objective.step`."""
        del score, number
        check_mask(batch, self.end_token_id)
        return StepRows(batch, (batch["labels"] != IGNORED).sum())
