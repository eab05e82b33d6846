"""What an adapter does to a model, seen on one prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lawqa.errors import BackendError
from lawqa.models.adapters.effect import AdapterEffect
from lawqa.models.adapters.files import AdapterFiles
from lawqa.models.files.adapter_folder import CONFIG
from lawqa.models.loaded import LoadedModel

_PROBE = "次の問題に、aからdのうち一つで答えてください。第一条 a b c d"
_PROBE_TOKENS = 48
_PROBED_ROWS = 16


def probe_ids(loaded: LoadedModel, files: AdapterFiles) -> list[int]:
    """Return a prompt that any tokenizer has, and the tokens whose embeddings the adapter trained."""
    ids = list(loaded.tokenizer.encode(_PROBE, add_special_tokens=False))[:_PROBE_TOKENS]
    rows = getattr(files.config, "trainable_token_indices", None)
    rows = rows or getattr(files.config, "token_indices", None) or ()
    if isinstance(rows, dict):
        rows = [row for some in rows.values() for row in some]
    size = int(loaded.model.get_input_embeddings().weight.shape[0])
    ids += [row for row in list(rows)[:_PROBED_ROWS] if isinstance(row, int) and 0 <= row < size]
    return ids or [0]


def probe_logits(
    model: torch.nn.Module, ids: Sequence[int], loaded: LoadedModel, *, rounded: bool = False
) -> torch.Tensor:
    """Return next-token logits at every position, float32, shape [tokens, vocabulary].

    Args:
        model: with or without an adapter.
        ids: the prompt.
        loaded: where it lives, and the dtype of products.
        rounded: compute as with an adapter, whose float32 weights are rounded to the dtype of products.
    """
    half = rounded and loaded.dtype != torch.float32
    with torch.no_grad(), torch.autocast(loaded.device.type, dtype=loaded.dtype, enabled=half):
        output = model(input_ids=torch.tensor([list(ids)], device=loaded.device), use_cache=False)
    logits: torch.Tensor = output.logits[0].float()
    return logits


def largest_change(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the largest difference of log-probabilities, nats; NaN where one of them is NaN."""
    return float((one.log_softmax(-1) - other.log_softmax(-1)).abs().max())


def effect_of(
    files: AdapterFiles, off: torch.Tensor, on: torch.Tensor, probe: list[int]
) -> AdapterEffect:
    """Return what an adapter does, by the logits of a probe prompt without and with it.

    Raises:
        BackendError: without it they are numbers, with it they are not.
    """
    if off.isfinite().all() and not on.isfinite().all():
        raise BackendError(
            f"{files.path}: with it the model gives NaN or infinity for a probe prompt, without it numbers",
            f"look at lora_alpha and r in {CONFIG}; a training that diverged needs a lower --learning-rate",
        )
    if torch.equal(off, on):
        return AdapterEffect(0.0, _reason(files), tuple(probe))
    return AdapterEffect(max(largest_change(off, on), 1e-12), "", tuple(probe))


def _reason(files: AdapterFiles) -> str:
    ups = [tensor for name, tensor in files.tensors.items() if "lora_B" in name]
    if ups and not any(tensor.any() for tensor in ups):
        return "all its lora_B are zero, as before any training"
    if getattr(files.config, "lora_alpha", None) == 0:
        return f"lora_alpha is 0 in {CONFIG}"
    return ""
