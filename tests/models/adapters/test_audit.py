"""Adapters that do not land whole, or are not what their training wrote: refused, with what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lawqa.cli import main
from lawqa.models.load import load_model
from lawqa.models.tiny import write_tiny_model
from lawqa.questions import write_questions
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch

Tensors = dict[str, torch.Tensor]
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Path:
    """An adapter with its manifest, as `lawqa train` leaves it; questions beside it."""
    directory = tmp_path_factory.mktemp("trained")
    write_questions(directory / "train.json", questions[:4])
    write_questions(directory / "test.json", questions[12:16])
    assert main(["train", "--no-4bit", "--model-name", str(tiny_dir),
                 "--train-file", str(directory / "train.json"),
                 "--output-dir", str(directory / "adapter"), "--num-epochs", "2", "--lora-r", "4",
                 "--lora-alpha", "8", "--learning-rate", "5e-3", "--do-train"]) == 0  # fmt: skip
    return directory / "adapter"


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil, without its manifest: nothing but its own files says what is wrong."""
    shutil.copytree(trained, tmp_path / "adapter")
    (tmp_path / "adapter" / "manifest.json").unlink()
    return tmp_path / "adapter"


def change_tensors(adapter: Path, change: Callable[[Tensors], Tensors]) -> None:
    save_file(change(load_file(adapter / WEIGHTS)), adapter / WEIGHTS)


def change_config(adapter: Path, **values: Any) -> None:
    path = adapter / CONFIG
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **values}), encoding="utf-8")


def evaluate(adapter: Path, model: Path, run: Path, trained: Path, *more: str) -> int:
    whole = [] if "--hf-load-in-4bit" in more else ["--no-4bit"]
    return main(["evaluate", "--data", str(trained.parent / "test.json"), "--hf-model-name", str(model),
                 *whole, "--hf-lora-path", str(adapter), "--run-dir", str(run), *more])  # fmt: skip


def renamed(tensors: Tensors) -> Tensors:
    return {name.removeprefix("base_model.model."): tensor for name, tensor in tensors.items()}


def halved(tensors: Tensors) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if "layers.1." not in name}


def without_one(tensors: Tensors) -> Tensors:
    return dict(list(tensors.items())[1:])


def with_more(tensors: Tensors) -> Tensors:
    extra = next(iter(tensors.values())).clone()
    return {**tensors, "base_model.model.model.layers.7.mlp.up_proj.lora_A.weight": extra}


def with_base_weight(tensors: Tensors) -> Tensors:
    return {**tensors, "base_model.model.model.norm.weight": torch.full((128,), 2.0)}


def rank_2(tensors: Tensors) -> Tensors:
    return {
        name: (tensor[:2] if "lora_A" in name else tensor[:, :2]).contiguous()
        for name, tensor in tensors.items()
    }


def with_nan(tensors: Tensors) -> Tensors:
    name = next(iter(tensors))
    tensors[name][0, 0] = torch.nan
    return tensors


def with_infinity(tensors: Tensors) -> Tensors:
    name = next(iter(tensors))
    tensors[name][0, 0] = torch.inf
    return tensors


def as_whole_numbers(tensors: Tensors) -> Tensors:
    return {name: tensor.to(torch.int8) for name, tensor in tensors.items()}


def as_doubles(tensors: Tensors) -> Tensors:
    return {name: tensor.double() for name, tensor in tensors.items()}


def overflowing(tensors: Tensors) -> Tensors:
    return {name: torch.full_like(tensor, 3e38) for name, tensor in tensors.items()}


SPOILT_TENSORS: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "renamed prefix": (renamed, "28 that its config asks for are missing"),
    "half of them": (halved, "14 that its config asks for are missing"),
    "all but one": (without_one, "1 that its config asks for are missing"),
    "none": (lambda _: {}, "holds no tensors"),
    "one of another module": (with_more, "1 have no place: base_model.model.model.layers.7.mlp"),
    "a weight of the base": (with_base_weight, "would replace a weight of the base model"),
    "another rank": (rank_2, "28 have another shape"),
    "NaN": (with_nan, "1 of 28 tensors hold NaN or infinity"),
    "infinity": (with_infinity, "1 of 28 tensors hold NaN or infinity"),
    "whole numbers": (as_whole_numbers, "is I8"),
    "doubles": (as_doubles, "is F64"),
    "numbers that overflow": (overflowing, "gives NaN or infinity for a probe prompt"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPOILT_TENSORS)
