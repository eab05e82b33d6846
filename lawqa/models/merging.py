"""Adding an adapter to the weights of its base model, and seeing that the result answers like the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lawqa.errors import BackendError
from lawqa.models.adapters.probe import probe_logits
from lawqa.models.adapters.state import one_line
from lawqa.models.agreement import HALF, compare_logits
from lawqa.models.loaded import LoadedModel
from lawqa.models.projections import is_adapter_layer

if TYPE_CHECKING:
    from pathlib import Path


_ROUNDING = 0.02
"""Nats that rounding weights to bfloat16 may move log-probabilities by on average, with any adapter."""
_LOST = 0.5
"""The share of an adapter's effect that a merge may lose."""


@dataclass(frozen=True)
class MergeProof:
    """What a merged model must answer to a probe prompt."""

    adapter: Path
    """The adapter that was merged."""
    ids: tuple[int, ...]
    """The prompt."""
    adapted: torch.Tensor
    """Next-token logits of base and adapter, unmerged, shape [tokens, vocabulary], on the CPU."""
    base: torch.Tensor
    """Those of the base alone."""
    note: str | None
    """That the adapter does nothing; None where it does something."""

    def require(self, merged: LoadedModel) -> None:
        """Make sure that a merged model is its base with the adapter.

        Raises:
            BackendError: it answers otherwise than rounding explains.
        """
        logits = probe_logits(merged.model, self.ids, merged).cpu()
        agreement, effect = (
            compare_logits(self.adapted, logits),
            compare_logits(self.adapted, self.base),
        )
        lost = agreement.mean > max(_ROUNDING, _LOST * effect.mean)
        if lost or not agreement.within(HALF):
            raise BackendError(
                f"{self.adapter}: cannot be merged exactly: read back, the merged model answers a probe "
                f"prompt otherwise than base and adapter do ({agreement}; the adapter itself moves them by "
                f"{effect.mean:.2g} on average)",
                _UNMERGED,
            )


_UNMERGED = "use the adapter unmerged: lawqa evaluate --hf-lora-path"


def merge_weights(loaded: LoadedModel) -> MergeProof:
    """Add the adapter of a loaded model to its weights, in place.

    Returns:
        What the merged model must answer wherever it is read back.

    Raises:
        BackendError: an adapter of this kind cannot be merged, or a merged weight is not finite.
    """
    adapter, effect = loaded.adapter, loaded.effect
    if adapter is None or effect is None:
        raise ValueError("merge_weights needs a model with an adapter")
    _require_no_half_of_tied_weights(loaded, adapter)
    ids = effect.probe
    with loaded.model.disable_adapter():
        base = probe_logits(loaded.model, ids, loaded).cpu()
    adapted = probe_logits(loaded.model, ids, loaded, rounded=True).cpu()
    try:
        loaded.model = loaded.model.merge_and_unload(safe_merge=True)
    except (
        AttributeError, ImportError, LookupError, RuntimeError, TypeError, ValueError,
    ) as problem:  # fmt: skip
        raise BackendError(
            f"{adapter}: cannot be merged: {one_line(problem)}", _UNMERGED
        ) from problem
    left = [name for name, module in loaded.model.named_modules() if is_adapter_layer(module)]
    if left:
        raise BackendError(
            f"{adapter}: cannot be merged: PEFT leaves {left[0]} unmerged", _UNMERGED
        )
    loaded.adapter = loaded.effect = None
    return MergeProof(adapter, ids, adapted, base, effect.note(adapter))


def _require_no_half_of_tied_weights(loaded: LoadedModel, adapter: Path) -> None:
    """Refuse what was learnt for one of embeddings and `lm_head` where they are one matrix."""
    causal = loaded.model.get_base_model()
    if not getattr(causal.config, "tie_word_embeddings", False):
        return
    adapted = {
        name.rpartition(".")[2]
        for name, module in causal.named_modules()
        if is_adapter_layer(module)
    } & {"lm_head", "embed_tokens"}
    if len(adapted) == 1:
        raise BackendError(
            f"{adapter}: cannot be merged: it changes {adapted.pop()}, and the model's embeddings and "
            "lm_head are one matrix",
            _UNMERGED,
        )
