"""The linear layers of a model, with their LoRA weights beside them, as plain tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


class UnsupportedModelError(Exception):
    """A model that the flat forward pass does not know; the text says what it has that is not known."""


@dataclass(frozen=True)
class Lora:
    """The low-rank update of one linear layer, in the dtype of products."""

    a: torch.Tensor
    """Shape [r, in]."""
    b: torch.Tensor
    """Shape [out, r], already multiplied by alpha / r."""


@dataclass(frozen=True)
class Projection:
    """One linear layer: its frozen module and its update, never merged."""

    base: Any
    """The module below the adapter: plain or 4-bit."""
    lora: Lora | None
    """The update; None without an adapter."""

    @property
    def out_features(self) -> int:
        """How many outputs it has."""
        return int(self.base.out_features)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs of shape [tokens, out] for inputs of shape [tokens, in]."""
        result: torch.Tensor = self.base(x)
        if self.lora is None:
            return result
        return torch.addmm(result, x @ self.lora.a.t(), self.lora.b.t())


def read_projection(module: Any, dtype: torch.dtype, *, adapter: bool) -> Projection:
    """Take a linear layer apart.

    Args:
        module: a linear layer, or PEFT's LoRA layer around one.
        dtype: the dtype of products.
        adapter: whether the LoRA weights count.

    Raises:
        UnsupportedModelError: the adapter is of a kind that is not plain LoRA.
    """
    base = getattr(module, "base_layer", None)
    if base is None:
        return Projection(_plain(module), None)
    if getattr(module, "merged", False):
        raise UnsupportedModelError("an adapter that is merged into its weights")
    active = [name for name in module.active_adapters if name in getattr(module, "lora_A", {})]
    if not adapter or module.disable_adapters or not active:
        return Projection(_plain(base), None)
    if len(active) > 1 or getattr(module, "lora_variant", None):
        raise UnsupportedModelError("an adapter that is not plain LoRA, or several at once")
    name = active[0]
    a, b = module.lora_A[name], module.lora_B[name]
    if b.bias is not None:
        raise UnsupportedModelError("a LoRA layer with a bias")
    scaled = b.weight.detach().float() * module.scaling[name]
    return Projection(_plain(base), Lora(a.weight.detach().to(dtype), scaled.to(dtype)))


def _plain(module: Any) -> Any:
    if not hasattr(module, "out_features"):
        raise UnsupportedModelError(f"{type(module).__name__} where a linear layer was expected")
    return module
