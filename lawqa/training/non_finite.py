"""Losses and gradients that are NaN or infinite: stopped before they reach the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lawqa.errors import TrainingError

if TYPE_CHECKING:
    from torch.amp import GradScaler


def gradient_norm(model: torch.nn.Module, scaler: GradScaler | None) -> Tensor:
    """Of this process's gradients, a scalar; not finite where one of them is not.

    With loss scaling it is 0, because a step that overflows is skipped there by itself and the scale
    halved. Only where it was halved below 1, 16 times or more, nothing was an overflow, and it is NaN.

    Args:
        model: after the backward pass.
        scaler: float16's loss scaling; None without.
    """
    if scaler is not None:
        hopeless = scaler.is_enabled() and scaler.get_scale() < 1
        return torch.tensor(math.nan if hopeless else 0.0)
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm: Tensor = torch.nn.utils.get_total_norm(gradients)
    return norm


def records_at_fault(
    parts: Sequence[Mapping[str, Tensor]], losses: Sequence[Tensor], *, loss_is_finite: bool
) -> list[int]:
    """The numbers of the records in micro-batches whose loss is not finite; of all where every loss is.

    Args:
        parts: this process's micro-batches, with `record` of shape [records].
        losses: of each.
        loss_is_finite: whether the loss of the whole step is, so that only gradients are at fault.
    """
    return [
        int(number)
        for part, loss in zip(parts, losses, strict=True)
        if loss_is_finite or not math.isfinite(float(loss))
        for number in part["record"]
    ]


def not_finite(
    step: int, loss: float, norm: float, records: Sequence[str], checkpoint: Path | None
) -> TrainingError:
    """The error that stops a training.

    Args:
        step: the number of the optimiser step, from 1.
        loss: of the step.
        norm: of its gradients.
        records: what the records at fault are called.
        checkpoint: the last one; None where there is none.
    """
    what = f"the gradient norm is {norm}" if math.isfinite(loss) else f"the loss is {loss}"
    last = (
        f"the last good checkpoint is {checkpoint}"
        if checkpoint
        else "no checkpoint was written yet"
    )
    return TrainingError(
        f"step {step}: {what}; records of the batch: {', '.join(records)}",
        f"look at these records (lawqa data show), or lower --learning-rate; {last}",
    )
