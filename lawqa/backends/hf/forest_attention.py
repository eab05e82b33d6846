"""Causal attention among the flat tokens of a forest: each token sees its node's tokens and those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch.nn import functional

from lawqa.backends.hf.prefixes import Forest
from lawqa.models.attention.choice import flash_attention_obstacle
from lawqa.models.attention.records import even_groups
from lawqa.models.decoder import Decoder


@dataclass(frozen=True)
class _Call:
    """Nodes with the same parent, padded on the right to one length."""

    own: torch.Tensor
    """Flat indices of the nodes' tokens, shape [nodes, length]; padding repeats a node's first token."""
    path: torch.Tensor | None
    """Flat indices of the tokens before them, shape [prefix]."""
    kept: torch.Tensor | None
    """Which of the flattened results are not padding; None for all."""
    targets: torch.Tensor
    """Where those belong among the flat tokens."""


def attention_over(forest: Forest, decoder: Decoder) -> FlashForestAttention | ForestAttention:
    """Return the fastest attention over these tokens that the device has.

    Args:
        forest: how the tokens hang together.
        decoder: whose tokens they are.
    """
    reason = flash_attention_obstacle(decoder.device, decoder.dtype, decoder.shape.head_dim)
    return (ForestAttention if reason else FlashForestAttention)(forest, decoder.device)


class FlashForestAttention:
    """Attention for one forest: one call of torch's own FlashAttention-2 kernels in every layer.

    They take queries and keys of different lengths, the last query level with the last key: each node's
    tokens are queries, and its path down to them are keys.

    Args:
        forest: how the tokens hang together.
        device: where the tokens are.
    """

    def __init__(self, forest: Forest, device: torch.device) -> None:
        seen = [
            torch.cat([torch.arange(start, end) for start, end in forest.spans(number)])
            for number in range(len(forest.nodes))
        ]
        self._seen = torch.cat(seen).to(device)
        lengths = [node.length for node in forest.nodes], [len(tokens) for tokens in seen]
        self._bounds = [_bounds(kind, device) for kind in lengths]
        self._longest = [max(kind) for kind in lengths]

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """See `ForestAttention.__call__`."""
        out: torch.Tensor = torch.ops.aten._flash_attention_forward(
            q, k[self._seen], v[self._seen], *self._bounds, *self._longest, 0.0, True, False
        )[0]
        return out.flatten(1)


class ForestAttention:
    """Attention for one forest, the same calls in every layer; for any device and dtype.

    Args:
        forest: how the tokens hang together.
        device: where the tokens are.
    """

    def __init__(self, forest: Forest, device: torch.device) -> None:
        children: dict[int | None, list[int]] = {}
        for number, node in enumerate(forest.nodes):
            children.setdefault(node.parent, []).append(number)
        self._calls: list[_Call] = []
        for parent, numbers in children.items():
            path = None
            if parent is not None:
                spans = [torch.arange(start, end) for start, end in forest.spans(parent)]
                path = torch.cat(spans).to(device)
            for group in even_groups([forest.nodes[n].length for n in numbers]):
                self._calls.append(_call(forest, [numbers[i] for i in group], path, device))

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Return the attention of one layer.

        Args:
            q: rotated queries, shape [tokens, heads, dim].
            k: rotated keys, shape [tokens, kv_heads, dim].
            v: values, shape [tokens, kv_heads, dim].

        Returns:
            Shape [tokens, heads * dim].
        """
        out = torch.empty_like(q)
        for call in self._calls:
            mixed = _attend(
                q[call.own],
                _with_path(k, call),
                _with_path(v, call),
                prefixed=call.path is not None,
            ).flatten(0, 1)
            out[call.targets] = mixed if call.kept is None else mixed[call.kept]
        return out.flatten(1)


def _bounds(lengths: Sequence[int], device: torch.device) -> torch.Tensor:
    """Return where each stretch starts, and the end of the last."""
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device)


def _call(
    forest: Forest, numbers: Sequence[int], path: torch.Tensor | None, device: torch.device
) -> _Call:
    nodes = [forest.nodes[number] for number in numbers]
    width = max(node.length for node in nodes)
    columns = torch.arange(width)[None, :]
    starts = torch.tensor([node.start for node in nodes])[:, None]
    real = columns < torch.tensor([node.length for node in nodes])[:, None]
    own = torch.where(real, starts + columns, starts)
    kept = None if bool(real.all()) else real.flatten().nonzero()[:, 0].to(device)
    return _Call(own.to(device), path, kept, own[real].to(device))


def _with_path(tensor: torch.Tensor, call: _Call) -> torch.Tensor:
    own = tensor[call.own]
    if call.path is None:
        return own
    before = tensor[call.path].expand(len(own), -1, -1, -1)
    return torch.cat((before, own), dim=1)


def _attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, prefixed: bool) -> torch.Tensor:
    """Attend causally; padding is on the right, so that causality alone hides it from every real token."""
    q, k, v = (tensor.transpose(1, 2) for tensor in (q, k, v))
    grouped = q.shape[1] != k.shape[1]
    if not prefixed:
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
    elif q.shape[2] == 1:
        out = functional.scaled_dot_product_attention(q, k, v, enable_gqa=grouped)
    elif q.is_cuda and q.dtype in (torch.bfloat16, torch.float16):
        from torch.nn.attention.bias import causal_lower_right  # loads torch's compiler

        bias = causal_lower_right(q.shape[2], k.shape[2])
        out = functional.scaled_dot_product_attention(q, k, v, bias, enable_gqa=grouped)
    else:
        seen = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device)
        seen = seen.tril(k.shape[2] - q.shape[2])
        out = functional.scaled_dot_product_attention(q, k, v, seen, enable_gqa=grouped)
    return out.transpose(1, 2)
