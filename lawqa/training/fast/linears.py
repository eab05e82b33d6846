"""Linear layers that read the same input, with their LoRA weights (arXiv:2106.09685), forward and backward.

Query, key and value of a block are one such group, gate and up another: their weights are dequantised
into one buffer and multiplied at once, and so are their LoRA matrices A. For an input x [tokens, in]
the output is x Wᵀ + bias + s (x Aᵀ) Bᵀ, [tokens, out], the layers' outputs side by side.

Both terms are one product, [x | s x Aᵀ] [W | B]ᵀ, summed in float32 and rounded once. Added to an output that
is rounded already, an update of less than half the distance to the next number of half precision, as
LoRA's is in its first steps, would be lost; before the rounding it moves as many outputs to the next
number as make up for it on average.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lawqa.models.kernels.elementwise import Elementwise
from lawqa.models.kernels.unpacking import unpacking
from lawqa.models.projections import read_lora

_STEP = 64
"""The columns behind a weight are a multiple of this, as models' own widths are: rows of half precision then
begin at multiples of 128 bytes, which a card reads at once."""


class Workspace:
    """Memory that the dequantised weights of one group after the other use.

    Args:
        device: where it lies.
        dtype: of the weights in it.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self._buffer = torch.empty(0, device=device, dtype=dtype)

    def take(self, rows: int, columns: int) -> Tensor:
        """Return the first rows * columns values as a matrix; what it held is lost."""
        if self._buffer.numel() < rows * columns:
            self._buffer = torch.empty(
                rows * columns, device=self._buffer.device, dtype=self._buffer.dtype
            )
        return self._buffer[: rows * columns].view(rows, columns)