def test_tensors_that_do_not_land_whole_are_refused(
    name: str, copy: Path, trained: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, told = SPOILT_TENSORS[name]
    change_tensors(copy, spoil)
    run = copy.parent / "run"
    capsys.readouterr()
    assert evaluate(copy, tiny_dir, run, trained) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "hint: " in err
    assert not run.exists(), "nothing is scored that was not loaded whole"
    output = copy.parent / "merged"
    assert main(["merge", str(copy), "-o", str(output), "--model-name", str(tiny_dir)]) == 2
    assert told in capsys.readouterr().err
    assert sorted(path.name for path in copy.parent.iterdir()) == ["adapter"]


SPOILT_CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "one target of seven": ({"target_modules": ["q_proj"]}, "24 have no place"),
    "a target too many": (
        {"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                            "nope_proj"]},
        "target_modules names nope_proj",
    ),
    "no such target": ({"target_modules": ["nope"]}, "does not fit"),
    "lm_head too": (
        {"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                            "lm_head"]},
        "2 that its config asks for are missing",
    ),
    "one layer": ({"layers_to_transform": [0]}, "layers_to_transform leaves out 1"),
    "a layer that is not there": ({"layers_to_transform": [0, 1, 9]}, "layers_to_transform names 9"),
    "another rank": ({"r": 8}, "28 have another shape: base_model.model.model.layers.0.mlp.down_proj.lora_A"),
    "rank as a float": ({"r": 4.0}, "r = 4.0, expected a whole number"),
    "rank as a switch": ({"r": True}, "r = True, expected a whole number"),
    "no rank": ({"r": None}, "r = None, expected a whole number"),
    "no alpha": ({"lora_alpha": None}, "lora_alpha = None, expected a number"),
    "a switch in words": ({"use_rslora": "false"}, "use_rslora = 'false', expected true or false"),
    "a dropout in words": ({"lora_dropout": "none"}, "lora_dropout = 'none', expected a number"),
    "a pattern without end": ({"target_modules": "(([a-z._0-9]*)*)*X"}, "does not end within"),
    "a rank pattern without end": ({"rank_pattern": {"(([a-z._0-9]*)*)*X": 2}}, "does not end within"),
    "rank 0": ({"r": 0}, "`r` should be a positive integer"),
    "rank in words": ({"r": "four"}, "r = 'four', expected a whole number"),
    "a rank pattern": ({"rank_pattern": {"q_proj": 2}}, "4 have another shape"),
    "a rank pattern for nothing": ({"rank_pattern": {"nope": 2}}, "rank_pattern names nope"),
    "an alpha pattern for nothing": ({"alpha_pattern": {"nope": 2}}, "alpha_pattern names nope"),
    "a pattern that is no table": ({"alpha_pattern": [1]}, "alpha_pattern is not a table"),
    "an alpha that is not a number": ({"lora_alpha": "much"}, "lora_alpha = 'much', expected a number"),
    "an alpha of NaN": ({"lora_alpha": float("nan")}, "NaN is not a JSON number"),
    "DoRA": ({"use_dora": True}, "14 that its config asks for are missing"),
    "a bias": ({"lora_bias": True}, "14 that its config asks for are missing"),
    "modules to save": ({"modules_to_save": ["lm_head"]}, "1 that its config asks for are missing"),
    "no such module to save": ({"modules_to_save": ["nope"]}, "modules_to_save names nope"),
    "tokens": ({"trainable_token_indices": [1]}, "that its config asks for are missing"),
    "a newer PEFT's key": ({"use_zoom": True}, "use_zoom = True: the PEFT installed here"),
    "a newer PEFT's number": ({"zoom_scale": 0.5}, "zoom_scale = 0.5: the PEFT installed here"),
    "a newer PEFT's kind": ({"peft_type": "ZOOM"}, "peft_type ZOOM is not known"),
    "another kind": ({"peft_type": "IA3"}, "does not know it for the kind IA3"),
    "no kind": ({"peft_type": None}, "names no peft_type"),
    "another task": ({"task_type": "SEQ_CLS"}, "task_type SEQ_CLS; expected CAUSAL_LM"),
    "weights that were rewritten": ({"init_lora_weights": "pissa"}, "rewrites the base model's weights"),
    "an unknown start": ({"init_lora_weights": "zoom"}, "init_lora_weights = 'zoom' is not known"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SPOILT_CONFIGS)
def test_a_config_that_disagrees_with_the_tensors_is_refused(
    name: str, copy: Path, trained: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    values, told = SPOILT_CONFIGS[name]
    if "without end" in name:  # nothing else is to be shown than that it is given up
        monkeypatch.setattr("lawqa.models.adapters.settings._SECONDS", 0.5)
    change_config(copy, **values)
    capsys.readouterr()
    assert evaluate(copy, tiny_dir, copy.parent / "run", trained) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "Traceback" not in err
    assert not (copy.parent / "run").exists()


@pytest.mark.parametrize("value", [None, False, [], {}, "", 0])
def test_an_unknown_key_that_says_nothing_is_no_obstacle(
    value: Any, copy: Path, tiny_dir: Path
) -> None:
    change_config(copy, zoom=value)
    effect = load_model(ModelSettings(model_name=str(tiny_dir)), copy).effect
    assert effect is not None
    assert effect.nats > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_lands_as_it_is(dtype: torch.dtype, copy: Path, tiny_dir: Path) -> None:
    change_tensors(copy, lambda tensors: {name: t.to(dtype) for name, t in tensors.items()})
    assert load_model(ModelSettings(model_name=str(tiny_dir)), copy).effect is not None


def test_over_a_model_of_another_size_both_shapes_are_named(
    copy: Path, trained: Path, tmp_path: Path, tiny_tokenizer: Any, tiny_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    other = tmp_path / "wider"
    write_tiny_model(other, tiny_tokenizer)
    import transformers

    config = transformers.AutoConfig.from_pretrained(tiny_dir)
    config.intermediate_size = 384
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(other)
    change_config(copy, base_model_name_or_path="Qwen/Qwen3-8B")
    capsys.readouterr()
    assert evaluate(copy, other, tmp_path / "run", trained) == 2
    err = capsys.readouterr().err
    assert "6 have another shape" in err
    assert "down_proj.lora_A.weight is [4, 256], expected [4, 384]" in err
    assert "trained over (Qwen/Qwen3-8B)" in err


def test_pickles_are_never_read(
    copy: Path, trained: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / WEIGHTS).rename(copy / "adapter_model.bin")
    capsys.readouterr()
    assert evaluate(copy, tiny_dir, copy.parent / "run", trained) == 2
    assert "is a pickle" in capsys.readouterr().err


# --- an adapter that does nothing


def zeroed(tensors: Tensors) -> Tensors:
    return {n: torch.zeros_like(t) if "lora_B" in n else t for n, t in tensors.items()}


@pytest.mark.slow
@pytest.mark.parametrize("why", ["zero lora_B", "lora_alpha 0", "zero lora_A"])
@pytest.mark.parametrize("in_4bit", [False, True])
def test_an_adapter_that_changes_nothing_is_scored_and_that_is_said_first(
    why: str, in_4bit: bool, copy: Path, trained: Path, tiny_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if why == "lora_alpha 0":
        change_config(copy, lora_alpha=0)
    else:
        part = why[-6:]
        change_tensors(
            copy,
            lambda tensors: {n: t * 0 if part in n else t for n, t in tensors.items()},
        )
    capsys.readouterr()
    more = ["--hf-load-in-4bit"] if in_4bit else []
    run = copy.parent / "run"
    assert evaluate(copy, tiny_dir, run, trained, *more) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"! ADAPTER CHANGES NOTHING: with {copy} a probe prompt has")
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert summary["notes"][0].startswith("ADAPTER CHANGES NOTHING")
    if why == "zero lora_B":
        assert "all its lora_B are zero" in first


@pytest.mark.slow
def test_an_adapter_that_does_something_has_no_such_note_and_its_effect_is_recorded(
    trained: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert evaluate(trained, tiny_dir, tmp_path / "run", trained, "--with-base") == 0
    captured = capsys.readouterr()
    assert "CHANGES NOTHING" not in captured.out
    assert "checksums" not in captured.err
    model = json.loads((tmp_path / "run/manifest.json").read_text(encoding="utf-8"))["model"]
    assert model["adapter_effect"] > 0.01
    base = json.loads((tmp_path / "run-base/manifest.json").read_text(encoding="utf-8"))["model"]
    assert base["adapter_effect"] is None


# --- against the manifest of its training


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"lora_alpha": 64}, "lora_alpha is 64, was 8"),
        ({"use_rslora": True}, "use_rslora is True, was None"),
        ({"use_dora": True}, "use_dora is True, was None"),
        ({"r": 8}, "r is 8, was 4"),
        ({"alpha_pattern": {"q_proj": 1}}, "alpha_pattern is {'q_proj': 1}, was None"),
        ({"target_modules": ["q_proj"]}, "target_modules is ['q_proj'], was 14 names"),
    ],
)
def test_settings_edited_after_training_are_refused(
    values: dict[str, Any], told: str, trained: Path, tiny_dir: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    adapter = tmp_path / "adapter"
    shutil.copytree(trained, adapter)
    change_config(adapter, **values)
    for command in (["merge", str(adapter), "-o", str(tmp_path / "merged")], None):
        capsys.readouterr()
        code = main(command) if command else evaluate(adapter, tiny_dir, tmp_path / "run", trained)
        assert code == 2
        err = capsys.readouterr().err
        assert "has changed since the training" in err
        assert told in err
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_an_older_manifest_is_held_to_what_it_says(
    trained: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(trained, adapter)
    forget(adapter)
    change_config(adapter, lora_alpha=64)
    capsys.readouterr()
    assert evaluate(adapter, tiny_dir, tmp_path / "run", trained) == 2
    assert "lora_alpha is 64, was 8" in capsys.readouterr().err


def forget(adapter: Path) -> None:
    path = adapter / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["written"]
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.slow
def test_tensors_of_another_training_are_refused_and_an_older_manifest_is_said_to_be_silent(
    trained: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(trained, adapter)
    change_tensors(adapter, lambda tensors: {name: t * 2 for name, t in tensors.items()})
    capsys.readouterr()
    assert evaluate(adapter, tiny_dir, tmp_path / "run", trained) == 2
    assert "is not the file that the training wrote" in capsys.readouterr().err
    forget(adapter)
    assert evaluate(adapter, tiny_dir, tmp_path / "run", trained) == 0
    assert "from before checksums were written down" in capsys.readouterr().err


@pytest.mark.slow
def test_a_config_saved_again_by_another_peft_is_the_same(
    trained: Path, tiny_dir: Path, tmp_path: Path
) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(trained, adapter)
    content = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    change_config(
        adapter, target_modules=content["target_modules"][::-1], peft_version="9", zoom=None,
        inference_mode=False, base_model_name_or_path="elsewhere", lora_dropout=0.5,
    )  # fmt: skip
    assert evaluate(adapter, tiny_dir, tmp_path / "run", trained) == 0


@pytest.mark.parametrize("spoil", [without_one, with_more, rank_2])
def test_weights_of_a_checkpoint_land_whole_or_are_refused(
    spoil: Callable[[Tensors], Tensors], trained: Path, tiny_dir: Path
) -> None:
    from lawqa.errors import BackendError
    from lawqa.training.checkpoints.checkpoint_state import put_adapter_weights

    model = load_model(ModelSettings(model_name=str(tiny_dir)), trained).model
    weights = load_file(trained / WEIGHTS)
    put_adapter_weights(model, weights)
    with pytest.raises(BackendError, match="did not all land"):
        put_adapter_weights(model, spoil(weights))
