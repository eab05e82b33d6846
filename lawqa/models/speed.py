"""How fast a device multiplies and copies: the two rates that every other speed follows from."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

_ROWS, _WIDTH = 4096, 4096
"""A product of [rows, width] and [width, width], about the size of a linear layer of an 8B model."""
_COPIED = 256 * 2**20
"""Bytes of the tensor that is copied; far more than a cache holds."""
_ON_CPU = 8
"""How many times smaller both are on a CPU."""
_LEAST_SECONDS = 0.3
"""Each rate is the fastest of the runs that fit this time: other work on the card only slows them."""


def product_tflops(device: torch.device, dtype: torch.dtype) -> float:
    """Return the rate of a large matrix product, in 10^12 floating-point operations a second."""
    rows, width = (
        (_ROWS, _WIDTH) if device.type == "cuda" else (_ROWS // _ON_CPU, _WIDTH // _ON_CPU)
    )
    left = torch.randn(rows, width, device=device, dtype=dtype)
    right = torch.randn(width, width, device=device, dtype=dtype)
    return 2 * rows * width * width / _fastest(lambda: left @ right, device) / 1e12


def memory_gb_per_second(device: torch.device) -> float:
    """Return the rate at which a copy reads and writes memory, in 10^9 bytes a second, both counted."""
    size = _COPIED if device.type == "cuda" else _COPIED // _ON_CPU
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / _fastest(lambda: target.copy_(source), device) / 1e9


def wait_for(device: torch.device) -> None:
    """Return when the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _fastest(run: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of the fastest of several runs; the first is not counted."""
    run()
    wait_for(device)
    best, ends = float("inf"), time.perf_counter() + _LEAST_SECONDS
    while time.perf_counter() < ends:
        began = time.perf_counter()
        run()
        wait_for(device)
        best = min(best, time.perf_counter() - began)
    return best
