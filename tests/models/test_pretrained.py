"""Every call that reads a model's files with transformers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.errors import BackendError
from lawqa.models.load import (
    load_model,
)
from lawqa.models.pretrained import load_config, load_tokenizer
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


@pytest.mark.parametrize(
    "load", [lambda name: load_model(ModelSettings(model_name=name)), load_tokenizer]
)
def test_a_model_that_is_nowhere_says_how_to_get_it(load: object) -> None:
    assert callable(load)
    with pytest.raises(
        BackendError, match="no such directory, and not in the Hugging Face cache"
    ) as e:
        load("nobody/no-such-model")
    assert "hf download nobody/no-such-model" in e.value.hint


def test_the_config_is_loaded_alone(tiny_dir: Path) -> None:
    assert load_config(str(tiny_dir)).model_type == "qwen3"
