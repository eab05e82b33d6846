"""Losses and gradients that are NaN or infinite: stopped before they reach the weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lawqa.errors import TrainingError
from lawqa.models.attention.choice import FORCED

if TYPE_CHECKING:
    from torch.amp import GradScaler


def gradient_norm(model: torch.nn.Module, scaler: GradScaler | None) -> Tensor:
    """Return the norm of this process's gradients, a scalar; not finite where one of them is not.

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


def records_at_fault(parts: Sequence[Mapping[str, Tensor]], losses: Sequence[Tensor]) -> list[int]:
    """Return the numbers of the records in micro-batches whose loss is not finite.

    Args:
        parts: this process's micro-batches, with `record` of shape [records].
        losses: of each.
    """
    return [
        int(number)
        for part, loss in zip(parts, losses, strict=True)
        if not math.isfinite(float(loss))
        for number in part["record"]
    ]


def broken_gradients(model: torch.nn.Module) -> str | None:
    """Return where gradients are NaN or infinite: how many, and the first that the backward pass came to.

    The backward pass runs from the last layer to the first, and what is broken in one layer breaks all that
    come after it. So the broken layer with the highest number is where to look.

    Args:
        model: after the backward pass.

    Returns:
        What was found, in words; None where every gradient is finite.
    """
    trained = [(name, p.grad) for name, p in model.named_parameters() if p.grad is not None]
    broken = [name for name, grad in trained if not bool(_local(grad).isfinite().all())]
    if not broken:
        return None
    depths = [_depth(name) for name in broken]
    deepest = max(depths)
    modules = dict.fromkeys(
        _module(name) for name, depth in zip(broken, depths, strict=True) if depth == deepest
    )
    where = f"layer {deepest}" if deepest >= 0 else "no layer"
    return (
        f"{len(broken)} of {len(trained)} gradients are not finite, first in {where}, counted from 0 and "
        f"backward from the loss ({', '.join(modules)})"
    )


def _local(gradient: Tensor) -> Tensor:
    """Return this process's part of a gradient that may be shared out."""
    to_local = getattr(gradient, "to_local", None)
    part: Tensor = gradient if to_local is None else to_local()
    return part


def _depth(name: str) -> int:
    """Return the number of the layer that a parameter is in; -1 outside all layers."""
    place = re.search(r"\.layers?\.(\d+)\.|\.h\.(\d+)\.|\.blocks\.(\d+)\.", name)
    return -1 if place is None else int(next(number for number in place.groups() if number))


def _module(name: str) -> str:
    """Return the linear layer that an adapter's parameter is on, without what is around it."""
    return name.partition(".lora_")[0].rpartition(".")[2]


def not_finite(
    step: int,
    loss: float,
    norm: float,
    records: Sequence[str],
    gradients: str | None,
    checkpoint: Path | None,
) -> TrainingError:
    """Return the error that stops a training: what was looked at, and what was found.

    Args:
        step: the number of the optimiser step, from 1.
        loss: of the step.
        norm: of its gradients.
        records: what the records are called whose loss is not finite.
        gradients: from `broken_gradients`.
        checkpoint: the last one; None where there is none.
    """
    last = (
        f"the last good checkpoint is {checkpoint}"
        if checkpoint
        else "no checkpoint was written yet"
    )
    if not math.isfinite(loss):
        return TrainingError(
            f"step {step}: the loss is {loss}; records of the batch: {', '.join(records)}",
            f"look at these records (lawqa data show), or lower --learning-rate; {last}",
        )
    what = gradients or "every gradient alone is finite, so their sum overflowed"
    return TrainingError(
        f"step {step}: the gradient norm is {norm}, while the loss of every record is finite "
        f"({loss:.3f} on average), so the records are not at fault; {what}",
        f"lower --learning-rate; or see whether it is a kernel's fault: {FORCED}=plain lawqa train … "
        f"computes attention without fused kernels; {last}",
    )
