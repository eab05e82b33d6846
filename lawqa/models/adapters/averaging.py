"""The exact mean of several LoRA adapters, as one adapter whose rank is the sum of theirs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from lawqa.amounts import few_of
from lawqa.errors import BackendError
from lawqa.models.adapters.files import AdapterFiles

_A, _B = ".lora_A.weight", ".lora_B.weight"
_MUST_BE_PLAIN = (
    "use_dora", "rank_pattern", "alpha_pattern", "modules_to_save", "lora_bias", "layers_to_transform",
    "trainable_token_indices", "target_parameters",
)  # fmt: skip
"""Settings under which an update is not a plain product of two matrices with one scale."""


def mean_adapter(adapters: Sequence[AdapterFiles]) -> tuple[dict[str, torch.Tensor], int]:
    """Average the updates of several adapters without rounding any away.

    An adapter adds s B A to a weight. The mean over n of them is B' A' with A' = the A one above the other,
    and B' = the s B / n side by side: a product of rank r1 + r2 + ..., and no sum of matrices B or A, whose
    product would hold cross terms. Scale (alpha / r) of the result: 1.

    Args:
        adapters: LoRA adapters of one base model.

    Returns:
        Its float32 tensors by name, A' of shape [rank, in] and B' of shape [out, rank]; and its rank.

    Raises:
        BackendError: one is not a plain LoRA, or they are on different layers.
    """
    names = sorted(adapters[0].tensors)
    for adapter in adapters:
        _require_plain(adapter)
        other = sorted({*names} ^ {*adapter.tensors})
        if other:
            raise BackendError(
                f"{adapter.path} and {adapters[0].path} are on different layers: {few_of(other)}",
                "average adapters that were trained with the same --target-modules",
            )
    tensors = {}
    for name in names:
        parts = [adapter.tensors[name].float() for adapter in adapters]
        if name.endswith(_A):
            tensors[name] = torch.cat(parts, dim=0).contiguous()
        else:
            scaled = [
                part * (_scale(adapter) / len(adapters))
                for part, adapter in zip(parts, adapters, strict=True)
            ]
            tensors[name] = torch.cat(scaled, dim=1).contiguous()
    return tensors, sum(int(_setting(adapter, "r")) for adapter in adapters)


def _scale(adapter: AdapterFiles) -> float:
    rank, alpha = _setting(adapter, "r"), _setting(adapter, "lora_alpha")
    return float(alpha / (math.sqrt(rank) if _setting(adapter, "use_rslora") else rank))


def _setting(adapter: AdapterFiles, name: str) -> Any:  # of any type: PEFT's config is not checked
    return getattr(adapter.config, name, None)


def _require_plain(adapter: AdapterFiles) -> None:
    if adapter.kind != "LORA":
        raise BackendError(
            f"{adapter.path}: is {adapter.kind}, and only LoRA adapters are averaged"
        )
    other = [name for name in adapter.tensors if not name.endswith((_A, _B))]
    settings = [name for name in _MUST_BE_PLAIN if _setting(adapter, name)]
    if other or settings:
        raise BackendError(
            f"{adapter.path}: cannot be averaged exactly: it has {few_of([*settings, *sorted(other)])}",
            "average adapters of plain LoRA, trained without --use-dora",
        )
