"""The linear layers of a model, with their LoRA weights beside them, as plain tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch


class UnsupportedModelError(Exception):
    """A model that the flat forward pass does not know; the text says what it has that is not known."""


@dataclass(frozen=True)
class Lora:
    """The low-rank update of one linear layer: scaling * B A (arXiv:2106.09685)."""

    a: torch.Tensor
    """Shape [r, in]."""
    b: torch.Tensor
    """Shape [out, r]."""
    scaling: float = 1.0
    """alpha / r, or alpha / sqrt(r); 1 where it is already in B."""

    def folded(self, dtype: torch.dtype) -> Lora:
        """Return the same update in the dtype of products, detached; the scaling multiplied into B in
        float32.
        """
        scaled = self.b.detach().float() * self.scaling
        return Lora(self.a.detach().to(dtype), scaled.to(dtype))


@dataclass(frozen=True)
class Projection:
    """One linear layer: its frozen module and its update, never merged."""

    base: torch.nn.Module
    """The module below the adapter: plain or 4-bit."""
    lora: Lora | None
    """The update, folded; None without an adapter."""

    @property
    def out_features(self) -> int:
        """How many outputs it has."""
        return int(self.base.out_features)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs of shape [tokens, out] for inputs of shape [tokens, in]."""
        result: torch.Tensor = self.base(x)
        if self.lora is None:
            return result
        return torch.addmm(result, x @ self.lora.a.t(), self.lora.b.t())


def read_projection(module: torch.nn.Module, dtype: torch.dtype, *, adapter: bool) -> Projection:
    """Take a linear layer apart.

    Args:
        module: a linear layer, or PEFT's layer around one.
        dtype: the dtype of products.
        adapter: whether the LoRA weights count; without them a layer of any kind of adapter will do.

    Raises:
        UnsupportedModelError: the adapter is of a kind that is not plain LoRA.
    """
    base = frozen(module)
    if base is module or not adapter or module.disable_adapters:
        return Projection(_plain(base), None)
    reason = plain_lora_obstacle(module)
    if reason is not None:
        raise UnsupportedModelError(reason)
    lora = read_lora(module, module.active_adapters[0])
    return Projection(_plain(base), None if lora is None else lora.folded(dtype))


def read_lora(module: torch.nn.Module, adapter: str) -> Lora | None:
    """Return the weights that PEFT's layer has for an adapter, themselves; None where it has none of that
    name.
    """
    if not hasattr(module, "lora_A") or adapter not in module.lora_A:
        return None
    a, b = module.lora_A[adapter].weight, module.lora_B[adapter].weight
    return Lora(a, b, float(module.scaling[adapter]))


def frozen(module: torch.nn.Module) -> torch.nn.Module:
    """Return the base model's own module below every layer that an adapter put around it.

    Raises:
        UnsupportedModelError: an adapter is merged into its weights.
    """
    while is_adapter_layer(module):
        if getattr(module, "merged", False):
            raise UnsupportedModelError("an adapter that is merged into its weights")
        below = getattr(module, "base_layer", None)
        module = module.original_module if below is None else below
    return module


def is_adapter_layer(module: torch.nn.Module) -> bool:
    """Return whether an adapter put this module into the model, around one of the model's own."""
    own = type(module).__module__.partition(".")[0] != "peft"
    return not own and (hasattr(module, "base_layer") or hasattr(module, "original_module"))


def plain_lora_obstacle(module: torch.nn.Module) -> str | None:
    """Return why a layer of an adapter is more than a product with two low-rank matrices; None where it is
    not.
    """
    active = list(getattr(module, "active_adapters", ()))
    known = type(module).__module__.startswith("peft.tuners.lora.")
    known = known and type(module).__name__ in ("Linear", "Linear4bit", "Linear8bitLt")
    if not known or len(active) != 1 or is_adapter_layer(module.base_layer):
        return f"an adapter that is not plain LoRA ({type(module).__name__})"
    (name,) = active
    if not {*module.lora_A} == {*module.lora_B} == {name} or name not in module.scaling:
        return f"an adapter that is not plain LoRA ({type(module).__name__}), or several at once"
    variant = getattr(module, "lora_variant", None) or {}
    if name in variant:
        return f"an adapter that is not plain LoRA ({type(variant[name]).__name__})"
    if module.lora_B[name].bias is not None:
        return "a LoRA layer with a bias"
    return None


def _plain(module: torch.nn.Module) -> torch.nn.Module:
    if not hasattr(module, "out_features"):
        raise UnsupportedModelError(f"{type(module).__name__} where a linear layer was expected")
    return module
