"""Whether every tensor of a model comes from its files, and every tensor of the files goes into the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lawqa.errors import BackendError
from lawqa.models.load import load_model
from lawqa.models.tensor_audit import check_loaded
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def test_what_transformers_attached_all_the_same_is_found(tiny_dir: Path) -> None:
    """As from a hub that gave an adapter beside the model."""
    from peft import LoraConfig

    model = load_model(ModelSettings(model_name=str(tiny_dir))).model
    model.add_adapter(LoraConfig(r=2, target_modules=["q_proj"]))
    info: Any = {
        "missing_keys": set(),
        "unexpected_keys": set(),
        "mismatched_keys": set(),
        "error_msgs": [],
    }
    with pytest.raises(BackendError, match=r"attached by itself \(model.layers.0.self_attn.q_proj"):
        check_loaded("m", model, info)
