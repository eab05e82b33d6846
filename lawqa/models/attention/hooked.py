"""Attention under transformers' own models: padded batches whose every query sees something, and packed rows.

transformers looks attention up by name, so models of any architecture that do so are reached through one
registered function, with the mask, the window and the cap that each layer passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from lawqa.models.attention.choice import attention_kind
from lawqa.models.attention.packed import PackedAttention, packed_attention
from lawqa.models.attention.records import Reach, RecordSpans

NAME = "lawqa"
"""What transformers knows these functions by."""

_packed: list[RecordSpans] = []
"""The records of the row that is being computed, while one is."""


def hook_attention(model: PreTrainedModel) -> None:
    """Let a model attend through this module, where it would go through torch's kernels.

    A model whose scores are capped is taken along: torch's kernels would leave the cap out.
    """
    capped = getattr(model.config.get_text_config(), "attn_logit_softcapping", None) is not None
    if model.config._attn_implementation == "sdpa" or capped:
        AttentionInterface.register(NAME, _attend)
        AttentionMaskInterface.register(NAME, _mask)
        model.set_attn_implementation(NAME)


def is_hooked(model: torch.nn.Module) -> bool:
    """Return whether a model attends through this module."""
    return getattr(model.config, "_attn_implementation", None) == NAME


@contextmanager
def packed(records: RecordSpans) -> Iterator[None]:
    """Treat the one row of a batch as records that do not see each other, within the block."""
    _packed.append(records)
    try:
        yield
    finally:
        _packed.pop()


def in_packed() -> bool:
    """Return whether the row that is being computed holds packed records."""
    return bool(_packed)


def recompute_contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Return what to compute a block in, and what to compute it in again: the same records.

    For `context_fn` of `torch.utils.checkpoint`, which computes blocks again when `packed` is long over.
    """
    return nullcontext(), packed(_packed[-1]) if _packed else nullcontext()


def _mask(*arguments: Any, **options: Any) -> Tensor | None:  # Any: transformers' own arguments
    """Return Transformers' mask, in which a query that would see nothing sees everything: nobody reads it."""
    if _packed:
        return None  # records say who sees whom
    seen: Tensor | None = sdpa_mask(*arguments, **options)
    if seen is None:
        return None
    return seen | ~seen.any(dim=-1, keepdim=True)


def _attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,  # Any: what else a model's layers pass
) -> tuple[Tensor, None]:
    """Return the attention of one layer, [batch, tokens, heads, dim]; its inputs are [batch, heads, tokens,
    dim].
    """
    softcap = cast("float | None", options.pop("softcap", None))
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if _packed:
        reach = Reach(scale, options.get("sliding_window"), softcap)
        dtype = _computed_in(value)
        rows = [tensor[0].transpose(0, 1).to(dtype) for tensor in (query, key, value)]
        # The backward pass computes scores again outside autocast: so the forward pass does without it too.
        with torch.autocast(value.device.type, enabled=False):
            mixed: Tensor = _PackedFunction.apply(*rows, _packed[-1], reach)
        return mixed[None], None
    if softcap is not None:
        return _capped(query, key, value, attention_mask, scale, softcap), None
    out: Tensor = sdpa_attention_forward(
        module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
    )[0]
    return out, None


def _computed_in(value: Tensor) -> torch.dtype:
    """Return the dtype of attention: autocast's where it is on, as torch's own does, else the values'."""
    kind = value.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else value.dtype


def _capped(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, softcap: float
) -> Tensor:
    """Return the attention with capped scores over a mask that is True where a key is seen; None for
    causality alone.
    """
    repeats = query.shape[1] // key.shape[1]
    key, value = (tensor.repeat_interleave(repeats, dim=1) for tensor in (key, value))
    scores = (query @ key.transpose(2, 3)).float() * scale
    scores = torch.tanh(scores / softcap) * softcap
    if mask is None:
        size = query.shape[2], key.shape[2]
        mask = torch.ones(size, dtype=torch.bool, device=query.device).tril(size[1] - size[0])
    weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
    return (weights.to(value.dtype) @ value).transpose(1, 2).contiguous()


class _PackedFunction(torch.autograd.Function):  # type: ignore[misc]  # torch is not checked
    """Packed attention as autograd sees it."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        records: RecordSpans,
        reach: Reach,
    ) -> Tensor:
        """Return the output, [tokens, heads, head_dim]."""
        attention = _attention_for(q, reach)
        out, kept = attention.forward(q, k, v, records, reach)
        ctx.save_for_backward(q, k, v, out, *kept)
        ctx.attention, ctx.records, ctx.reach = attention, records, reach
        return out

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of q, k and v."""
        q, k, v, out, *kept = ctx.saved_tensors
        gradients = cast("PackedAttention", ctx.attention).backward(
            grads[0].contiguous(), q, k, v, out, tuple(kept), ctx.records, ctx.reach
        )
        return (*gradients, None, None)


def _attention_for(q: Tensor, reach: Reach) -> PackedAttention:
    kind = attention_kind(
        q.device, q.dtype, q.shape[-1], softcap=reach.softcap is not None, gradients=True
    )
    return packed_attention(kind)
