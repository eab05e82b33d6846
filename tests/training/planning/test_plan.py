"""Planning memory from a config alone, against what a GPU measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.models.shapes import KNOWN, ModelShape
from lawqa.training.planning import dev_texts
from lawqa.training.planning.memory import (
    GIB,
    PREFILL_TOKENS,
    SCORED_TOKENS,
    MemorySetting,
    generating_memory,
    kept_per_token,
    scoring_memory,
    streams_per_token,
    training_memory,
)
from lawqa.training.planning.plan import plan_training, usable_memory

pytestmark = pytest.mark.every_python

QWEN3_8B = ModelShape.from_config(KNOWN["Qwen/Qwen3-8B"], "Qwen/Qwen3-8B")
NF4 = MemorySetting()


# Measured on an H200 with torch 2.11, before the first optimiser step.
@pytest.mark.parametrize(
    ("tokens", "kept", "measured"),
    [
        (2048, 36, 12.43), (2048, 0, 7.21), (3070, 36, 15.48), (3976, 36, 18.25),
        (3976, 30, 16.50), (3976, 18, 13.00), (3976, 0, 8.05), (8190, 12, 16.41), (8190, 0, 9.85),
    ],
)  # fmt: skip
def test_predictions_are_near_the_measured_peaks(tokens: int, kept: int, measured: float) -> None:
    predicted = training_memory(
        QWEN3_8B, NF4, tokens=tokens, kept_blocks=kept, answer_tokens=2 * tokens // 269
    )
    assert (predicted.total - predicted.optimiser) / GIB == pytest.approx(measured, rel=0.02)


# Measured by benchmarks/plan.py with AdamW's moments in place: the fast path on an H200, the plain one on
# an H100.
@pytest.mark.parametrize(
    ("model", "path", "tokens", "records", "kept", "measured"),
    [
        ("1.7B", "fast", 2048, 4, 28, 4.17), ("1.7B", "fast", 3840, 8, 28, 6.45),
        ("1.7B", "fast", 4096, 2, 14, 4.47), ("1.7B", "fast", 8192, 8, 0, 3.20),
        ("1.7B", "fast", 8192, 16, 8, 5.41),
        ("1.7B", "plain", 4096, 8, 0, 2.53), ("1.7B", "plain", 8192, 8, 0, 3.49),
        ("8B", "plain", 4096, 8, 0, 8.51), ("8B", "plain", 8192, 8, 0, 10.64),
    ],
)  # fmt: skip
def test_predictions_for_another_size_and_for_the_plain_path(
    model: str, path: str, tokens: int, records: int, kept: int, measured: float
) -> None:
    shape = ModelShape.from_config(KNOWN[f"Qwen/Qwen3-{model}"], model)
    setting = MemorySetting(fast=path == "fast")
    predicted = training_memory(
        shape, setting, tokens=tokens, kept_blocks=kept, answer_tokens=2 * records
    )
    assert predicted.total / GIB == pytest.approx(measured, rel=0.03)


def test_a_plan_fills_the_memory_without_going_over() -> None:
    for card in (10, 12, 20, 24, 40, 80):
        memory = usable_memory(card * GIB)
        plan = plan_training(QWEN3_8B, NF4, memory=memory, longest=1024)
        assert plan.token_budget >= 1024
        assert plan.memory.total <= plan.usable < memory
        assert 0 <= plan.kept_blocks(plan.token_budget) <= QWEN3_8B.layers
        # A smaller micro-batch never has to compute more again.
        kept = [plan.kept_blocks(tokens) for tokens in range(256, plan.token_budget, 256)]
        assert kept == sorted(kept, reverse=True)


def test_weights_stay_dequantised_only_where_there_is_room_to_spare() -> None:
    small = ModelShape.from_config(
        {"model_type": "gemma3_text", "hidden_size": 640, "intermediate_size": 2048,
         "num_hidden_layers": 18, "num_attention_heads": 4, "num_key_value_heads": 1}, "270M",
    )  # fmt: skip
    assert plan_training(small, NF4, memory=usable_memory(20 * GIB), longest=1024).holds_weights
    assert not plan_training(
        QWEN3_8B, NF4, memory=usable_memory(20 * GIB), longest=1024
    ).holds_weights


def test_more_memory_never_plans_less() -> None:
    plans = [plan_training(QWEN3_8B, NF4, memory=gib * GIB, longest=512) for gib in range(9, 24)]
    kept = [plan.kept_blocks(2048) for plan in plans]
    assert kept == sorted(kept)
    assert kept[0] < kept[-1] == QWEN3_8B.layers


def test_what_does_not_fit_is_said_with_figures() -> None:
    with pytest.raises(ConfigError, match=r"records of 2000 tokens needs about .* GiB"):
        plan_training(QWEN3_8B, NF4, memory=6 * GIB, longest=2000)


def test_the_plain_path_takes_more_and_keeps_no_block() -> None:
    plain = MemorySetting(fast=False)
    plan = plan_training(QWEN3_8B, plain, memory=19 * GIB, longest=1024)
    assert plan.kept_blocks(1024) == 0
    fast = training_memory(QWEN3_8B, NF4, tokens=4096, kept_blocks=0)
    assert training_memory(QWEN3_8B, plain, tokens=4096, kept_blocks=0).total > fast.total


def test_scoring_and_generating() -> None:
    # Measured: 6.5 GiB with batches of 8,192 tokens.
    assert scoring_memory(QWEN3_8B, NF4, tokens=8192) / GIB == pytest.approx(6.5, rel=0.05)
    one = generating_memory(QWEN3_8B, NF4, cached_tokens=1)
    assert generating_memory(QWEN3_8B, NF4, cached_tokens=2) - one == 36 * 2 * 8 * 128 * 2


@pytest.mark.parametrize(("name", "cached", "measured"), [("Qwen/Qwen3-4B", 36352, 8.20)])
def test_generating_takes_what_was_measured(name: str, cached: int, measured: float) -> None:
    shape = ModelShape.from_config(KNOWN[name], name)
    predicted = generating_memory(shape, NF4, cached_tokens=cached) / GIB
    assert predicted == pytest.approx(measured, rel=0.05)


def test_batches_are_planned_as_large_as_they_are_made() -> None:
    pytest.importorskip("torch")
    from lawqa.backends.hf.engine import opening
    from lawqa.backends.hf.scoring import MOST_TOKENS

    assert SCORED_TOKENS == MOST_TOKENS
    assert opening._PREFILL_TOKENS_CUDA[-1] == PREFILL_TOKENS
    assert dev_texts._MOST_AT_ONCE == opening._MOST_ROWS_CUDA


def test_gemma_3_keeps_what_its_norms_read() -> None:
    config = {
        "model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": {
            "model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240,
            "num_hidden_layers": 34,
        },
    }  # fmt: skip
    shape = ModelShape.from_config(config, "google/gemma-3-4b")
    assert (shape.heads, shape.kv_heads, shape.head_dim, shape.tied) == (8, 4, 256, True)
    assert shape.linear_parameters + shape.other_parameters == pytest.approx(3.88e9, rel=0.01)
    without = ModelShape(**{**vars(shape), "norms_after": False})
    kept = kept_per_token(shape, NF4) - kept_per_token(without, NF4)
    assert kept == 2560 * 2
    streams = streams_per_token(shape, NF4) - streams_per_token(without, NF4)
    assert streams == 34 * 2560 * 2


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"model_type": "qwen3_moe", "num_experts": 128},
            "its architecture is qwen3_moe, with num_experts 128",
        ),
        ({"model_type": "bert"}, "its architecture is bert"),
        ({"num_attention_heads": 0}, "no positive num_attention_heads"),
    ],
)
def test_what_the_formulas_do_not_know_is_not_planned(
    tmp_path: Path, changed: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {**KNOWN["Qwen/Qwen3-4B"], **changed}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert main(["plan", "--model", str(tmp_path)]) == 2
    assert told in capsys.readouterr().err
