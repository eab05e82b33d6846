"""Models without storage, of which only names, shapes and kinds are asked; made without torch's compiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_NOWHERE = torch.device("meta")
_FILLING = frozenset((
    "constant_", "fill_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "trunc_normal_",
    "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_", "zero_",
))  # fmt: skip


class QuickWithoutStorage(TorchFunctionMode):  # type: ignore[misc]  # torch gives it no types
    """Lets a model without storage be made without torch's compiler.

    Of tensors without storage torch computes the shapes of some results in Python, for which it imports
    sympy and its compiler: three seconds. Two kinds are met in every model. Filling one changes nothing, and
    is left out. Rotary frequencies are made of `torch.arange`: it is taken on the CPU, and transformers makes
    them again on the device; a range that meets a tensor without storage loses its own.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """See `torch.overrides.TorchFunctionMode`."""
        options = dict(kwargs or {})
        if func is torch.arange and options.get("device") == _NOWHERE:
            return func(*args, **{**options, "device": torch.device("cpu")})
        if getattr(func, "__name__", "") in _FILLING:
            filled = args[0] if args else options.get("tensor")
            if _is_nowhere(filled):
                return filled
        if any(map(_is_nowhere, args)) and not _writes_elsewhere(func, args):
            args = tuple(_without_storage(value) for value in args)
        return func(*args, **options)


def _is_nowhere(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.device == _NOWHERE


def _writes_elsewhere(func: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Return whether numbers would be written to a tensor that has storage, which torch refuses."""
    name = getattr(func, "__name__", "")
    in_place = name.endswith("_") and not name.endswith("__")
    return in_place and bool(args) and not _is_nowhere(args[0])


def _without_storage(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.device.type == "cpu":
        return value.to(_NOWHERE)
    return value
