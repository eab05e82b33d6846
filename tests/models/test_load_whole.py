"""A model is loaded whole, from its own files, or it is refused before a weight is read."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from lawqa.errors import BackendError
from lawqa.models import pretrained
from lawqa.models.load import load_model
from lawqa.models.pretrained import check_files, load_config
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"

Tensors = dict[str, torch.Tensor]


def edit_config(folder: Path, name: str = "config.json", **fields: object) -> None:
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    (folder / name).write_text(json.dumps({**content, **fields}), encoding="utf-8")


def edit_tensors(folder: Path, change: Callable[[Tensors], object]) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})


def shard(folder: Path) -> dict[str, Any]:
    """Spread the weights over two files, and give the index."""
    tensors = load_file(folder / WEIGHTS)
    names = sorted(tensors)
    parts = {"a.safetensors": names[:9], "b.safetensors": names[9:]}
    for file, held in parts.items():
        save_file({name: tensors[name] for name in held}, folder / file, {"format": "pt"})
    (folder / WEIGHTS).unlink()
    index = {"metadata": {}, "weight_map": {n: file for file, held in parts.items() for n in held}}
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
    return index


@pytest.fixture
def folder(tiny_dir: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model."""
    return Path(shutil.copytree(tiny_dir, tmp_path / "model"))


def refusal(folder: Path, *, reads: bool = False, **options: Any) -> BackendError:
    """What is said, on sight of the headers: before transformers is asked for the weights."""

    def read(*_: object, **__: object) -> Any:
        raise AssertionError("the weights were read")

    with pytest.MonkeyPatch.context() as patched:
        if not reads:
            patched.setattr(pretrained.AutoModelForCausalLM, "from_pretrained", read)
        with pytest.raises(BackendError) as caught:
            load_model(ModelSettings(model_name=str(folder), **options))
    assert "the weights were read" not in caught.value.message
    assert str(folder) in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


def drop(*parts: str) -> Callable[[Tensors], object]:
    return lambda tensors: [tensors.pop(k) for k in list(tensors) if any(p in k for p in parts)]


DOWN = "model.layers.0.mlp.down_proj.weight"
CHANGES: dict[str, tuple[Callable[[Tensors], object], str]] = {
    "a layer": (drop("layers.1."), "11 missing (model.layers.1.input_layernorm.weight,"),
    "one matrix": (drop(DOWN), f"1 missing ({DOWN})"),
    "all norms": (drop("norm"), "9 missing ("),
    "the embedding": (drop("embed"), "missing ("),
    "everything": (lambda t: t.clear(), " missing ("),
    "a foreign tensor": (
        lambda t: t.update(extra=torch.ones(2)),
        "1 without a place (extra)",
    ),
    "an adapter's tensor": (
        lambda t: t.update({"base_model.model.x.lora_A.weight": torch.ones(2)}),
        "1 without a place (base_model.model.x.lora_A.weight)",
    ),
    "another shape": (
        lambda t: t.update({DOWN: t[DOWN].T.contiguous()}),
        f"1 of another shape ({DOWN} is [256, 128], expected [128, 256])",
    ),
    "nothing in it": (
        lambda t: t.update({DOWN: torch.empty(0, 256)}),
        f"1 of another shape ({DOWN} is [0, 256], expected [128, 256])",
    ),
    "a renamed prefix": (
        lambda t: [t.__setitem__(f"old.{k}", t.pop(k)) for k in list(t)],
        "24 without a place (old.model.embed_tokens.weight",
    ),
    "integers": (
        lambda t: t.update({DOWN: t[DOWN].to(torch.int8)}),
        f"not floating-point numbers: {DOWN} (I8)",
    ),
    "8-bit floats": (
        lambda t: t.update({DOWN: t[DOWN].to(torch.float8_e4m3fn)}),
        f"not floating-point numbers: {DOWN} (F8_E4M3)",
    ),
    "an untied output layer": (
        lambda t: t.update({"lm_head.weight": t["model.embed_tokens.weight"] + 1}),
        "ties lm_head.weight to model.embed_tokens.weight (tie_word_embeddings)",
    ),
    "two for one place": (
        lambda t: t.update({"norm.weight": t["model.norm.weight"] + 1}),
        "model.norm.weight and norm.weight are tensors for one place",
    ),
}


