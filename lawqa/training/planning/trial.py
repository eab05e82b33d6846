"""How fast a loaded model trains: a few micro-batches, timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import torch

from lawqa.models.load import LoadedModel
from lawqa.models.speed import wait_for
from lawqa.records import TokenizedRecord
from lawqa.settings import Hyperparameters
from lawqa.training.data.collate import LeftPadCollator
from lawqa.training.path_choice import choose_path
from lawqa.training.trainer import as_dataset

_LEARNING_RATE = 1e-6


@dataclass(frozen=True)
class TrialStep:
    """An optimiser step that was timed."""

    tokens: int
    """Tokens of its records, without padding."""
    seconds: float
    """Forward and backward passes and the optimiser, as fast as in the fastest of the trials."""
    path: str
    """Which way to the loss was taken, as training's first line says it."""


def trial_step(
    loaded: LoadedModel,
    model: torch.nn.Module,
    records: Sequence[TokenizedRecord],
    config: Hyperparameters,
    *,
    trials: int = 3,
    time_is_up: Callable[[], bool] = lambda: False,
) -> TrialStep:
    """Take optimiser steps over the records and time them; the first is not counted where there are others.

    Args:
        loaded: the model and its device.
        model: PEFT's wrapper, from `add_adapter`. Its weights change a little.
        records: what a step is made of, repeated until it is full.
        config: the batch, and how the loss is computed.
        trials: timed steps.
        time_is_up: asked after each step; True ends the trial.

    Raises:
        ConfigError: the longest record does not fit the memory.
        torch.OutOfMemoryError: a micro-batch does not.
    """
    paths: list[str] = []
    path = choose_path(loaded, model, config, records, paths.append)
    asked = list(islice(cycle(records), config.records_per_step))
    rows = as_dataset(asked)
    batch = LeftPadCollator(loaded.tokenizer.pad_token_id or 0)(
        [rows[n] for n in range(len(asked))]
    )
    batch = {name: part.to(loaded.device) for name, part in batch.items()}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=_LEARNING_RATE)
    half = loaded.dtype != torch.float32
    model.train()
    seconds: list[float] = []
    for _ in range(trials + 1):
        began = time.perf_counter()
        for part in path.parts(batch):
            with torch.autocast(loaded.device.type, dtype=loaded.dtype, enabled=half):
                loss = path.loss(model, part)
            loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        wait_for(loaded.device)
        seconds.append(time.perf_counter() - began)
        if time_is_up():
            break
    model.eval()
    tokens = sum(len(record.input_ids) for record in asked)
    return TrialStep(tokens, min(seconds[1:] or seconds), paths[-1])
