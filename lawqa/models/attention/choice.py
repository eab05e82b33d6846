"""Which attention kernels a device, a number type and a head allow; the one place that decides it."""

from __future__ import annotations

import os
from typing import Literal, cast, get_args

import torch

from lawqa.errors import ConfigError
from lawqa.models.kernels.triton_probe import triton_obstacle

AttentionKind = Literal["flash", "memory", "plain", "capped"]
"""FlashAttention-2 (arXiv:2307.08691); torch's memory-efficient kernels (arXiv:2112.05682), which know every
card since 2017; products and a softmax written out; Triton kernels for scores that are capped."""

FORCED = "LAWQA_ATTENTION"
"""The environment variable that takes the place of the choice: to test on one card what another would run."""

_WIDEST_HEAD = 256
"""Numbers of a head, beyond which FlashAttention has no kernels."""
_WIDEST_SMALL_HEAD = 192
"""The same for gradients on cards with less shared memory than an A100."""


def attention_kind(
    device: torch.device,
    dtype: torch.dtype,
    head_dim: int,
    *,
    softcap: bool = False,
    gradients: bool = False,
) -> AttentionKind:
    """Return the fastest kind that is right here.

    Args:
        device: where queries, keys and values are.
        dtype: theirs.
        head_dim: numbers of a head.
        softcap: whether scores are capped by a tanh (Gemma 2), which no fused kernel of torch knows.
        gradients: whether there is a backward pass.

    Raises:
        ConfigError: `LAWQA_ATTENTION` is none of the kinds.
    """
    if softcap:
        return "plain" if _capped_kernels_obstacle(device, dtype, head_dim) else "capped"
    obstacle = flash_attention_obstacle(device, dtype, head_dim, gradients=gradients)
    if obstacle is None:
        return "flash"
    return "plain" if forced_kind() == "plain" else "memory"


def flash_attention_obstacle(
    device: torch.device, dtype: torch.dtype, head_dim: int, *, gradients: bool = False
) -> str | None:
    """Return why torch's FlashAttention-2 kernels cannot run; None where they can.

    Args:
        device: where the model is.
        dtype: of queries, keys and values.
        head_dim: numbers of a head.
        gradients: whether there is a backward pass.

    Raises:
        ConfigError: `LAWQA_ATTENTION` is none of the kinds.
    """
    if (forced := forced_kind()) in ("memory", "plain"):
        return f"{FORCED}={forced} asks for other kernels"
    if device.type != "cuda":
        return f"no CUDA device (the model is on {device.type})"
    capability = torch.cuda.get_device_capability(device)
    if capability < (8, 0):
        return "this GPU is older than FlashAttention's kernels (compute capability 8.0)"
    if dtype not in (torch.bfloat16, torch.float16):
        return f"FlashAttention has no kernels for {str(dtype).removeprefix('torch.')}"
    if head_dim > _WIDEST_HEAD or head_dim % 8:
        return f"FlashAttention has no kernels for heads of {head_dim} numbers"
    if gradients and head_dim > _WIDEST_SMALL_HEAD and capability not in ((8, 0), (9, 0)):
        return (
            f"FlashAttention's gradients for heads of {head_dim} numbers need more shared memory than "
            f"compute capability {capability[0]}.{capability[1]} has"
        )
    return None


def _capped_kernels_obstacle(device: torch.device, dtype: torch.dtype, head_dim: int) -> str | None:
    """Return why `triton_capped` cannot run; None where it can."""
    if (forced := forced_kind()) not in (None, "flash", "capped"):
        return f"{FORCED}={forced} asks for other kernels"
    if dtype not in (torch.bfloat16, torch.float16):
        return f"no kernels for {str(dtype).removeprefix('torch.')}"
    if head_dim > _WIDEST_HEAD:
        return f"no kernels for heads of {head_dim} numbers"
    return triton_obstacle(device)


def forced_kind() -> AttentionKind | None:
    """Return what `LAWQA_ATTENTION` asks for; None where it is not set.

    Raises:
        ConfigError: it is none of the kinds.
    """
    asked = os.environ.get(FORCED, "")
    if not asked:
        return None
    if asked not in get_args(AttentionKind):
        raise ConfigError(
            f"{FORCED} is {asked!r}, expected one of {', '.join(get_args(AttentionKind))}",
            f"unset {FORCED}: lawqa chooses by itself",
        )
    return cast("AttentionKind", asked)


def keep_to_safe_kernels() -> None:
    """Take cuDNN's attention out of what torch chooses from, for this process.

    With heads of 256 numbers and a mask torch 2.11 prefers it on a Hopper card, and there its gradients came
    out as NaN within 3 to 98 steps, after 22 to 44 ms of planning a call.
    """
    torch.backends.cuda.enable_cudnn_sdp(False)
