"""Loading: what is quantised, what is refused, and what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import bitsandbytes as bnb
import pytest
import torch

from lawqa.errors import BackendError
from lawqa.models.load import (
    apply_adapter,
    load_model,
)
from lawqa.models.tiny import write_tiny_model
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch


def test_4bit_quantises_every_linear_layer_of_the_blocks_and_nothing_else(tiny_dir: Path) -> None:
    model = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True)).model
    linear = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    quantised = {name for name, module in linear.items() if isinstance(module, bnb.nn.Linear4bit)}
    assert set(linear) - quantised == {"lm_head"}
    assert len(quantised) == 7 * model.config.num_hidden_layers
    for name in quantised:
        state = linear[name].weight.quant_state
        assert (state.quant_type, state.nested) == ("nf4", True)


def test_the_tiny_model_is_the_same_on_every_machine(
    tiny_dir: Path, tiny_tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As where there are two GPUs: their random numbers are none of its business.
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    state = torch.get_rng_state()
    write_tiny_model(tmp_path, tiny_tokenizer)
    assert torch.equal(torch.get_rng_state(), state)
    weights = "model.safetensors"
    assert (tmp_path / weights).read_bytes() == (tiny_dir / weights).read_bytes()


def test_plain_loading_quantises_nothing(tiny_dir: Path) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    assert not any(isinstance(m, bnb.nn.Linear4bit) for m in loaded.model.modules())
    assert loaded.describe()["quantisation"] is None


def test_weights_are_laid_together_once_they_are_all_there(
    tiny_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, torch.device]] = []
    monkeypatch.setattr("lawqa.models.load.defragment", lambda *given: asked.append(given))
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    ((model, device),) = asked
    assert model is loaded.model
    assert device == torch.device("cpu")
    assert not model.training


@pytest.mark.parametrize(("in_4bit", "quant_type"), [(False, None), (True, None), (True, "nf4")])
def test_weights_that_are_stored_in_4_bits_are_taken_as_they_are(
    stored_in_4bit: Path,
    tiny_dir: Path,
    in_4bit: bool,
    quant_type: Any,
    recwarn: pytest.WarningsRecorder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    loaded = load_model(
        ModelSettings(model_name=str(stored_in_4bit), load_in_4bit=in_4bit, quant_type=quant_type)
    )
    assert loaded.describe()["quantisation"] == "fp4"
    told = "hold fp4 weights already: they are taken, and no nf4 is made" in caplog.text
    assert told == (quant_type == "nf4")
    layer = loaded.model.model.layers[0].mlp.up_proj
    assert layer.weight.dtype == torch.uint8
    assert layer.compute_dtype == torch.float32
    whole = (
        load_model(ModelSettings(model_name=str(tiny_dir))).model.model.layers[0].mlp.up_proj.weight
    )
    unpacked = bnb.functional.dequantize_4bit(layer.weight, layer.weight.quant_state)
    assert (unpacked - whole).abs().mean() < 0.15 * whole.abs().mean()
    ids = torch.arange(8)[None]
    with torch.no_grad():
        assert loaded.model(input_ids=ids).logits.isfinite().all()
    assert not [w for w in recwarn if "quantization_config" in str(w.message)]


def test_weights_quantised_in_another_way_are_refused(tiny_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_dir, copy)
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(BackendError, match=r"quantised already, by gptq") as caught:
        load_model(ModelSettings(model_name=str(copy)))
    assert "the model that is not quantised" in str(caught.value.hint)


def test_a_stop_token_comes_from_the_chat_template_too(tiny_dir: Path, tmp_path: Path) -> None:
    # A generation config that knows only <|endoftext|>, as some Qwen checkpoints have it.
    copy = tmp_path / "model"
    shutil.copytree(tiny_dir, copy)
    (copy / "generation_config.json").write_text('{"eos_token_id": [0]}', encoding="utf-8")
    loaded = load_model(ModelSettings(model_name=str(copy)))
    end = loaded.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert loaded.stop_token_ids == (0, end)


def test_a_directory_that_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"is not a model directory: config\.json is missing"):
        load_model(ModelSettings(model_name=str(tmp_path)))


def test_a_directory_without_an_adapter_is_refused(tiny_dir: Path, tmp_path: Path) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    with pytest.raises(BackendError, match=r"adapter_config.json is missing"):
        apply_adapter(loaded, tmp_path)


def test_a_revision_of_a_directory_is_refused(tiny_dir: Path) -> None:
    with pytest.raises(BackendError, match="is a directory, which has no revision v9") as caught:
        load_model(ModelSettings(model_name=str(tiny_dir), revision="v9"))
    assert "leave --revision out" in caught.value.hint
