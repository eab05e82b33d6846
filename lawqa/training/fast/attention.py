"""Causal attention over packed records: no record sees another."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor


class FlashAttention:
    """torch's own FlashAttention-2 kernels (arXiv:2307.08691) for records of different lengths."""

    @staticmethod
    def forward(
        q: Tensor, k: Tensor, v: Tensor, starts: Tensor, longest: int, scale: float
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The output [tokens, heads, head_dim], and what `backward` wants besides.

        Args:
            q: [tokens, heads, head_dim].
            k: [tokens, key-value heads, head_dim].
            v: like `k`.
            starts: int32, where each record starts, and the end of the last.
            longest: tokens of the longest record.
            scale: the factor before the softmax.
        """
        out, sums, seed, offset, _ = torch.ops.aten._flash_attention_forward(
            q, k, v, starts, starts, longest, longest, 0.0, True, False, scale=scale
        )
        return out, (sums, seed, offset)

    @staticmethod
    def backward(
        grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, kept: tuple[Tensor, ...],
        starts: Tensor, longest: int, scale: float,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """The gradients of q, k and v."""
        sums, seed, offset = kept
        grads: tuple[Tensor, Tensor, Tensor] = torch.ops.aten._flash_attention_backward(
            grad, q, k, v, out, sums, starts, starts, longest, longest, 0.0, True, seed, offset,
            scale=scale,
        )  # fmt: skip
        return grads


class PlainAttention:
    """One record after the other through `scaled_dot_product_attention`; differentiated by autograd."""

    @staticmethod
    def forward(
        q: Tensor, k: Tensor, v: Tensor, starts: Tensor, longest: int, scale: float
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See `FlashAttention.forward`."""
        del longest
        return _by_record(q, k, v, starts, scale), ()

    @staticmethod
    def backward(
        grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, kept: tuple[Tensor, ...],
        starts: Tensor, longest: int, scale: float,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """See `FlashAttention.backward`."""
        del out, kept, longest
        with torch.enable_grad():
            inputs = [tensor.detach().requires_grad_() for tensor in (q, k, v)]
            again = _by_record(inputs[0], inputs[1], inputs[2], starts, scale)
        grads = torch.autograd.grad(again, inputs, grad)
        return grads[0], grads[1], grads[2]


def _by_record(q: Tensor, k: Tensor, v: Tensor, starts: Tensor, scale: float) -> Tensor:
    bounds = starts.tolist()
    pieces = []
    for start, end in pairwise(bounds):
        rows = (tensor[start:end].transpose(0, 1)[None] for tensor in (q, k, v))
        piece = torch.nn.functional.scaled_dot_product_attention(
            *rows, is_causal=True, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
        )
        pieces.append(piece[0].transpose(0, 1))
    return torch.cat(pieces)
