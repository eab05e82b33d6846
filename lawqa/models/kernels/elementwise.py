"""Norms, rotations and activations between the products of a decoder layer: what they are, in plain torch.

One set serves answering and training. Tokens are the first dimension everywhere; cosines and sines have
the shape [tokens, dim / 2]. Answering rounds where transformers rounds (`add_norm`, `norm_rotate`,
`swiglu`) and may overwrite what it is given; training needs its inputs again for the backward pass, and
rotates in float32 with one rounding at the end (`norm_rotate_once`).

Two families of RMSNorm are in use, and a norm's weight says which it is: beside half precision a weight in
half precision is multiplied after the rounding (Llama, Qwen, Mistral), one in float32 before it (Gemma,
whose weight is 1 + w).
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional

Activation = Literal["silu", "gelu_tanh"]
"""What a gated MLP applies to its gate."""

_GELU_SCALE, _GELU_CUBE = 0.7978845608028654, 0.044715
"""sqrt(2 / pi), and the weight of the cube inside GELU's tanh."""

_BLOCK = 1 << 17
"""Numbers that a core takes at once: with what is made of them they stay in its own cache."""


class Elementwise(Protocol):
    """What lies between the products of a decoder layer, forward and backward."""

    def add_norm(
        self, stream: Tensor, delta: Tensor | None, weight: Tensor, eps: float
    ) -> tuple[Tensor, Tensor]:
        """Return the stream with `delta` added, and its RMSNorm; both of shape [tokens, hidden].

        The stream given may be overwritten.
        """

    def norm_rotate(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Apply RMSNorm on each head where there is a weight, then the rotary embedding (arXiv:2104.09864).

        Every product is rounded, as in transformers.

        Args:
            heads: shape [tokens, heads, dim], contiguous; may be overwritten.
            weight: shape [dim].
            cos: shape [tokens, dim / 2].
            sin: shape [tokens, dim / 2].
            eps: what RMSNorm adds to the mean square.
        """

    def swiglu(self, gate: Tensor, up: Tensor) -> Tensor:
        """Compute silu(gate) * up (arXiv:2002.05202), shape [tokens, intermediate]; both may be
        overwritten.
        """

    def norm(
        self, x: Tensor, weight: Tensor, eps: float, out: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Apply RMSNorm (arXiv:1910.07467) to [tokens, size]; give 1 / the root mean square too, [tokens].

        The former is written into `out` where that is given; its rows may lie apart.
        """

    def norm_backward(
        self, grad: Tensor, x: Tensor, weight: Tensor, inverse: Tensor, residual: Tensor | None
    ) -> Tensor:
        """Return the gradient with respect to `x`, plus the gradient that reaches `x` past the
        norm, if any.
        """

    def norm_rotate_once(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Do the same as `norm_rotate`, in float32 and rounded at the end; `heads` may be strided, and is
        kept.
        """

    def norm_rotate_backward(
        self, grad: Tensor, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor,
        eps: float, out: Tensor,
    ) -> None:  # fmt: skip
        """Write the gradient of `norm_rotate_once` with respect to `heads` into `out`."""

    def glu_joined(
        self, gate_up: Tensor, activation: Activation, out: Tensor | None = None
    ) -> Tensor:
        """Compute act(gate) * up of [tokens, 2 * size], gate first; [tokens, size], nothing overwritten.

        Into `out` where that is given; its rows may lie apart.
        """

    def glu_backward(self, gate_up: Tensor, grad: Tensor, activation: Activation) -> None:
        """Put the gradients in the place of gate and up, and act(gate) * up in the place of `grad`."""

    def dropout(self, x: Tensor, probability: float, seed: int) -> Tensor:
        """Set a random share of the values of `x` to 0 and scale the others up; the seed decides which.

        Rows of `x` may lie apart, which changes nothing; those of the result do not.
        """

    def add_dropped(self, total: Tensor, grad: Tensor, probability: float, seed: int) -> None:
        """Add to `total`, in place, the gradient that passes back through `dropout` with this seed."""


class TorchElementwise:
    """Elementwise in plain torch: the reference for all others."""

    def add_norm(
        self, stream: Tensor, delta: Tensor | None, weight: Tensor, eps: float
    ) -> tuple[Tensor, Tensor]:
        """Do the same as `Elementwise.add_norm`."""
        if delta is not None:
            stream = stream + delta
        return stream, _rms_norm(stream, weight, eps)[0]

    def norm_rotate(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Do the same as `Elementwise.norm_rotate`."""
        if weight is not None:
            heads = _rms_norm(heads, weight, eps)[0]
        return _rotated(heads, cos, sin)

    def swiglu(self, gate: Tensor, up: Tensor) -> Tensor:
        """Do the same as `Elementwise.swiglu`; into `gate`."""
        return functional.silu(gate, inplace=True).mul_(up)

    def norm(
        self, x: Tensor, weight: Tensor, eps: float, out: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Do the same as `Elementwise.norm`."""
        normed, inverse = _rms_norm(x, weight, eps)
        return _into(out, normed), inverse[:, 0]

    def norm_backward(
        self, grad: Tensor, x: Tensor, weight: Tensor, inverse: Tensor, residual: Tensor | None
    ) -> Tensor:
        """Do the same as `Elementwise.norm_backward`."""
        own = _rms_norm_grad(grad.float(), x.float(), weight, inverse[:, None])
        return (own if residual is None else own + residual.float()).to(x.dtype)

    def norm_rotate_once(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Do the same as `Elementwise.norm_rotate_once`."""
        normed = heads if weight is None else _rms_norm(heads, weight, eps)[0]
        return _rotated(normed.float(), cos.float(), sin.float()).to(heads.dtype)

    def norm_rotate_backward(
        self, grad: Tensor, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor,
        eps: float, out: Tensor,
    ) -> None:  # fmt: skip
        """Do the same as `Elementwise.norm_rotate_backward`."""
        turned_back = _rotated(grad.float(), cos.float(), -sin.float())
        if weight is None:
            out.copy_(turned_back)
            return
        wide = heads.float()
        inverse = torch.rsqrt(wide.pow(2).mean(dim=-1, keepdim=True) + eps)
        out.copy_(_rms_norm_grad(turned_back, wide, weight, inverse))

    def glu_joined(
        self, gate_up: Tensor, activation: Activation, out: Tensor | None = None
    ) -> Tensor:
        """Do the same as `Elementwise.glu_joined`."""
        gate, up = gate_up.chunk(2, dim=-1)
        return _into(out, _activated(gate.float(), activation)[0].to(gate.dtype) * up)

    def glu_backward(self, gate_up: Tensor, grad: Tensor, activation: Activation) -> None:
        """Do the same as `Elementwise.glu_backward`."""
        gate, up = (half.float() for half in gate_up.chunk(2, dim=-1))
        acted, slope = _activated(gate, activation)
        upper = grad.float()
        gate_grad = upper * up * slope
        up_grad = upper * acted
        grad.copy_(acted * up)
        size = grad.shape[-1]
        gate_up[:, :size] = gate_grad.to(gate_up.dtype)
        gate_up[:, size:] = up_grad.to(gate_up.dtype)

    def dropout(self, x: Tensor, probability: float, seed: int) -> Tensor:
        """Do the same as `Elementwise.dropout`."""
        return x.contiguous() * _dropout_mask(x, probability, seed)

    def add_dropped(self, total: Tensor, grad: Tensor, probability: float, seed: int) -> None:
        """Do the same as `Elementwise.add_dropped`."""
        total += grad * _dropout_mask(grad, probability, seed)


class CpuElementwise(TorchElementwise):
    """The same numbers to the last bit, with less traffic: a CPU waits for memory, new pages above all."""

    def add_norm(
        self, stream: Tensor, delta: Tensor | None, weight: Tensor, eps: float
    ) -> tuple[Tensor, Tensor]:
        """Do the same as `Elementwise.add_norm`; adds in place."""
        return super().add_norm(stream if delta is None else stream.add_(delta), None, weight, eps)

    def norm_rotate(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Do the same as `Elementwise.norm_rotate`; in place, block by block."""
        block = max(1, _BLOCK * torch.get_num_threads() // heads[0].numel())
        for start in range(0, len(heads), block):
            rows = slice(start, start + block)
            heads[rows] = super().norm_rotate(heads[rows], weight, cos[rows], sin[rows], eps)
        return heads

    def swiglu(self, gate: Tensor, up: Tensor) -> Tensor:
        """Do the same as `Elementwise.swiglu`; into `gate`."""
        return functional.silu(gate, inplace=True).mul_(up)


def _into(out: Tensor | None, result: Tensor) -> Tensor:
    return result if out is None else out.copy_(result)


def _rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Apply RMSNorm over the last dimension, rounded where the model rounds; and 1 / the root."""
    wide = x.float()
    inverse = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    if weight.dtype != x.dtype:
        return (wide * inverse * weight).to(x.dtype), inverse
    return weight * (wide * inverse).to(x.dtype), inverse


def _rms_norm_grad(grad: Tensor, x: Tensor, weight: Tensor, inverse: Tensor) -> Tensor:
    """Return the gradient with respect to `x`; `grad`, `x` and `inverse` in float32."""
    scaled, unit = grad * weight.float(), x * inverse
    return (scaled - unit * (scaled * unit).mean(dim=-1, keepdim=True)) * inverse


def _rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return [tokens, heads, dim] turned by the angles; with -sin it is turned back."""
    first, second = heads.chunk(2, dim=-1)
    cos, sin = cos[:, None], sin[:, None]
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def _activated(gate: Tensor, activation: Activation) -> tuple[Tensor, Tensor]:
    """Return the activation of float32 numbers, and its slope."""
    if activation == "silu":
        sigmoid = torch.sigmoid(gate)
        return gate * sigmoid, sigmoid * (1 + gate * (1 - sigmoid))
    # GELU by tanh (arXiv:1606.08415): 0.5 * (1 + tanh(z)) is a sigmoid of 2 z.
    inner = 2 * _GELU_SCALE * (gate + _GELU_CUBE * gate.pow(3))
    sigmoid = torch.sigmoid(inner)
    rise = 2 * _GELU_SCALE * (1 + 3 * _GELU_CUBE * gate.pow(2))
    return gate * sigmoid, sigmoid * (1 + gate * (1 - sigmoid) * rise)


def _dropout_mask(like: Tensor, probability: float, seed: int) -> Tensor:
    generator = torch.Generator(like.device).manual_seed(seed)
    kept = torch.rand(like.shape, device=like.device, generator=generator) >= probability
    return kept.to(like.dtype) / (1 - probability)
