"""Attention over packed records against attention written out in float64, record by record."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from lawqa.models.attention import packed as module
from lawqa.models.attention.packed import packed_attention
from lawqa.models.attention.records import Reach, RecordSpans

pytestmark = pytest.mark.torch

LENGTHS = (7, 1, 30, 12, 29)
HEADS, KV_HEADS, DIM = 4, 2, 16


def exact(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, records: RecordSpans, reach: Reach
) -> torch.Tensor:
    """The definition, in the dtype given."""
    pieces = []
    for start, end in pairwise(records.starts.tolist()):
        rows = [tensor[start:end].transpose(0, 1) for tensor in (q, k, v)]
        keys, values = (r.repeat_interleave(HEADS // KV_HEADS, dim=0) for r in rows[1:])
        scores = rows[0] @ keys.transpose(1, 2) * reach.scale
        if reach.softcap:
            scores = reach.softcap * torch.tanh(scores / reach.softcap)
        distance = torch.arange(end - start)[:, None] - torch.arange(end - start)[None, :]
        seen = (distance >= 0) & (distance < (reach.window or end))
        weights = scores.masked_fill(~seen, float("-inf")).softmax(-1)
        pieces.append((weights @ values).transpose(0, 1))
    return torch.cat(pieces)


@pytest.mark.parametrize(("kind", "softcap"), [("memory", None), ("plain", None), ("plain", 2.0)])
@pytest.mark.parametrize("window", [None, 1, 5])
@pytest.mark.parametrize("scores", [None, 2000, 500], ids=["whole", "cut by rows", "cut by heads"])
def test_output_and_gradients_are_those_of_the_definition(
    kind: Any,
    window: int | None,
    softcap: float | None,
    scores: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if scores:
        monkeypatch.setattr(module, "_SCORES", scores)
    torch.manual_seed(0)
    q, grad = torch.randn(2, sum(LENGTHS), HEADS, DIM)
    k, v = torch.randn(2, sum(LENGTHS), KV_HEADS, DIM)
    records, reach = RecordSpans.of(LENGTHS, q.device), Reach(0.3, window, softcap)
    attention = packed_attention(kind)
    out, kept = attention.forward(q, k, v, records, reach)
    found = (out, *attention.backward(grad, q, k, v, out, kept, records, reach))
    wide = [tensor.double().requires_grad_() for tensor in (q, k, v)]
    true = exact(wide[0], wide[1], wide[2], records, reach)
    expected = (true, *torch.autograd.grad(true, wide, grad.double()))
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one.double(), other, atol=1e-5)
