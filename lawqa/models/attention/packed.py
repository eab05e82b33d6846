"""Causal attention over packed records, forward and backward: no record sees another.

Every kind computes the same: softmax(cap(scale * Q Kᵀ)) V within each record, where each token sees itself
and those before it, at most `window` of them in all. In no kind does a query see nothing: a softmax over
nothing is NaN, and so are its gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from lawqa.models.attention.choice import AttentionKind
from lawqa.models.attention.records import KeptTensors, PaddedRows, Reach, RecordSpans
from lawqa.models.kernels.fallback import Fallback

_SCORES = 1 << 25
"""Scores that the written-out kind holds at once: 128 MiB of float32, of which a backward pass has six."""


class PackedAttention(Protocol):
    """Attention over packed records with a backward pass of its own."""

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, records: RecordSpans, reach: Reach
    ) -> tuple[Tensor, KeptTensors]:
        """Return the output [tokens, heads, head_dim], and what `backward` wants besides.

        Args:
            q: [tokens, heads, head_dim].
            k: [tokens, key-value heads, head_dim].
            v: like `k`.
            records: which tokens belong together.
            reach: how they see each other.
        """

    def backward(
        self, grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, kept: KeptTensors,
        records: RecordSpans, reach: Reach,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """Return the gradients of q, k and v."""


def packed_attention(kind: AttentionKind) -> PackedAttention:
    """Return the attention of a kind; see `attention_kind`."""
    if kind == "capped":
        from lawqa.models.kernels.triton_capped import CappedAttention

        return FallbackAttention(CappedAttention(), GridAttention(_CORES["plain"]))
    return FlashAttention() if kind == "flash" else GridAttention(_CORES[kind])


class FlashAttention:
    """torch's own FlashAttention-2 kernels, which take records of different lengths."""

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, records: RecordSpans, reach: Reach
    ) -> tuple[Tensor, KeptTensors]:
        """See `PackedAttention.forward`."""
        starts, longest = records.starts, records.longest
        out, sums, seed, offset, _ = torch.ops.aten._flash_attention_forward(
            q, k, v, starts, starts, longest, longest, 0.0, True, False,
            scale=reach.scale, **_flash_window(reach, longest),
        )  # fmt: skip
        return out, (sums, seed, offset)

    def backward(
        self, grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, kept: KeptTensors,
        records: RecordSpans, reach: Reach,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """See `PackedAttention.backward`."""
        (sums, seed, offset), starts, longest = kept, records.starts, records.longest
        grads: tuple[Tensor, Tensor, Tensor] = torch.ops.aten._flash_attention_backward(
            grad, q, k, v, out, sums, starts, starts, longest, longest, 0.0, True, seed, offset,
            scale=reach.scale, **_flash_window(reach, longest),
        )  # fmt: skip
        return grads


def _flash_window(reach: Reach, longest: int) -> dict[str, int]:
    """Return a window that no record outgrows is left out: the kernels without one do less."""
    if reach.window is None or reach.window >= longest:
        return {}
    return {"window_size_left": reach.window - 1, "window_size_right": 0}


class FallbackAttention:
    """Attention by fused kernels, and by plain torch once they have failed.

    Args:
        fused: the kernels.
        plain: what takes their place; its backward pass needs nothing that its forward pass kept.
    """

    def __init__(self, fused: PackedAttention, plain: GridAttention) -> None:
        self._fused, self._plain = fused, plain
        self._kernels = Fallback("fused attention kernels")

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, records: RecordSpans, reach: Reach
    ) -> tuple[Tensor, KeptTensors]:
        """See `PackedAttention.forward`."""
        return self._kernels.call(
            lambda: self._fused.forward(q, k, v, records, reach),
            lambda: self._plain.forward(q, k, v, records, reach),
        )

    def backward(
        self, grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, kept: KeptTensors,
        records: RecordSpans, reach: Reach,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """See `PackedAttention.backward`."""
        return self._kernels.call(
            lambda: self._fused.backward(grad, q, k, v, out, kept, records, reach),
            lambda: self._plain.backward(grad, q, k, v, out, kept, records, reach),
        )


Core = Callable[[Tensor, Tensor, Tensor, Reach], Tensor]
"""Causal attention of rows: [rows, heads, length, head_dim] each; as many heads in all three."""


class GridAttention:
    """Records of like length as the rows of one call; the backward pass computes each call again.

    Args:
        core: attention of the rows.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, records: RecordSpans, reach: Reach
    ) -> tuple[Tensor, KeptTensors]:
        """See `PackedAttention.forward`."""
        out = torch.empty_like(q, memory_format=torch.contiguous_format)
        for grid, rows, heads in _calls(q, k, records):
            q_rows, k_rows, v_rows = (
                tensor[grid.own[rows]][:, :, part]
                for tensor, part in zip((q, k, v), heads, strict=True)
            )
            mixed = self._attend(q_rows, k_rows, v_rows, reach)
            out[grid.own[rows][grid.real[rows]], heads[0]] = mixed[grid.real[rows]]
        return out, ()

    def backward(
        self, grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, kept: KeptTensors,
        records: RecordSpans, reach: Reach,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """See `PackedAttention.backward`."""
        del out, kept
        grads = tuple(
            torch.empty_like(tensor, memory_format=torch.contiguous_format) for tensor in (q, k, v)
        )
        for grid, rows, heads in _calls(q, k, records):
            own, real = grid.own[rows], grid.real[rows]
            inputs = [
                tensor[own][:, :, part].detach().requires_grad_()
                for tensor, part in zip((q, k, v), heads, strict=True)
            ]
            with torch.enable_grad():
                mixed = self._attend(inputs[0], inputs[1], inputs[2], reach)
            upper = grad[own][:, :, heads[0]] * real[:, :, None, None]
            parts = torch.autograd.grad(mixed, inputs, upper)
            for whole, part, place in zip(grads, parts, heads, strict=True):
                whole[own[real], place] = part[real]
        return grads[0], grads[1], grads[2]

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, reach: Reach) -> Tensor:
        """Return [rows, length, heads, head_dim] of inputs shaped like it."""
        repeats = q.shape[2] // k.shape[2]
        q, k, v = (tensor.transpose(1, 2) for tensor in (q, k, v))
        if repeats > 1:
            k, v = (tensor.repeat_interleave(repeats, dim=1) for tensor in (k, v))
        return self._core(q, k, v, reach).transpose(1, 2)


def _calls(
    q: Tensor, k: Tensor, records: RecordSpans
) -> Iterator[tuple[PaddedRows, slice, tuple[slice, slice, slice]]]:
    """Yield grids cut by rows, and where one row is too much by heads, so that few scores exist at once."""
    heads, kv_heads = q.shape[1], k.shape[1]
    for grid in records.grids:
        count, length = grid.own.shape
        rows = max(1, _SCORES // (heads * length * length))
        groups = kv_heads if heads * length * length > _SCORES else 1
        for start in range(0, count, rows):
            for group in range(groups):
                queries = _share(heads, groups, group)
                keys = _share(kv_heads, groups, group)
                yield grid, slice(start, start + rows), (queries, keys, keys)


def _share(heads: int, groups: int, group: int) -> slice:
    return slice(heads // groups * group, heads // groups * (group + 1))


def _memory_core(q: Tensor, k: Tensor, v: Tensor, reach: Reach) -> Tensor:
    """Return Torch's memory-efficient kernels on a GPU; on a CPU whatever torch has."""
    attend = partial(functional.scaled_dot_product_attention, q, k, v, scale=reach.scale)
    windowed = reach.window is not None and reach.window < q.shape[2]
    seen = _seen(q.shape[2], reach.window, q.device) if windowed else None
    if not q.is_cuda:
        out: Tensor = attend(attn_mask=seen, is_causal=seen is None)
        return out
    with sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION):
        fused: Tensor = attend(attn_mask=seen, is_causal=seen is None)
    return fused


def _plain_core(q: Tensor, k: Tensor, v: Tensor, reach: Reach) -> Tensor:
    """Return products and softmax written out; float16, whose range scores can leave,
    multiplies in float32.
    """
    dtype = q.dtype
    if dtype == torch.float16:
        q, k, v = q.float(), k.float(), v.float()
    scores = (q @ k.transpose(2, 3)).float() * reach.scale
    if reach.softcap is not None:
        scores = torch.tanh(scores / reach.softcap) * reach.softcap
    unseen = ~_seen(q.shape[2], reach.window, q.device)
    weights = scores.masked_fill(unseen, float("-inf")).softmax(dim=-1)
    return (weights.to(v.dtype) @ v).to(dtype)


_CORES: dict[AttentionKind, Core] = {"memory": _memory_core, "plain": _plain_core}


def _seen(length: int, window: int | None, device: torch.device) -> Tensor:
    """Return which key each query sees, [length, length]: every one sees itself at least."""
    seen = torch.ones((length, length), dtype=torch.bool, device=device).tril()
    return seen if window is None else seen.triu(1 - window)
