"""A forest holds every sequence exactly, shares what is common, and attention in it is plain attention."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from lawqa.backends.hf.forest_attention import FlashForestAttention, ForestAttention
from lawqa.backends.hf.prefixes import family_order, plant

pytestmark = pytest.mark.torch

SEQUENCES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=9)


@pytest.mark.slow
@given(SEQUENCES, st.integers(1, 12))
def test_every_sequence_stands_along_its_path(sequences: list[list[int]], worth: int) -> None:
    forest = plant(sequences, worth)
    for number, sequence in enumerate(sequences):
        spans = forest.spans(forest.leaves[number])
        flat = [i for start, end in spans for i in range(start, end)]
        assert [forest.tokens[i] for i in flat] == sequence
        assert [forest.positions[i] for i in flat] == list(range(len(sequence)))
        assert forest.last(number) == flat[-1]
    assert sum(node.length for node in forest.nodes) == len(forest.tokens)
    assert len(forest.tokens) <= sum(map(len, sequences))


def test_what_is_common_is_held_once_where_that_saves_enough() -> None:
    common = list(range(40))
    orders = [[*common, 50 + i, 60] for i in range(4)]
    assert len(plant(orders, worth=64).tokens) == 40 + 4 * 2
    assert len(plant(orders, worth=121).tokens) == 4 * 42
    assert len(plant([common] * 5, worth=64).tokens) == 40
    nested = [[*common, *range(100, 130), i] for i in range(2)] + [
        [*common, 7, i] for i in range(2)
    ]
    assert len(plant(nested, worth=20).tokens) == 40 + 30 + 2 + 2 * 2


def flash_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, q_bounds: torch.Tensor, k_bounds: torch.Tensor,
    *_: object,
) -> tuple[torch.Tensor]:  # fmt: skip
    """What torch's kernel computes on a GPU: stretch by stretch, the last query level with the last key."""
    out = torch.empty_like(q)
    bounds = zip(pairwise(q_bounds.tolist()), pairwise(k_bounds.tolist()), strict=True)
    for (start, end), (first, last) in bounds:
        rows = (x.transpose(0, 1)[None] for x in (q[start:end], k[first:last], v[first:last]))
        seen = torch.ones(end - start, last - first).tril(last - first - (end - start)).bool()
        piece = scaled_dot_product_attention(*rows, attn_mask=seen, enable_gqa=True)
        out[start:end] = piece[0].transpose(0, 1)
    return (out,)


@pytest.mark.slow
@pytest.mark.parametrize("attention", [ForestAttention, FlashForestAttention])
@given(SEQUENCES, st.integers(1, 12))
def test_attention_in_the_forest_is_attention_in_each_sequence(
    attention: Any, sequences: list[list[int]], worth: int
) -> None:
    forest = plant(sequences, worth)
    count = len(forest.tokens)
    noise = torch.Generator().manual_seed(count)
    q = torch.randn(count, 4, 8, generator=noise)
    k, v = (torch.randn(count, 2, 8, generator=noise) for _ in range(2))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(torch.ops.aten, "_flash_attention_forward", flash_attention)
        found = attention(forest, torch.device("cpu"))(q, k, v)
    for number in range(len(sequences)):
        spans = forest.spans(forest.leaves[number])
        at = torch.tensor([i for start, end in spans for i in range(start, end)])
        own = (x[at].transpose(0, 1)[None] for x in (q, k, v))
        expected = scaled_dot_product_attention(*own, is_causal=True, enable_gqa=True)
        expected = expected[0].transpose(0, 1).flatten(1)
        torch.testing.assert_close(found[at], expected, rtol=1e-4, atol=1e-5)


def test_relatives_are_neighbours_and_long_families_come_first() -> None:
    short, long = list(range(10)), list(range(100, 150))
    sequences = [[*short, 1], [*long, 1], [*short, 2], [*long, 2]]
    order, added = family_order(sequences)
    assert [sorted(order[:2]), sorted(order[2:])] == [[1, 3], [0, 2]]
    assert added == [51, 1, 11, 1]
