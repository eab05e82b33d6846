"""The device that models run on, and what a manifest says of it."""

from __future__ import annotations

import re
from typing import Any, Literal

import torch

ComputeDtype = Literal["auto", "bfloat16", "float16", "float32"]


def pick_device() -> torch.device:
    """The current CUDA device where there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def compute_dtype(wanted: ComputeDtype, device: torch.device) -> torch.dtype:
    """The dtype of products and of weights that are not quantised.

    `auto` is bfloat16 on GPUs that have it, float16 on older ones, and float32 on a CPU, where half
    precision saves nothing.
    """
    if wanted != "auto":
        chosen: torch.dtype = getattr(torch, wanted)
        return chosen
    if device.type == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def describe_device(device: torch.device) -> dict[str, Any]:
    """Name, memory in GiB, compute capability and MIG profile, from the CUDA runtime.

    NVML is not asked: inside a MIG slice it may be denied.
    """
    if device.type != "cuda":
        return {"type": device.type}
    properties = torch.cuda.get_device_properties(device)
    profile = re.search(r"MIG (\S+)", properties.name)
    return {
        "type": "cuda",
        "name": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 2),
        "capability": f"{properties.major}.{properties.minor}",
        "mig_profile": profile[1] if profile else None,
        "cuda": torch.version.cuda,
    }


def peak_memory_gib(device: torch.device) -> float | None:
    """The most memory that tensors have held on the device, in GiB; None on a CPU."""
    if device.type != "cuda":
        return None
    peak: int = torch.cuda.max_memory_allocated(device)
    return round(peak / 2**30, 2)
