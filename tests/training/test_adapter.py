"""Which layers an adapter is put on."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.errors import ConfigError
from lawqa.models.load import LoadedModel, load_model
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.adapter import add_adapter

pytestmark = pytest.mark.torch


@pytest.fixture
def loaded(tiny_dir: Path) -> LoadedModel:
    return load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))


@pytest.mark.parametrize("names", [("no_such_layer",), ("q_proj", "no_such_layer")])
def test_unknown_target_modules_are_the_users_mistake(
    loaded: LoadedModel, names: tuple[str, ...]
) -> None:
    config = Hyperparameters(target_modules=names)
    with pytest.raises(ConfigError, match="no linear layer called no_such_layer") as caught:
        add_adapter(loaded, config)
    assert "it has down_proj gate_proj k_proj o_proj q_proj up_proj v_proj;" in caught.value.hint


@pytest.mark.parametrize("names", [(), ("all-linear", "q_proj"), ("lm_head",), ("embed_tokens",)])
def test_target_modules_are_all_or_layers_of_the_blocks(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="all-linear alone, or names of linear layers"):
        Hyperparameters(target_modules=names)
