"""`Elementwise` as Triton kernels, one launch each."""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from lawqa.models.kernels.elementwise import Activation
from lawqa.models.kernels.triton_gates import (
    add_dropped_kernel,
    dropout_kernel,
    glu_backward_kernel,
    glu_joined_kernel,
    swiglu_kernel,
    swiglu_parts_kernel,
)
from lawqa.models.kernels.triton_norms import (
    add_norm_kernel,
    norm_backward_kernel,
    norm_rotate_backward_kernel,
    norm_rotate_kernel,
)

_BLOCK = 2048


class TritonElementwise:
    """`Elementwise` with the roundings of plain torch; what may be overwritten is."""

    def add_norm(
        self, stream: Tensor, delta: Tensor | None, weight: Tensor, eps: float
    ) -> tuple[Tensor, Tensor]:
        """Do the same as `Elementwise.add_norm`."""
        tokens, hidden = stream.shape
        normed = torch.empty_like(stream)
        add_norm_kernel[(tokens,)](
            stream, stream if delta is None else delta, weight, normed, normed, eps, 0, hidden,
            HIDDEN=hidden, BLOCK=triton.next_power_of_2(hidden), PARTS=0 if delta is None else 1,
            PLANES=False, INVERSE=False, num_warps=8 if hidden >= 2048 else 4,
        )  # fmt: skip
        return stream, normed

    def norm(
        self, x: Tensor, weight: Tensor, eps: float, out: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Do the same as `Elementwise.norm`."""
        tokens, size = x.shape
        normed = torch.empty_like(x) if out is None else out
        inverse = torch.empty(tokens, dtype=torch.float32, device=x.device)
        add_norm_kernel[(tokens,)](
            x, x, weight, normed, inverse, eps, 0, normed.stride(0),
            HIDDEN=size, BLOCK=triton.next_power_of_2(size), PARTS=0,
            PLANES=False, INVERSE=True, num_warps=8,
        )  # fmt: skip
        return normed, inverse

    def norm_backward(
        self, grad: Tensor, x: Tensor, weight: Tensor, inverse: Tensor, residual: Tensor | None
    ) -> Tensor:
        """Do the same as `Elementwise.norm_backward`."""
        tokens, size = x.shape
        out = torch.empty_like(x)
        norm_backward_kernel[(tokens,)](
            grad, x, weight, inverse, grad if residual is None else residual, out, size,
            BLOCK=triton.next_power_of_2(size), RESIDUAL=residual is not None, num_warps=8,
        )  # fmt: skip
        return out

    def norm_rotate(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Do the same as `Elementwise.norm_rotate`; in place."""
        tokens, count, dim = heads.shape
        norm_rotate_kernel[(tokens,)](
            heads, heads, heads if weight is None else weight, cos, sin, eps, count * dim,
            HEADS=count, BLOCK=triton.next_power_of_2(count), HALF=dim // 2,
            HALF_BLOCK=triton.next_power_of_2(dim // 2), NORM=weight is not None, ONCE=False,
            WIDE=_wide(weight, heads),
        )  # fmt: skip
        return heads

    def norm_rotate_once(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Do the same as `Elementwise.norm_rotate_once`; a token's heads lie side by side, tokens may be
        strided.
        """
        tokens, count, dim = heads.shape
        out = torch.empty((tokens, count, dim), dtype=heads.dtype, device=heads.device)
        norm_rotate_kernel[(tokens,)](
            heads, out, heads if weight is None else weight, cos, sin, eps, heads.stride(0),
            HEADS=count, BLOCK=triton.next_power_of_2(count), HALF=dim // 2,
            HALF_BLOCK=triton.next_power_of_2(dim // 2), NORM=weight is not None, ONCE=True,
            WIDE=_wide(weight, heads),
        )  # fmt: skip
        return out

    def norm_rotate_backward(
        self, grad: Tensor, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor,
        eps: float, out: Tensor,
    ) -> None:  # fmt: skip
        """Do the same as `Elementwise.norm_rotate_backward`."""
        tokens, count, dim = heads.shape
        norm_rotate_backward_kernel[(tokens,)](
            grad, heads, heads if weight is None else weight, cos, sin, out, count,
            grad.stride(0), heads.stride(0),
            out.stride(0), dim // 2, eps,
            HEADS=triton.next_power_of_2(count), HALF=triton.next_power_of_2(dim // 2),
            NORM=weight is not None, num_warps=4,
        )  # fmt: skip

    def swiglu(self, gate: Tensor, up: Tensor) -> Tensor:
        """Do the same as `Elementwise.swiglu`; into `gate`."""
        swiglu_kernel[(triton.cdiv(gate.numel(), _BLOCK),)](gate, up, gate.numel(), BLOCK=_BLOCK)
        return gate

    def glu_joined(
        self, gate_up: Tensor, activation: Activation, out: Tensor | None = None
    ) -> Tensor:
        """Do the same as `Elementwise.glu_joined`."""
        tokens, size = gate_up.shape[0], gate_up.shape[1] // 2
        if out is None:
            out = torch.empty(tokens, size, dtype=gate_up.dtype, device=gate_up.device)
        glu_joined_kernel[(tokens, triton.cdiv(size, _BLOCK))](
            gate_up, out, size, out.stride(0), BLOCK=_BLOCK, GELU=activation == "gelu_tanh",
            num_warps=4,
        )  # fmt: skip
        return out

    def glu_backward(self, gate_up: Tensor, grad: Tensor, activation: Activation) -> None:
        """Do the same as `Elementwise.glu_backward`."""
        tokens, size = grad.shape
        glu_backward_kernel[(tokens, triton.cdiv(size, _BLOCK))](
            gate_up, grad, size, BLOCK=_BLOCK, GELU=activation == "gelu_tanh", num_warps=4
        )

    def dropout(self, x: Tensor, probability: float, seed: int) -> Tensor:
        """Do the same as `Elementwise.dropout`; drops other values than plain torch with the same seed."""
        out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        count, size = out.numel(), x.shape[-1]
        dropout_kernel[(triton.cdiv(count, _BLOCK),)](
            x, out, count, probability, seed, size, x.stride(-2), BLOCK=_BLOCK
        )
        return out

    def add_dropped(self, total: Tensor, grad: Tensor, probability: float, seed: int) -> None:
        """Do the same as `Elementwise.add_dropped`."""
        count = grad.numel()
        add_dropped_kernel[(triton.cdiv(count, _BLOCK),)](
            total, grad, count, probability, seed, BLOCK=_BLOCK
        )


def _wide(weight: Tensor | None, x: Tensor) -> bool:
    """Return whether a norm's weight is multiplied before the rounding: see `elementwise`."""
    return weight is not None and weight.dtype != x.dtype


def add_norm_in_planes(stream: Tensor, parts: Tensor | None, weight: Tensor, eps: float) -> Tensor:
    """Add partial sums to the stream, in place, and give its RMSNorm in the order of `in_planes`.

    Args:
        stream: shape [rows, hidden].
        parts: shape [parts, rows, hidden]; their sum is rounded once before it is added.
        weight: shape [hidden].
        eps: what RMSNorm adds to the mean square.
    """
    rows, hidden = stream.shape
    normed = torch.empty_like(stream)
    add_norm_kernel[(rows,)](
        stream, stream if parts is None else parts, weight, normed, normed, eps, rows * hidden,
        hidden, HIDDEN=hidden, BLOCK=triton.next_power_of_2(hidden),
        PARTS=0 if parts is None else len(parts), PLANES=True, INVERSE=False,
        num_warps=8 if hidden >= 2048 else 4,
    )  # fmt: skip
    return normed


def swiglu_in_planes(parts: Tensor, dtype: torch.dtype) -> Tensor:
    """Compute silu(gate) * up of partial sums [parts, rows, gate and up], in the order of `in_planes`."""
    count, rows, both = parts.shape
    out = torch.empty(rows, both // 2, dtype=dtype, device=parts.device)
    block = 1024
    swiglu_parts_kernel[(rows, triton.cdiv(both // 2, block))](
        parts, out, rows * both, WIDTH=both // 2, PARTS=count, BLOCK=block
    )
    return out
