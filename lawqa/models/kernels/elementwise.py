"""Norms, rotations and activations between the products, in plain torch."""

from __future__ import annotations

from typing import Protocol

import torch
from torch.nn import functional

_BLOCK = 1 << 17
"""Numbers that a core takes at once: with what is made of them they stay in its own cache."""


class Elementwise(Protocol):
    """What stands between the products of a decoder layer; rounded as transformers rounds it."""

    def add_norm(
        self,
        stream: torch.Tensor,
        delta: torch.Tensor | None,
        weight: torch.Tensor,
        eps: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The stream with `delta` added, and its RMSNorm; both of shape [tokens, hidden].

        The stream given may be overwritten.
        """

    def norm_rotate(
        self,
        heads: torch.Tensor,
        weight: torch.Tensor | None,
        cos: torch.Tensor,
        sin: torch.Tensor,
        eps: float,
    ) -> torch.Tensor:
        """RMSNorm on each head where there is a weight, then the rotary embedding.

        Args:
            heads: shape [tokens, heads, dim]; may be overwritten.
            weight: shape [dim].
            cos: shape [tokens, dim / 2].
            sin: shape [tokens, dim / 2].
            eps: what RMSNorm adds to the mean square.
        """

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """silu(gate) * up, shape [tokens, intermediate]; both may be overwritten."""


class TorchElementwise:
    """Elementwise in plain torch: the reference for all others."""

    def add_norm(
        self,
        stream: torch.Tensor,
        delta: torch.Tensor | None,
        weight: torch.Tensor,
        eps: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As `Elementwise.add_norm`."""
        if delta is not None:
            stream = stream + delta
        return stream, _rms_norm(stream, weight, eps)

    def norm_rotate(
        self,
        heads: torch.Tensor,
        weight: torch.Tensor | None,
        cos: torch.Tensor,
        sin: torch.Tensor,
        eps: float,
    ) -> torch.Tensor:
        """As `Elementwise.norm_rotate`."""
        if weight is not None:
            heads = _rms_norm(heads, weight, eps)
        first, second = heads.chunk(2, dim=-1)
        cos, sin = cos[:, None], sin[:, None]
        return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """As `Elementwise.swiglu`."""
        return functional.silu(gate) * up


class CpuElementwise(TorchElementwise):
    """The same numbers to the last bit, with less traffic: a CPU waits for memory, fresh pages above all."""

    def add_norm(
        self,
        stream: torch.Tensor,
        delta: torch.Tensor | None,
        weight: torch.Tensor,
        eps: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As `Elementwise.add_norm`."""
        return super().add_norm(stream if delta is None else stream.add_(delta), None, weight, eps)

    def norm_rotate(
        self,
        heads: torch.Tensor,
        weight: torch.Tensor | None,
        cos: torch.Tensor,
        sin: torch.Tensor,
        eps: float,
    ) -> torch.Tensor:
        """As `Elementwise.norm_rotate`."""
        block = max(1, _BLOCK * torch.get_num_threads() // heads[0].numel())
        for start in range(0, len(heads), block):
            rows = slice(start, start + block)
            heads[rows] = super().norm_rotate(heads[rows], weight, cos[rows], sin[rows], eps)
        return heads

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """As `Elementwise.swiglu`."""
        return functional.silu(gate, inplace=True).mul_(up)


def _rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    wide = x.float()
    wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return weight * wide.to(x.dtype)
