"""The next token of each row: greedy, or sampled with noise that belongs to the row's own sequence."""

from __future__ import annotations

import pytest
import torch

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.engine.sampling import largest, next_tokens, sampling_key

pytestmark = pytest.mark.torch


def test_what_is_sampled_depends_on_its_own_row_alone() -> None:
    settings = GenerationSettings(1, temperature=1.0)
    logits = torch.randn(20, 300, generator=torch.Generator().manual_seed(0))
    keys = torch.tensor([sampling_key(0, f"q{n}#1", 0) for n in range(20)])
    positions = torch.arange(20)
    together = next_tokens(logits, settings, keys, positions).tolist()
    alone = [
        int(next_tokens(logits[n : n + 1], settings, keys[n : n + 1], positions[n : n + 1]))
        for n in range(20)
    ]
    assert together == alone
    assert together != next_tokens(logits, settings, keys, positions + 1).tolist()


def test_keys_differ_by_seed_prompt_and_repeat() -> None:
    keys = {sampling_key(s, p, r) for s in range(3) for p in ("a#1", "a#2") for r in range(3)}
    assert len(keys) == 18
    assert all(-(2**63) <= key < 2**63 for key in keys)


@pytest.mark.parametrize(
    ("width", "count"), [(151_936, 20), (5_000, 20), (5_031, 39), (40, 20), (64, 64)]
)
def test_of_equal_logits_those_with_the_lowest_ids_are_kept(width: int, count: int) -> None:
    generator = torch.Generator().manual_seed(width)
    logits = torch.randint(0, 40, (6, width), generator=generator).float()
    logits[1] = 0.0
    logits[2, width - 7 :] = 41.0
    logits[3] = torch.randn(width, generator=generator)
    found, ids = largest(logits, count)
    expected, order = logits.sort(dim=-1, descending=True, stable=True)
    assert torch.equal(found, expected[:, :count])
    assert torch.equal(ids, order[:, :count])
