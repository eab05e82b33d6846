"""Linear layers that read the same input, with their LoRA weights (arXiv:2106.09685), forward and backward.

Query, key and value of a block are one such group, gate and up another: their weights are dequantised
into one buffer and multiplied at once, and so are their LoRA matrices A. For an input x [tokens, in]
the output is x Wᵀ + bias + s (x Aᵀ) Bᵀ, [tokens, out], the layers' outputs side by side.

Both terms are one product, [x | x Aᵀ] [W | s B]ᵀ, summed in float32 and rounded once. Added to an output that
is rounded already, an update of less than half the distance to the next number of half precision, as
LoRA's is in its first steps, would be lost; before the rounding it moves as many outputs to the next
number as make up for it on average.

Behind the weights of several layers s B is block-diagonal. The backward pass takes it as the one matrix
that it is: the zeros cost a card less than a product for each layer costs the host that starts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Copied:
    """A LoRA matrix in the dtype of products, and where its numbers come from."""

    copy: Tensor
    """What products use: of A itself, of B times the scaling."""
    master: Tensor
    """The parameter, in float32."""
    scaling: float
    """The factor between them."""


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
        self._rank = sum(lora.a.shape[0] for lora in self.loras if lora is not None)
        self.extra = -(-self._rank // _STEP) * _STEP
        # Rows and columns beyond the ranks stay 0.
        self.a = torch.zeros(self.extra, self.inputs, device=device, dtype=dtype)
        self._unpacking = unpacking(device)
        self._bias = _joined_bias(self.bases, dtype)
        self._joined = _joined_weight(self.bases, dtype, self.extra)
        self._scalings = torch.tensor(
            [[lora.scaling] for lora in self.loras if lora is not None],
            device=device, dtype=torch.float32,
        )  # fmt: skip
        self._place_parts(dtype)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """The masters: A and B of every layer that has an adapter."""
        return [p for lora in self.loras if lora is not None for p in (lora.a, lora.b)]

    @property
    def copied(self) -> list[Copied]:
        """What products use in the place of `parameters`; `refresh` before use."""
        copied, row = [], 0
        for lora, b in zip((lora for lora in self.loras if lora is not None), self.b, strict=True):
            copied.append(Copied(self.a[row : row + b.shape[1]], lora.a, 1.0))
            copied.append(Copied(b, lora.b, lora.scaling))
            row += b.shape[1]
        return copied

    def weight(self, workspace: Workspace) -> Tensor:
        """Return [W | s B], layers under each other, [out, in + extra]; valid until the workspace is taken.

        Behind a layer's weight its s B is in the columns that its part of x Aᵀ has, with 0 beside it.
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
            wide[:, self.inputs :] = low
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
        if not self.b:
            return (grad @ self.weight(workspace) if input_grad else None), []
        # Products of `grad` with W and s B apart: their results have rows without gaps.
        weight = self.weight(workspace)
        low_grad = grad @ weight[:, self.inputs :]
        b_grads = grad.t() @ low
        dropped = self._dropped(x, kernels, seed)
        # Without the rows beyond the ranks: gradients stay until the step, and would keep those too.
        a_grads = (low_grad.t() @ dropped)[: self._rank].float()
        del dropped
        x_grad = grad @ weight[:, : self.inputs] if input_grad else None
        if x_grad is not None:
            self._add_low_(x_grad, low_grad, kernels, seed)
        return x_grad, self._by_parameter(a_grads, b_grads)

    def _add_low_(self, x_grad: Tensor, low_grad: Tensor, kernels: Elementwise, seed: int) -> None:
        if self.dropout and seed:
            kernels.add_dropped(x_grad, low_grad @ self.a, self.dropout, seed)
        else:
            x_grad.addmm_(low_grad, self.a)

    def _dropped(self, x: Tensor, kernels: Elementwise, seed: int) -> Tensor:
        if not (self.dropout and seed and self.b):
            return x
        return kernels.dropout(x, self.dropout, seed)

    def _place_parts(self, dtype: torch.dtype) -> None:
        """Say where each adapter's s B is, and which rows and columns of all of them are its own."""
        self.b: list[Tensor] = []
        self._parts: list[tuple[slice, slice]] = []
        column, low = 0, 0
        for lora, out in zip(self.loras, self.outs, strict=True):
            if lora is not None:
                rank = lora.b.shape[1]
                rows, columns = slice(column, column + out), slice(low, low + rank)
                self.b.append(
                    torch.empty_like(lora.b, dtype=dtype)
                    if self._joined is None
                    else self._joined[rows, self.inputs + low : self.inputs + low + rank]
                )
                self._parts.append((rows, columns))
                low += rank
            column += out

    def _by_parameter(self, a_grads: Tensor, b_grads: Tensor) -> list[Tensor]:
        """Divide the gradients of all A, [ranks, in], and of all of s B, [out, extra], among `parameters`."""
        grads: list[Tensor] = []
        scalings = self._scalings.unbind()
        for (rows, columns), scaling in zip(self._parts, scalings, strict=True):
            # A product with float32 is in float32: one kernel scales and converts.
            grads += [a_grads[columns], b_grads[rows, columns] * scaling]
        return grads


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


def dropout_seeds(count: int, *, wanted: bool) -> tuple[int, ...]:
    """Return seeds of dropout, 0 for none of it; from torch's generator of the CPU, which checkpoints
    keep.
    """
    if not wanted:
        return (0,) * count
    drawn: list[int] = torch.randint(1, 2**31 - 1, (count,)).tolist()
    return tuple(drawn)


class Copies:
    """The LoRA matrices that products use, and when they are made again from the masters.

    Args:
        groups: every group of a model.
    """

    def __init__(self, groups: Sequence[LinearGroup]) -> None:
        self.groups = groups
        self._lists = _alike([each for group in groups for each in group.copied])
        self._in_step = self._fresh = False

    def begin_step(self) -> None:
        """Promise that the masters change no more before this is called again, once a loss was computed."""
        self._in_step, self._fresh = True, False

    def refresh(self) -> None:
        """Copy the masters as they are; within a step only the first time."""
        if self._fresh:
            return
        with torch.no_grad():
            for scaling, copies, masters in self._lists:
                scaled = masters if scaling == 1.0 else torch._foreach_mul(masters, scaling)
                torch._foreach_copy_(copies, scaled)
        self._fresh = self._in_step


def _alike(copied: Sequence[Copied]) -> list[tuple[float, list[Tensor], list[Tensor]]]:
    """Return scaling, copies and masters of what few kernels can copy together.

    One copy with gaps between its rows would make torch copy all beside it one by one.
    """
    lists: dict[tuple[float, bool], tuple[list[Tensor], list[Tensor]]] = {}
    for each in copied:
        key = (each.scaling, each.copy.is_contiguous())
        copies, masters = lists.setdefault(key, ([], []))
        copies.append(each.copy)
        masters.append(each.master)
    return [(scaling, *pair) for (scaling, _), pair in lists.items()]
