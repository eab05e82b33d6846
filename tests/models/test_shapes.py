"""The sizes of a model, from its config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.errors import LawqaError
from lawqa.models.shapes import KNOWN, ModelShape, read_shape
from lawqa.training.planning.memory import (
    GIB,
    MemorySetting,
    lora_parameters,
)
from lawqa.training.planning.plan import plan_training

pytestmark = pytest.mark.every_python


def test_a_shape_is_read_from_a_config(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(KNOWN["Qwen/Qwen3-1.7B"]), encoding="utf-8")
    for given in (tmp_path, tmp_path / "config.json"):
        shape = read_shape(str(given))
        assert (shape.hidden, shape.layers, shape.tied) == (2048, 28, True)


def test_a_shape_is_read_from_the_hugging_face_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "hub" / "models--some--model" / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text(json.dumps(KNOWN["Qwen/Qwen3-4B"]), encoding="utf-8")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    assert read_shape("some/model").hidden == 2560


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "olmo2", "architectures": ["Olmo2ForCausalLM"], "hidden_size": 64,
         "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
         "vocab_size": 100},
        {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel", "GPT2ForCausalLM"], "n_embd": 64,
         "n_layer": 2, "n_head": 4, "vocab_size": 100, "n_inner": None},
    ],
)  # fmt: skip
def test_other_causal_models_have_a_plan_too(config: dict[str, Any]) -> None:
    shape = ModelShape.from_config(config, "another")
    assert not shape.written_out
    assert (shape.hidden, shape.layers, shape.heads, shape.head_dim) == (64, 2, 4, 16)
    plan = plan_training(shape, MemorySetting(fast=False), memory=GIB, longest=256)
    assert plan.memory.total < GIB


def test_layers_that_an_architecture_joins_have_one_adapter() -> None:
    """Phi-3-mini: 25.2 million weights with rank 16, as PEFT says."""
    config = {
        "model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "hidden_size": 3072,
        "intermediate_size": 8192, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 32, "vocab_size": 32064,
    }  # fmt: skip
    shape = ModelShape.from_config(config, "Phi-3-mini")
    assert shape.written_out
    assert [*shape.linears] == ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]
    joined = 16 * 32 * ((3072 + 9216) + (3072 + 3072) + (3072 + 16384) + (8192 + 3072))
    assert lora_parameters(shape, MemorySetting()) == joined == 25_165_824
    assert shape.linear_parameters == 32 * (3072 * 9216 + 3072 * 3072 + 3 * 3072 * 8192)


@pytest.mark.parametrize("content", ["{", "[]", '{"hidden_size": 4}', '{"hidden_size": "4"}'])
def test_a_broken_config_is_no_shape(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(LawqaError, match="config"):
        read_shape(str(tmp_path))
