"""When to score the dev questions, to save, and to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from accelerate.utils import reduce
from transformers import TrainerCallback

from lawqa.errors import Interrupted
from lawqa.training.checkpoints.checkpoint_state import CheckpointState
from lawqa.training.processes.interruption import Interruption

if TYPE_CHECKING:
    from torch.utils.data import DataLoader
    from transformers import TrainerControl, TrainerState, TrainingArguments


class Cadence(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
    """Decides after each optimiser step what else is done, the same on every process.

    Args:
        checkpoint_state: knows when a checkpoint is due.
        interruption: whether a signal has asked to stop.
        score_every: optimiser steps between two scorings of the dev questions; 0 for none.
    """

    def __init__(
        self, checkpoint_state: CheckpointState, interruption: Interruption, score_every: int
    ) -> None:
        self._checkpoint_state = checkpoint_state
        self._interruption = interruption
        self._score_every = score_every
        self.score: Callable[[], object] = dict
        """Scores the dev questions now; the trainer's, which is made after its callbacks."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Score before the first step, and make up for a scoring that a signal cut short."""
        del args, control
        self._checkpoint_state.start()
        if self._score_every and (state.global_step == 0 or self._checkpoint_state.watch.waiting):
            self.score()
            if self._interruption.signum is not None:
                raise Interrupted(self._interruption.signum, "no step was taken")

    def on_epoch_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        train_dataloader: DataLoader[object],
        **_: object,
    ) -> None:
        """Pass the sampler the next permutation; the Trainer does so for accelerate's samplers only."""
        del args, control
        sampler = train_dataloader.batch_sampler
        sampler.epoch = state.global_step // len(sampler)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Set what the Trainer does next: log, then score, then save, then stop."""
        step, last = state.global_step, state.global_step >= state.max_steps
        asked, due = self._agreed(
            args, [self._interruption.asked, self._checkpoint_state.is_save_due(step)]
        )
        if last:
            control.should_log = True
        if self._score_every and (last or step % self._score_every == 0):
            # A scoring may end the training, and an ending has a last loss.
            control.should_log = control.should_evaluate = True
        if (due or asked) and not last:
            control.should_save = True
        if asked:
            control.should_training_stop = True

    def _agreed(self, args: TrainingArguments, wishes: list[bool]) -> list[bool]:
        """Return what any process wishes, so that all do the same."""
        if args.world_size == 1:
            return wishes
        summed = reduce(torch.tensor(wishes, dtype=torch.int64, device=args.device), "sum")
        return [bool(wish) for wish in summed]