@pytest.mark.parametrize("in_4bit", [False, True])
@pytest.mark.parametrize("case", CHANGES)
def test_weights_that_are_not_the_configs_are_refused(
    folder: Path, case: str, in_4bit: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    change, said = CHANGES[case]
    edit_tensors(folder, change)
    assert said in refusal(folder, load_in_4bit=in_4bit).message
    assert "LOAD REPORT" not in capfd.readouterr().err


CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "untied": ({"tie_word_embeddings": False}, "1 missing (lm_head.weight)"),
    "fewer layers": ({"num_hidden_layers": 1, "layer_types": ["full_attention"]}, "11 without a place"),
    "more layers": ({"num_hidden_layers": 3, "layer_types": ["full_attention"] * 3}, "11 missing ("),
    "endless layers": ({"num_hidden_layers": 10**12, "layer_types": None}, "says num_hidden_layers 1,0"),
    "wider": ({"hidden_size": 256}, "of another shape ("),
    "larger vocabulary": ({"vocab_size": 4000}, "1 of another shape (model.embed_tokens.weight is"),
    "endless width": ({"hidden_size": 10**18}, "cannot be loaded as a model: "),
    "heads that do not divide": ({"head_dim": None, "num_attention_heads": 3}, ""),
    "no heads": ({"num_attention_heads": 0, "head_dim": None}, "cannot be loaded as a model: "),
    "layer types of another length": ({"layer_types": ["full_attention"] * 5}, "cannot be loaded"),
    "unknown layer types": ({"layer_types": ["x", "y"]}, "cannot be loaded as a model: "),
    "negative layers": ({"num_hidden_layers": -1}, ""),
    "words for numbers": ({"hidden_size": "many"}, "cannot be loaded as a model: "),
    "no numbers": ({"intermediate_size": None}, "cannot be loaded as a model: "),
    "an unknown architecture": ({"model_type": "nobody-knows"}, "cannot be loaded as a model: "),
    "another architecture": ({"model_type": "llama"}, "without a place"),
    "an encoder": ({"model_type": "vit"}, "cannot be loaded as a model: "),
    "another file of weights": ({"transformers_weights": "x"}, "transformers_weights"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_that_is_not_the_weights_is_refused(folder: Path, case: str) -> None:
    fields, said = CONFIGS[case]
    edit_config(folder, **fields)
    assert said in refusal(folder).message


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update({"lm_head.weight": t["model.embed_tokens.weight"].clone()}),
        lambda t: t.update({"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(16)}),
        lambda t: [t.__setitem__(k, t[k].to(torch.bfloat16)) for k in list(t)],
        lambda t: [t.__setitem__(k.removeprefix("model."), t.pop(k)) for k in list(t)],
    ],
    ids=["tied twice", "old rotary buffers", "bfloat16", "without the prefix"],
)
def test_what_the_architecture_itself_allows_is_loaded(
    folder: Path, tiny_dir: Path, change: Callable[[Tensors], object]
) -> None:
    edit_tensors(folder, change)
    ids = torch.arange(8)[None]
    with torch.no_grad():
        logits, original = (
            load_model(ModelSettings(model_name=str(path), dtype="float32"))
            .model(input_ids=ids)
            .logits
            for path in (folder, tiny_dir)
        )
    assert (logits - original).abs().max() < 0.1


SMALL: dict[str, Any] = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2,
    "moe_intermediate_size": 16, "sliding_window": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "architecture",
    ["llama", "mistral", "qwen2", "qwen3_moe", "mixtral", "gemma2", "gemma3_text", "phi3", "gpt2", "gpt_neox",
     "olmo2", "granite"],
)  # fmt: skip
@pytest.mark.parametrize("tied", [True, False])
def test_other_architectures_are_checked_by_their_own_rules(
    architecture: str, tied: bool, tmp_path: Path
) -> None:
    """Renamed, fused and tied tensors are transformers' to know; one that is lost is seen all the same."""
    config = transformers.AutoConfig.for_model(architecture, **SMALL, tie_word_embeddings=tied)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    check_files(str(tmp_path), None, load_config(str(tmp_path)))
    lost: list[str] = []

    def lose(tensors: Tensors) -> None:
        lost.append(next(name for name in sorted(tensors) if "layers.1." in name or "h.1." in name))
        del tensors[lost[0]]

    edit_tensors(tmp_path, lose)
    with pytest.raises(BackendError, match=r"missing|of another shape|cannot be loaded"):
        check_files(str(tmp_path), None, load_config(str(tmp_path)))


def test_shards_are_read_by_their_index(folder: Path) -> None:
    shard(folder)
    load_model(ModelSettings(model_name=str(folder)))


def lose_shard(folder: Path, _: dict[str, Any]) -> None:
    (folder / "b.safetensors").unlink()


def swap_names(folder: Path, index: dict[str, Any]) -> None:
    index["weight_map"][DOWN] = "b.safetensors"
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def name_more(folder: Path, index: dict[str, Any]) -> None:
    index["weight_map"]["more"] = "b.safetensors"
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def leave_shard_out(folder: Path, index: dict[str, Any]) -> None:
    kept = {name: file for name, file in index["weight_map"].items() if file == "a.safetensors"}
    (folder / INDEX).write_text(json.dumps({"weight_map": kept}), encoding="utf-8")


def hold_twice(folder: Path, _: dict[str, Any]) -> None:
    both = {**load_file(folder / "a.safetensors"), **load_file(folder / "b.safetensors")}
    save_file(both, folder / "b.safetensors")


def leave_folder(folder: Path, index: dict[str, Any]) -> None:
    index["weight_map"][DOWN] = "../a.safetensors"
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def no_map(folder: Path, _: dict[str, Any]) -> None:
    (folder / INDEX).write_text('{"weight_map": []}', encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lose_shard, "b.safetensors is missing, which model.safetensors.index.json names"),
        (swap_names, f"{DOWN} not in the shard that"),
        (name_more, "more not in the shard that"),
        (leave_shard_out, "missing ("),
        (hold_twice, "a.safetensors and b.safetensors both hold"),
        (leave_folder, "names '../a.safetensors' as a shard"),
        (no_map, "has no weight_map"),
    ],
)
def test_shards_and_index_must_agree(
    folder: Path, change: Callable[[Path, dict[str, Any]], None], said: str
) -> None:
    change(folder, shard(folder))
    assert said in refusal(folder).message


