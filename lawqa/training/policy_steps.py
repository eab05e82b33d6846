"""A training whose texts the model draws itself, as `fit` takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lawqa.models.load import LoadedModel
from lawqa.settings import PolicySettings
from lawqa.training.data.collate import LeftPadCollator
from lawqa.training.objectives.policy import DrawnText, Draws, Policy, without_adapter
from lawqa.training.undisturbed import undisturbed

if TYPE_CHECKING:
    from peft import PeftModel


@dataclass(frozen=True)
class PolicySteps:
    """A training on texts that the model draws itself."""

    settings: PolicySettings
    """How they are judged."""
    draws: Callable[[LoadedModel], Draws]
    """Draws them from a model with its adapter."""

    def objective(
        self, loaded: LoadedModel, model: PeftModel, output_dir: Path, collator: LeftPadCollator
    ) -> Policy:
        """Return what the trainer minimises.

        Args:
            loaded: the base model.
            model: PEFT's wrapper around it.
            output_dir: of the training.
            collator: of its rows.
        """
        draws = self.draws(replace(loaded, model=model, adapter=output_dir))

        def undisturbed_draws(numbers: Sequence[int], step: int) -> list[list[DrawnText]]:
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()  # what the last step held is room for keys and values
            with undisturbed(model):
                return draws(numbers, step)

        return Policy(
            self.settings, undisturbed_draws, partial(without_adapter, model), collator.pad_token_id
        )
