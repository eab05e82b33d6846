"""Linear layers that read the same input, with their LoRA weights (arXiv:2106.09685), forward and backward.

Query, key and value of a block are one such group, gate and up another: their weights are dequantised
into one buffer and multiplied at once, and so are their LoRA matrices A. For an input x [tokens, in]
the output is x Wᵀ + bias + s (x Aᵀ) Bᵀ, [tokens, out], the layers' outputs side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lawqa.models.kernels.elementwise import Elementwise
from lawqa.models.projections import read_lora


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
        present = [lora for lora in self.loras if lora is not None]
        device = self.bases[0].weight.device
        rank = sum(lora.a.shape[0] for lora in present)
        self.a = torch.empty(rank, self.inputs, device=device, dtype=dtype)
        self.b = [torch.empty_like(lora.b, dtype=dtype) for lora in present]
        self._parts = self._place_parts()
        self._bias = _joined_bias(self.bases, dtype)
        self._joined = _joined_weight(self.bases, dtype)

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
        """Return the frozen weights under each other, [out, in]; valid until the workspace is taken again."""
        if self._joined is not None:
            return self._joined
        matrix, row = workspace.take(sum(self.outs), self.inputs), 0
        for base, out in zip(self.bases, self.outs, strict=True):
            _dequantise(base.weight, matrix[row : row + out])
            row += out
        return matrix

    def hold(self) -> None:
        """Dequantise the weights once and for all, where the memory holds them: the same numbers, sooner."""
        if self._joined is None:
            own = Workspace(self.a.device, self.a.dtype)
            self._joined = self.weight(own)

    def forward(
        self, x: Tensor, workspace: Workspace, kernels: Elementwise, seed: int
    ) -> tuple[Tensor, Tensor]:
        """Return the output [tokens, out], and x Aᵀ [tokens, rank] for the backward pass."""
        weight = self.weight(workspace)
        low = self._dropped(x, kernels, seed) @ self.a.t()
        # The residual stream is not added here: beside its large values half precision would round away
        # nearly all that LoRA adds while B is small; beside the output alone it loses what PEFT loses.
        out = x @ weight.t() if self._bias is None else torch.addmm(self._bias, x, weight.t())
        for columns, low_columns, b, scaling in self._parts:
            out[:, columns].addmm_(low[:, low_columns], b.t(), alpha=scaling)
        return out, low

    def backward(
        self, grad: Tensor, x: Tensor, low: Tensor, workspace: Workspace, kernels: Elementwise,
        seed: int, *, input_grad: bool = True,
    ) -> tuple[Tensor | None, list[Tensor]]:  # fmt: skip
        """Return the gradients of the input (without the residual's) and of `parameters`.

        Args:
            grad: of the output, [tokens, out].
            x: the input.
            low: x Aᵀ, from `forward`.
            workspace: for the weights.
            kernels: the elementwise kernels.
            seed: of the dropout in `forward`.
            input_grad: whether the input's gradient is wanted.
        """
        low_grad = torch.empty_like(low)
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
        x_grad = grad @ self.weight(workspace) if input_grad else None
        if x_grad is not None:
            self._add_low_(x_grad, low_grad, kernels, seed)
        return x_grad, self._by_parameter(a_grad, b_grads)

    def _add_low_(self, x_grad: Tensor, low_grad: Tensor, kernels: Elementwise, seed: int) -> None:
        if not self.b:
            return
        if self.dropout:
            kernels.add_dropped(x_grad, low_grad @ self.a, self.dropout, seed)
        else:
            x_grad.addmm_(low_grad, self.a)

    def _dropped(self, x: Tensor, kernels: Elementwise, seed: int) -> Tensor:
        if not self.dropout or not self.b:
            return x
        return kernels.dropout(x, self.dropout, seed)

    def _place_parts(self) -> list[tuple[slice, slice, Tensor, float]]:
        """Return for each adapter: its columns of the output and of x Aᵀ, its B, its scaling."""
        parts, column, low, copies = [], 0, 0, iter(self.b)
        for lora, out in zip(self.loras, self.outs, strict=True):
            if lora is not None:
                b = next(copies)
                rank = b.shape[1]
                parts.append((slice(column, column + out), slice(low, low + rank), b, lora.scaling))
                low += rank
            column += out
        return parts

    def _by_parameter(self, a_grad: Tensor, b_grads: list[Tensor]) -> list[Tensor]:
        grads, row = [], 0
        for b_grad in b_grads:
            rank = b_grad.shape[1]
            grads += [a_grad[row : row + rank].float(), b_grad.float()]
            row += rank
        return grads


def _joined_weight(bases: Sequence[torch.nn.Module], dtype: torch.dtype) -> Tensor | None:
    """Return weights that are not quantised, under each other in one matrix; None for others.

    The layers' own weights become views of it, so that nothing is held twice and nothing copied again.
    """
    weights = [base.weight for base in bases]
    if any(hasattr(weight, "quant_state") or weight.dtype != dtype for weight in weights):
        return None
    if len(weights) == 1:
        return weights[0].detach()
    joined = torch.cat([weight.detach() for weight in weights])
    for weight, rows in zip(weights, joined.split([len(w) for w in weights]), strict=True):
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


def _dequantise(weight: torch.nn.Parameter, out: Tensor) -> None:
    state = getattr(weight, "quant_state", None)
    if state is None:
        out.copy_(weight)
        return
    from bitsandbytes.functional import dequantize_4bit

    # bitsandbytes writes into a given tensor on a GPU only.
    if state.dtype == out.dtype and out.is_cuda:
        dequantize_4bit(weight.data, state, out=out)
    else:
        out.copy_(dequantize_4bit(weight.data, state))
