"""What the packed path takes is measured, and what follows from it fits."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lawqa.errors import ConfigError
from lawqa.models.attention.hooked import hook_attention
from lawqa.models.loaded import LoadedModel
from lawqa.records import IGNORED, TokenizedRecord
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.adapter import add_adapter
from lawqa.training.fast import HookedPath
from lawqa.training.planning.measured import (
    MeasuredMemory,
    MeasuredPlan,
    _Meter,
    learnt_share,
    plan_measured,
)

pytestmark = pytest.mark.torch

GIB = 2**30
FIXED, PER_TOKEN, PER_BLOCK, BLOCKS = 2 * GIB, 300_000, 92_000, 32


def a_peak(records: int, kept: int) -> int:
    return FIXED + records * 700 * (PER_TOKEN + max(kept - 1, 0) * PER_BLOCK)


def measured() -> MeasuredMemory:
    return MeasuredMemory.of(a_peak, 700, BLOCKS, besides=5)


def test_what_is_measured_is_what_there_is() -> None:
    memory = measured()
    assert memory.fixed == FIXED + 5
    assert memory.per_token == PER_TOKEN
    assert memory.per_block == PER_BLOCK
    assert memory.peak(4096, 20) == FIXED + 5 + 4096 * (PER_TOKEN + 19 * PER_BLOCK)
    one = MeasuredMemory.of(a_peak, 700, 1, besides=0)
    assert one.per_block == 0


@pytest.mark.parametrize("there", [4, 8, 19, 80])
def test_a_plan_fills_the_memory_and_no_more(there: int) -> None:
    plan = MeasuredPlan.of(measured(), "m", there=there * GIB, longest=900)
    assert plan.token_budget >= 900
    for tokens in range(256, plan.token_budget + 1, 256):
        kept = plan.kept_blocks(tokens)
        assert plan.memory.peak(tokens, kept) <= plan.usable < there * GIB
        assert kept == BLOCKS or plan.memory.peak(tokens, kept + 1) > plan.usable
    again = BLOCKS - plan.kept_blocks(plan.token_budget)
    assert again == 0 or there < 19  # where there is room, nothing is computed twice


def test_too_little_memory_is_an_error_with_a_way_out() -> None:
    with pytest.raises(
        ConfigError, match=r"m with records of 4000 tokens needs more than 3\.\d GiB"
    ):
        MeasuredPlan.of(measured(), "m", there=3 * GIB, longest=4000)


def test_a_model_without_blocks_to_compute_again_has_a_plan_too() -> None:
    memory = MeasuredMemory.of(lambda records, _: a_peak(records, 0), 700, 0, besides=0)
    plan = MeasuredPlan.of(memory, "m", there=8 * GIB, longest=100)
    assert plan.kept_blocks(plan.token_budget) == 0
    assert memory.peak(plan.token_budget, 0) <= plan.usable


def test_the_share_that_is_learnt_is_the_largest() -> None:
    records = [
        TokenizedRecord("a", [1] * 10, [IGNORED] * 9 + [1]),
        TokenizedRecord("b", [1] * 4, [IGNORED] * 3 + [1]),
    ]
    assert learnt_share(records) == 0.25


class LiveBytes(TorchDispatchMode):  # type: ignore[misc]  # torch is not checked
    """Counts the bytes of storages that operations made and something still holds, and their maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self.count(tensor.untyped_storage())
        return result

    def count(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.known:
            return
        self.known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self.forget, key, size)

    def forget(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.live -= size


def a_model(model_type: str) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        model_type, vocab_size=97, hidden_size=64, intermediate_size=160, num_hidden_layers=6,
        num_attention_heads=4, num_key_value_heads=4, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    causal = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    hook_attention(causal)
    loaded = LoadedModel(
        causal, None, ModelSettings(model_name=model_type), torch.device("cpu"), torch.float32, (2,)
    )  # fmt: skip
    return add_adapter(loaded, Hyperparameters(lora_dropout=0.0, lora_r=4))


@pytest.mark.parametrize("model_type", ["phi3", "gpt_neox", "starcoder2"])
def test_real_micro_batches_take_what_the_plan_says(
    model_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within 5%, over what is there anyway; at other numbers of tokens and blocks than were measured."""
    model = a_model(model_type)
    path = HookedPath(model)
    live = LiveBytes()

    def reset(_: Any) -> None:
        live.peak = live.live

    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", reset)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: live.peak)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    records = [TokenizedRecord("a", [3] * 200, [IGNORED] * 198 + [4, 2])]
    with live:
        plan = plan_measured(path, model, records, nullcontext, name="m", there=GIB)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        besides = 12 * sum(parameter.numel() for parameter in trained)
        for count, kept in ((2, 3), (5, 0), (4, 6), (8, 2)):
            meter: Callable[[int, int], int] = _Meter(path, model, trained, nullcontext, 200, 0.01)
            taken = meter(count, kept) + besides
            assert plan.memory.peak(200 * count, kept) == pytest.approx(taken, rel=0.05)
    assert plan.memory.blocks == 6
    assert plan.memory.per_block > 0