def rewrite(raw: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The file with another header."""
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    change(header)
    new = json.dumps(header).encode()
    return struct.pack("<Q", len(new)) + new + raw[8 + length :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda raw: raw[:7],
        lambda raw: raw[:500],
        lambda raw: raw[:-1],
        lambda raw: raw + b"\0",
        lambda raw: b"\xff" * 8 + raw[8:],
        lambda raw: raw[:8] + b"\xff" + raw[9:],
        lambda raw: raw[:8] + b"[" + raw[9:],
        lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        lambda raw: rewrite(raw, lambda h: h[DOWN].update(shape=[1, 1])),
        lambda raw: rewrite(raw, lambda h: h[DOWN].update(shape=[-128, -256])),
        lambda raw: rewrite(raw, lambda h: h[DOWN].update(dtype="X9")),
        lambda raw: rewrite(raw, lambda h: h[DOWN].pop("data_offsets")),
        lambda raw: rewrite(raw, lambda h: h.update({DOWN: 3})),
        lambda raw: rewrite(raw, lambda h: h.update(copy=h[DOWN])),
    ],
)
def test_a_damaged_file_of_weights_is_refused(
    folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    raw = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(damage(raw))
    assert WEIGHTS in refusal(folder).message


# --- an adapter beside the model


@pytest.mark.parametrize(
    "name", ["adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"]
)
def test_an_adapter_in_the_models_folder_is_refused_in_both_readings(
    folder: Path, name: str
) -> None:
    (folder / name).write_text('{"peft_type": "LORA"}', encoding="utf-8")
    problem = refusal(folder)
    assert f"is a base model (config.json) and an adapter ({name}) in one" in problem.message
    assert "as a base model: move" in problem.hint
    assert f"--hf-model-name {folder} --hf-lora-path ADAPTER" in problem.hint


def test_an_adapter_in_a_snapshot_of_the_cache_is_refused(
    tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "hub" / "models--nobody--both"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    snapshot = shutil.copytree(tiny_dir, repository / "snapshots" / ("0" * 40))
    (snapshot / "adapter_config.json").symlink_to("gone")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(BackendError, match=r"is a base model .* and an adapter .* in one"):
        load_model(ModelSettings(model_name="nobody/both"))


# --- code and pickles that come with a model


@pytest.mark.parametrize("where", ["config.json", "tokenizer_config.json"])
def test_code_of_a_model_is_named_and_never_run(
    folder: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> str:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr("builtins.input", asked)
    (folder / "modeling_mine.py").write_text("raise SystemExit('run')", encoding="utf-8")
    if where == "config.json":
        edit_config(
            folder, model_type="mine",
            auto_map={"AutoConfig": "modeling_mine.C", "AutoModelForCausalLM": "modeling_mine.M"},
        )  # fmt: skip
    else:
        edit_config(folder, where, tokenizer_class="MyTokenizer",
                    auto_map={"AutoTokenizer": ["modeling_mine.T", None]})  # fmt: skip
        edit_config(folder, model_type="mine")
        (folder / "config.json").write_text("{}", encoding="utf-8")
        with pytest.raises(BackendError) as caught:
            pretrained.load_tokenizer(str(folder))
        assert "needs code that comes with it (modeling_mine.py)" in caught.value.message
        return
    assert (
        "needs code that comes with it (modeling_mine.py), and lawqa never"
        in refusal(folder).message
    )


def test_a_known_architecture_is_loaded_without_the_code_beside_it(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "modeling_mine.py").write_text("raise SystemExit('run')", encoding="utf-8")
    named = {
        "AutoConfig": "nobody/repo--modeling_mine.C",
        "AutoModelForCausalLM": "modeling_mine.M",
    }
    edit_config(folder, auto_map=named)
    edit_config(
        folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["modeling_mine.T", None]}
    )
    loaded = load_model(ModelSettings(model_name=str(folder)))
    assert type(loaded.model).__module__ == "transformers.models.qwen3.modeling_qwen3"
    assert (
        "comes with code of its own (modeling_mine.py, nobody/repo: modeling_mine.py)"
        in caplog.text
    )


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth"])
def test_pickled_weights_are_never_read(folder: Path, name: str) -> None:
    (folder / WEIGHTS).unlink()
    (folder / name).write_bytes(b"cos\nsystem\n(S'touch /tmp/run'\ntR.")
    assert f"{name}: pickled weights, which can run any code" in refusal(folder).message


# --- damaged settings


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"{", "broken JSON"),
        (b"[1]", "holds a JSON list"),
        (b"7" * 5000, "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"\xff\xfe\0", "is not UTF-8"),
    ],
    ids=["empty", "cut off", "a list", "a huge number", "deep", "binary"],
)
def test_settings_that_are_no_json_object_are_refused(
    folder: Path, name: str, content: bytes, said: str
) -> None:
    (folder / name).write_bytes(content)
    problem = refusal(folder)
    assert name in problem.message
    assert said in problem.message


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_pipe_is_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert f"{name} is not a file" in refusal(folder).message.replace(": is", " is")


def test_a_folder_that_may_not_be_read_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, _: Path(path) != folder)  # root may read all
    assert "may not be read by this user" in refusal(folder).message


def test_a_config_of_64_gigabytes_is_not_read(folder: Path) -> None:
    with (folder / "config.json").open("wb") as file:
        file.truncate(2**36)
    assert "is 65536 MiB long" in refusal(folder).message


@pytest.mark.parametrize("ends", ["x", -1, 10**9, [2, "x"], 1.5, True, {}])
def test_end_tokens_that_are_none_are_refused(folder: Path, ends: object) -> None:
    edit_config(folder, "generation_config.json", eos_token_id=ends)
    assert refusal(folder, reads=True).message


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"{", b"[]", b"null", b'{"model": 3}', b"\xff\xff", b'{"version": "9"}']
)
def test_a_damaged_tokenizer_is_refused(folder: Path, content: bytes) -> None:
    (folder / "tokenizer.json").write_bytes(content)
    assert refusal(folder).message


def test_a_missing_tokenizer_is_named(folder: Path) -> None:
    for path in [*folder.glob("tokenizer*"), folder / "chat_template.jinja"]:
        path.unlink()
    assert "has no tokenizer: tokenizer.json is missing" in refusal(folder).message


def test_a_tokenizer_larger_than_the_embedding_is_refused(folder: Path) -> None:
    edit_tensors(folder, lambda t: t.update(
        {"model.embed_tokens.weight": t["model.embed_tokens.weight"][:1000].clone()}
    ))  # fmt: skip
    edit_config(folder, vocab_size=1000, eos_token_id=2, pad_token_id=0)
    assert "and the model's embedding 1000 rows" in refusal(folder, reads=True).message


def test_a_file_instead_of_a_folder_is_said(folder: Path) -> None:
    with pytest.raises(BackendError, match="is a file, expected a model's directory"):
        load_model(ModelSettings(model_name=str(folder / "config.json")))


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    assert "config.json is missing; the directory is empty" in refusal(tmp_path).message


# --- 4-bit files


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop(f"{DOWN}.absmax"), f"4-bit weights lack {DOWN}.absmax"),
        (drop(f"{DOWN}.quant_state"), f"1 of another shape ({DOWN} is ["),
        (drop("layers.1."), "missing ("),
        (lambda t: t.update({DOWN: t[DOWN][:-8].clone()}), "is of another size than its shape"),
        (
            lambda t: [t[k].zero_() for k in t if k.startswith(f"{DOWN}.quant_state")],
            f"the quantisation state of {DOWN} is damaged",
        ),
    ],
)
def test_4bit_files_are_whole_or_refused(
    stored_in_4bit: Path, tmp_path: Path, change: Callable[[Tensors], object], said: str
) -> None:
    folder = Path(shutil.copytree(stored_in_4bit, tmp_path / "model"))
    edit_tensors(folder, change)
    assert said in refusal(folder).message


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([4], "its quantization_config is not a JSON object"),
        ("x", "its quantization_config is not a JSON object"),
        ({}, "names no quant_method"),
        ({"quant_method": "gptq", "bits": 4}, "quantised already, by gptq"),
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
            "says 4-bit weights (quantization_config), and its files hold whole",
        ),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "x"}, ""),
    ],
)
def test_a_quantisation_that_is_not_the_files_is_refused(
    folder: Path, given: object, said: str
) -> None:
    edit_config(folder, quantization_config=given)
    assert said in refusal(folder).message


def test_4bit_weights_without_a_word_in_the_config_are_refused(
    stored_in_4bit: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(stored_in_4bit, tmp_path / "model"))
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del content["quantization_config"]
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    assert "without a place (" in refusal(folder).message


def test_4bit_files_of_another_type_than_declared_are_refused(
    stored_in_4bit: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(stored_in_4bit, tmp_path / "model"))
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))["quantization_config"]
    edit_config(folder, quantization_config={**said, "bnb_4bit_quant_type": "nf4"})
    assert "is stored as fp4, and the config says nf4" in refusal(folder).message


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_4bit_files_run_in_the_dtype_that_was_asked_for(stored_in_4bit: Path, dtype: Any) -> None:
    loaded = load_model(ModelSettings(model_name=str(stored_in_4bit), dtype=dtype))
    asked = getattr(torch, dtype)
    assert {p.dtype for p in loaded.model.parameters()} == {asked, torch.uint8}
    with torch.no_grad():
        assert loaded.model(input_ids=torch.arange(8)[None]).logits.dtype == asked
    assert loaded.describe()["dtype"] == dtype
