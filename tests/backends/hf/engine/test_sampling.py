"""The next token of each row: greedy, or sampled with noise that belongs to the row's own sequence."""

from __future__ import annotations

import pytest
import torch

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.engine.sampling import next_tokens, sampling_key

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
