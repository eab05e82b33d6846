"""The elementwise parts of a block in plain torch: the reference, and the way where Triton cannot compile.

Every function has a twin of the same name in `triton_kernels`. Tokens are the first dimension everywhere.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Root-mean-square norm (arXiv:1910.07467) of [tokens, size], and 1 / the root mean square, [tokens]."""
    wide = x.float()
    inverse = torch.rsqrt(wide.pow(2).mean(dim=-1) + eps)
    return weight * (wide * inverse[:, None]).to(x.dtype), inverse


def rms_norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, inverse: Tensor, residual: Tensor
) -> Tensor:
    """The gradient with respect to `x`, plus the gradient that reaches `x` past the norm."""
    scaled = grad.float() * weight.float()
    unit = x.float() * inverse[:, None]
    own = (scaled - unit * (scaled * unit).mean(dim=-1, keepdim=True)) * inverse[:, None]
    return (own + residual.float()).to(x.dtype)


def heads_norm_rope(x: Tensor, weight: Tensor, cos: Tensor, sin: Tensor, eps: float) -> Tensor:
    """Norm over each head, then rotary embedding (arXiv:2104.09864).

    Args:
        x: [tokens, heads, head_dim], strided as it comes out of the product.
        weight: of the norm, [head_dim].
        cos: [tokens, head_dim].
        sin: [tokens, head_dim].
        eps: of the norm.
    """
    wide = x.float()
    unit = (wide * torch.rsqrt(wide.pow(2).mean(dim=-1, keepdim=True) + eps)).to(x.dtype)
    normed = (weight * unit).float()
    return (normed * cos[:, None].float() + _rotated(normed) * sin[:, None].float()).to(x.dtype)


def heads_norm_rope_backward(
    grad: Tensor, x: Tensor, weight: Tensor, cos: Tensor, sin: Tensor, eps: float, out: Tensor
) -> None:
    """The gradient with respect to `x`, written into `out` (strided like `x`)."""
    wide, upper = x.float(), grad.float()
    turned = upper * cos[:, None].float() - _rotated(upper * sin[:, None].float())
    inverse = torch.rsqrt(wide.pow(2).mean(dim=-1, keepdim=True) + eps)
    unit, scaled = wide * inverse, turned * weight.float()
    out.copy_((scaled - unit * (scaled * unit).mean(dim=-1, keepdim=True)) * inverse)


def swiglu(gate_up: Tensor) -> Tensor:
    """silu(gate) * up (arXiv:2002.05202) of [tokens, 2 * size], gate first; [tokens, size]."""
    gate, up = gate_up.chunk(2, dim=-1)
    return (torch.nn.functional.silu(gate.float()).to(gate.dtype)) * up


def swiglu_backward(gate_up: Tensor, grad: Tensor) -> None:
    """Put the gradients in the place of gate and up, and silu(gate) * up in the place of `grad`."""
    gate, up = (half.float() for half in gate_up.chunk(2, dim=-1))
    sigmoid = torch.sigmoid(gate)
    silu, upper = gate * sigmoid, grad.float()
    d_gate = upper * up * sigmoid * (1 + gate * (1 - sigmoid))
    d_up = upper * silu
    grad.copy_(silu * up)
    size = grad.shape[-1]
    gate_up[:, :size] = d_gate.to(gate_up.dtype)
    gate_up[:, size:] = d_up.to(gate_up.dtype)


def dropout(x: Tensor, probability: float, seed: int) -> Tensor:
    """`x` with a random share of its values set to 0 and the others scaled up; the seed decides which."""
    return x * _kept(x, probability, seed)


def add_dropped_(total: Tensor, grad: Tensor, probability: float, seed: int) -> None:
    """Add to `total` the gradient that passes back through `dropout` with this seed."""
    total += grad * _kept(grad, probability, seed)


def _kept(like: Tensor, probability: float, seed: int) -> Tensor:
    generator = torch.Generator(like.device).manual_seed(seed)
    kept = torch.rand(like.shape, device=like.device, generator=generator) >= probability
    return kept.to(like.dtype) / (1 - probability)


def _rotated(x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)
