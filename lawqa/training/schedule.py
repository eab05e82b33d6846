"""The learning rate of every step."""

from __future__ import annotations

import math

from lawqa.settings import Schedule


def rate_at(step: int, warmup_steps: int, total_steps: int, schedule: Schedule = "cosine") -> float:
    """Return the share of the highest learning rate at a step: a line up, then as the schedule says.

    Args:
        step: optimiser steps taken before this one.
        warmup_steps: steps below the highest rate at the beginning.
        total_steps: all steps.
        schedule: half a cosine down, a line down, or constant.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    done = min((step - warmup_steps) / max(total_steps - warmup_steps, 1), 1.0)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1.0 - done if schedule == "linear" else 1.0
