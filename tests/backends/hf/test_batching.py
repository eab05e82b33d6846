"""Batches by token budget: everything is answered once, and running out of memory is survived."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lawqa.backends.hf.batching import left_padded, run_batches
from lawqa.backends.hf.scoring import fitting_tokens
from lawqa.models.decoder import DecoderShape

pytestmark = pytest.mark.torch


def run(lengths: Sequence[int], budget: int, capacity: int) -> tuple[list[str], list[list[int]]]:
    """Answers, and the batches tried, on a device that holds `capacity` padded tokens."""
    tried: list[list[int]] = []

    def answer(batch: Sequence[int]) -> list[str]:
        tried.append(list(batch))
        if len(batch) * max(batch) > capacity:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [f"answered {item}" for item in batch]

    results = run_batches(
        lengths, lambda item: item, budget, answer, lambda item, reason: f"gave up {item}: {reason}"
    )
    return list(results), tried


@pytest.mark.slow
@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 400), st.integers(1, 400))
def test_every_item_is_answered_or_given_up_exactly_once(
    lengths: list[int], budget: int, capacity: int
) -> None:
    results, tried = run(lengths, budget, capacity)
    expected = [
        f"answered {n}" if n <= capacity else f"gave up {n}: out of memory with {n} tokens"
        for n in lengths
    ]
    assert sorted(results) == sorted(expected)
    assert all(len(batch) == 1 or len(batch) * max(batch) <= budget for batch in tried)


def test_longest_first_so_that_a_batch_that_does_not_fit_is_met_at_once() -> None:
    results, tried = run([5, 20, 10, 20], budget=40, capacity=1000)
    assert tried == [[20, 20], [10, 5]]
    assert len(results) == 4


def test_out_of_memory_halves_the_budget_for_all_that_is_left() -> None:
    _, tried = run([10] * 8, budget=80, capacity=40)
    assert [len(batch) for batch in tried] == [8, 4, 4]


def test_other_errors_are_not_swallowed() -> None:
    def answer(batch: Sequence[int]) -> list[str]:
        raise RuntimeError(f"a bug in {batch}")

    with pytest.raises(RuntimeError, match="a bug"):
        list(run_batches([1], lambda n: n, 1, answer, lambda n, reason: f"{n}{reason}"))


def test_padding_stands_on_the_left_and_positions_start_at_the_text() -> None:
    batch = left_padded([[7, 8, 9], [5]], pad=0, device=torch.device("cpu"))
    assert batch["input_ids"].tolist() == [[7, 8, 9], [0, 0, 5]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert batch["position_ids"].tolist() == [[0, 1, 2], [0, 0, 0]]


@pytest.mark.parametrize(
    ("free_gib", "expected"), [(13.0, 16384), (3.0, 8192), (2.0, 4096), (0.1, 512)]
)
def test_the_budget_of_scoring_fits_the_free_memory(
    free_gib: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = DecoderShape(
        name="8B", architecture="qwen3", tied=False,
        layers=36, hidden=4096, intermediate=12288, heads=32, kv_heads=8, head_dim=128,
        vocabulary=151936, norms_after=False, capped_scores=False, eps=1e-6,
    )  # fmt: skip
    decoder: Any = SimpleNamespace(
        shape=shape, dtype=torch.bfloat16, device=torch.device("cuda", 0)
    )
    monkeypatch.setattr("lawqa.backends.hf.scoring.free_bytes", lambda _: int(free_gib * 2**30))
    assert fitting_tokens(decoder) == expected
    decoder.device = torch.device("cpu")
    assert fitting_tokens(decoder) == 2048