class LinearGroup:
    """Linear layers with the same input.

    Args:
        layers: PEFT's LoRA layers, or plain linear layers where a layer has no adapter.
        adapter: the adapter's name in PEFT.
        dtype: of products.
        dropout: the probability of dropping an input value before A.
    """

    def __init__(
        self, layers: Sequence[torch.nn.Module], adapter: str, dtype: torch.dtype, dropout: float
    ) -> None:
        self.bases = [getattr(layer, "base_layer", layer) for layer in layers]
        self.outs = [int(base.out_features) for base in self.bases]
        self.inputs = int(self.bases[0].in_features)
        self.loras = [read_lora(layer, adapter) for layer in layers]
        self.dropout = dropout
        device = self.bases[0].weight.device
        rank = sum(lora.a.shape[0] for lora in self.loras if lora is not None)
        self.extra = -(-rank // _STEP) * _STEP
        self._padded = rank < self.extra  # rows and columns beyond the ranks stay 0
        self.a = torch.zeros(self.extra, self.inputs, device=device, dtype=dtype)
        self._unpacking = unpacking(device)
        self._bias = _joined_bias(self.bases, dtype)
        self._joined = _joined_weight(self.bases, dtype, self.extra)
        self._place_parts(dtype)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """The masters: A and B of every layer that has an adapter."""
        return [p for lora in self.loras if lora is not None for p in (lora.a, lora.b)]

    @property
    def copies(self) -> list[Tensor]:
        """What products use in the place of `parameters`, in the same order; refreshed before use."""
        copies, row = [], 0
        for b in self.b:
            copies += [self.a[row : row + b.shape[1]], b]
            row += b.shape[1]
        return copies

    def weight(self, workspace: Workspace) -> Tensor:
        """Return [W | B], layers under each other, [out, in + extra]; valid until the workspace is taken.

        Behind a layer's weight its B is in the columns that its part of x Aᵀ has, with 0 beside it.
        """
        if self._joined is not None:
            return self._joined
        matrix, row = workspace.take(sum(self.outs), self.inputs + self.extra), 0
        copies, at = iter(self.b), 0
        for base, lora, out in zip(self.bases, self.loras, self.outs, strict=True):
            b = None if lora is None else next(copies)
            self._unpacking.write(base.weight, matrix[row : row + out], b, at)
            row, at = row + out, at + (0 if b is None else b.shape[1])
        return matrix

    def hold(self) -> None:
        """Dequantise the weights once and for all, where the memory holds them: the same numbers, sooner."""
        if self._joined is None:
            own = Workspace(self.a.device, self.a.dtype)
            self._joined = self.weight(own)
            self._place_parts(self.a.dtype)

    def room(self, tokens: int) -> Tensor:
        """Make an empty [tokens, in + extra]: its first `in` columns are `forward`'s input."""
        return torch.empty(
            tokens, self.inputs + self.extra, device=self.a.device, dtype=self.a.dtype
        )

    def widened(self, x: Tensor) -> Tensor:
        """Copy an input [tokens, in] to where there is room behind it; `x` itself where none is needed."""
        if not self.extra:
            return x
        wide = self.room(len(x))
        wide[:, : self.inputs] = x
        return wide

    def forward(
        self, wide: Tensor, workspace: Workspace, kernels: Elementwise, seed: int
    ) -> tuple[Tensor, Tensor]:
        """Return the output [tokens, out], and x Aᵀ [tokens, extra] for the backward pass.

        Args:
            wide: the input with room behind it, from `room` or `widened`; the room is written to.
            workspace: for the weights.
            kernels: the elementwise kernels.
            seed: of dropout; 0 for none, as outside of training.
        """
        x = wide[:, : self.inputs]
        low = self._dropped(x, kernels, seed) @ self.a.t()
        if self.extra:
            torch.mul(low, self._scaling, out=wide[:, self.inputs :])
        # The residual stream is not added here: it is in half precision, and larger.
        weight = self.weight(workspace).t()
        return wide @ weight if self._bias is None else torch.addmm(self._bias, wide, weight), low

    def backward(
        self, grad: Tensor, x: Tensor, low: Tensor, workspace: Workspace, kernels: Elementwise,
        seed: int, *, input_grad: bool = True,
    ) -> tuple[Tensor | None, list[Tensor]]:  # fmt: skip
        """Return the gradients of the input (without the residual's) and of `parameters`.

        Args:
            grad: of the output, [tokens, out].
            x: the input.
            low: x Aᵀ, [tokens, extra], from `forward`.
            workspace: for the weights.
            kernels: the elementwise kernels.
            seed: of the dropout in `forward`.
            input_grad: whether the input's gradient is wanted.
        """
        low_grad = torch.zeros_like(low) if self._padded else torch.empty_like(low)
        b_grads = []
        for columns, low_columns, b, scaling in self._parts:
            part = grad[:, columns]
            torch.mm(part, b, out=low_grad[:, low_columns])
            b_grads.append((part.t() @ low[:, low_columns]).mul_(scaling))
        for _, low_columns, _, scaling in self._parts:
            low_grad[:, low_columns] *= scaling
        dropped = self._dropped(x, kernels, seed)
        a_grad = low_grad.t() @ dropped
        del dropped
        x_grad = grad @ self.weight(workspace)[:, : self.inputs] if input_grad else None
        if x_grad is not None:
            self._add_low_(x_grad, low_grad, kernels, seed)
        return x_grad, self._by_parameter(a_grad, b_grads)

    def _add_low_(self, x_grad: Tensor, low_grad: Tensor, kernels: Elementwise, seed: int) -> None:
        if not self.b:
            return
        if self.dropout and seed:
            kernels.add_dropped(x_grad, low_grad @ self.a, self.dropout, seed)
        else:
            x_grad.addmm_(low_grad, self.a)

    def _dropped(self, x: Tensor, kernels: Elementwise, seed: int) -> Tensor:
        if not (self.dropout and seed and self.b):
            return x
        return kernels.dropout(x, self.dropout, seed)

    def _place_parts(self, dtype: torch.dtype) -> None:
        """Say where each adapter's B is, and which columns of the output and of x Aᵀ are its own."""
        self.b: list[Tensor] = []
        self._parts: list[tuple[slice, slice, Tensor, float]] = []
        scalings, column, low = [], 0, 0
        for lora, out in zip(self.loras, self.outs, strict=True):
            if lora is not None:
                rank = lora.b.shape[1]
                rows, columns = slice(column, column + out), slice(low, low + rank)
                b = (
                    torch.empty_like(lora.b, dtype=dtype)
                    if self._joined is None
                    else self._joined[rows, self.inputs + low : self.inputs + low + rank]
                )
                self.b.append(b)
                self._parts.append((rows, columns, b, lora.scaling))
                scalings += rank * [lora.scaling]
                low += rank
            column += out
        self._scaling: float | Tensor = scalings[0] if scalings else 1.0
        if len(set(scalings)) > 1:
            every = scalings + (self.extra - low) * [1.0]
            self._scaling = torch.tensor(every, device=self.a.device, dtype=torch.float32)

    def _by_parameter(self, a_grad: Tensor, b_grads: list[Tensor]) -> list[Tensor]:
        grads, row = [], 0
        for b_grad in b_grads:
            rank = b_grad.shape[1]
            grads += [a_grad[row : row + rank].float(), b_grad.float()]
            row += rank
        return grads


def dropout_seeds(count: int, *, wanted: bool) -> tuple[int, ...]:
    """Return seeds of dropout, 0 for none of it; from torch's generator of the CPU, which checkpoints
    keep.
    """
    if not wanted:
        return (0,) * count
    drawn: list[int] = torch.randint(1, 2**31 - 1, (count,)).tolist()
    return tuple(drawn)


def _joined_weight(
    bases: Sequence[torch.nn.Module], dtype: torch.dtype, extra: int
) -> Tensor | None:
    """Join weights that are not quantised, under each other with room for B; None for others.

    The layers' own weights become views of it, so that nothing is held twice and nothing copied again.
    """
    weights = [base.weight for base in bases]
    if any(hasattr(weight, "quant_state") or weight.dtype != dtype for weight in weights):
        return None
    if len(weights) == 1 and not extra:
        return weights[0].detach()
    outs, inputs = [len(weight) for weight in weights], weights[0].shape[1]
    joined = torch.zeros(sum(outs), inputs + extra, device=weights[0].device, dtype=dtype)
    for weight, rows in zip(weights, joined[:, :inputs].split(outs), strict=True):
        rows.copy_(weight.detach())
        weight.data = rows
    return joined


def _joined_bias(bases: Sequence[torch.nn.Module], dtype: torch.dtype) -> Tensor | None:
    """Return the frozen biases one after the other, [out]; None where no layer has one."""
    if all(base.bias is None for base in bases):
        return None
    parts = [
        torch.zeros(base.out_features, device=base.weight.device)
        if base.bias is None
        else base.bias.detach()
        for base in bases
    ]
    return torch.cat([part.to(dtype) for part in parts])
