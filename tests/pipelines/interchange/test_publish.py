"""`lawqa publish`: what may be pushed holds no text of a question, no host and no folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lawqa
from lawqa.cli import main

FOLDER, HOST, TEXT = "/home/a student/私の研究", "lab-host-17", "期間の計算について"


@pytest.fixture
def adapter(tmp_path: Path, checkout: Path) -> Path:
    """A directory like one that a training leaves, with stand-ins for its tensors."""
    stored = checkout / "tests" / "runs" / "recorded" / "adapter" / "manifest.json"
    manifest = json.loads(stored.read_text(encoding="utf-8"))
    manifest["model"] |= {"name": f"{FOLDER}/model"}
    manifest["config"]["output_dir"] = f"{FOLDER}/adapter"
    manifest["environment"] |= {"host": HOST, "platform": f"Linux-{HOST}"}
    manifest["argv"] = ["lawqa", "train", f"{FOLDER}/train.json"]
    manifest["notes"] = [
        f"{FOLDER}/adapter was made on {HOST} of {FOLDER}/other, see </think> and https://a.b/c/d"
    ]
    folder = tmp_path / "adapter"
    (folder / "tensorboard").mkdir(parents=True)
    for name, content in {
        "manifest.json": manifest,
        "adapter_config.json": {"base_model_name_or_path": f"{FOLDER}/model", "r": 8},
        "trained_on.jsonl": {"text": TEXT},
        "tokenizer_config.json": {"name_or_path": f"{FOLDER}/model", "chat_template": "</think>/x"},
    }.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"tensors")
    (folder / "adapter_model.safetensors").chmod(0o600)
    (folder / ".lock").write_text("pid 1")
    (folder / "tensorboard" / f"events.{HOST}").write_text(HOST)
    (folder / "README.md").write_text(f"trained in {FOLDER}")
    return folder


def require_nothing_private(out: Path, *private: str) -> None:
    for path in out.iterdir():
        content = path.read_bytes().decode()
        for secret in (FOLDER, "student", HOST, TEXT, *private):
            assert secret not in content, f"{secret} is in {path.name}"
        assert path.stat().st_mode & 0o777 == 0o644


def test_nothing_of_the_machine_or_the_questions_is_in_the_copy(
    adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["publish", str(adapter), "--output-dir", str(out)]
    assert main([*command, "--base-model", "Qwen/Qwen3-8B"]) == 0
    said = capsys.readouterr().out
    assert "trained_on.jsonl: texts of questions" in said
    assert "tensorboard: names the host" in said
    names = {path.name for path in out.iterdir()}
    assert names == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "manifest.json",
        "tokenizer_config.json",
    }  # fmt: skip
    require_nothing_private(out, str(tmp_path))
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    kept = json.loads((adapter / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["questions"] == kept["questions"]
    assert manifest["argv"] == []
    assert manifest["notes"] == [
        "adapter was made on HOST of other, see </think> and https://a.b/c/d"
    ]
    assert json.loads((out / "tokenizer_config.json").read_text())["chat_template"] == "</think>/x"
    config = json.loads((out / "adapter_config.json").read_text())
    assert config == {"base_model_name_or_path": "Qwen/Qwen3-8B", "r": 8}
    card = (out / "README.md").read_text(encoding="utf-8")
    for line in (
        "base_model: Qwen/Qwen3-8B",
        "license: apache-2.0",
        "- ja",
        "PeftModel.from_pretrained",
    ):
        assert line in card
    assert "Public Data License 1.0" in card
    assert main(command) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main([*command, "--fresh"]) == 0
    assert "! the licence of model is not known here" in capsys.readouterr().out


def test_what_cannot_be_published_is_refused_and_leaves_nothing(
    adapter: Path, tmp_path: Path, checkout: Path
) -> None:
    out = tmp_path / "out"
    run = checkout / "tests" / "runs" / "recorded" / "plain"
    with pytest.raises(lawqa.LawqaError, match="is neither an adapter of lawqa nor a model"):
        lawqa.publish(run, out)
    with pytest.raises(lawqa.LawqaError, match="is not of the adapter"):
        lawqa.publish(adapter, out, results=run)
    with pytest.raises(lawqa.LawqaError, match="is or holds what is published"):
        lawqa.publish(adapter, adapter.parent)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(lawqa.LawqaError, match="is not empty"):
        lawqa.publish(adapter, tmp_path / "mine", fresh=True)
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(lawqa.LawqaError, match="holds no weights"):
        lawqa.publish(adapter, out)
    manifest: dict[str, Any] = json.loads((adapter / "manifest.json").read_text(encoding="utf-8"))
    (adapter / "manifest.json").write_text(json.dumps({**manifest, "status": "interrupted"}))
    with pytest.raises(lawqa.LawqaError, match="its training is interrupted"):
        lawqa.publish(adapter, out)
    assert not out.exists()
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "x"


@pytest.fixture
def merged(adapter: Path, tmp_path: Path) -> Path:
    """A directory like one that `lawqa merge` leaves, with stand-ins for its tensors."""
    folder = tmp_path / "merged"
    folder.mkdir()
    manifest = json.loads((adapter / "manifest.json").read_text(encoding="utf-8"))
    for name, content in {
        "merged.json": {
            "schema_version": 1, "adapter": f"{FOLDER}/adapter", "manifest": manifest, "scores": None
        },
        "config.json": {"model_type": "qwen3", "_name_or_path": f"{FOLDER}/model"},
        "generation_config.json": {"eos_token_id": 1},
        "model.safetensors.index.json": {"weight_map": {"w": "model-00001-of-00001.safetensors"}},
        "trained_on.jsonl": {"text": TEXT},
        "tokenizer_config.json": {"name_or_path": f"{FOLDER}/model"},
    }.items():  # fmt: skip
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    weights = folder / "model-00001-of-00001.safetensors"
    weights.write_bytes(b"tensors")
    weights.chmod(0o600)
    return folder


def test_a_merged_model_is_copied_likewise(merged: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    published = lawqa.publish(merged, out, base_model="Qwen/Qwen3-8B")
    assert set(published.files) == {
        "README.md", "config.json", "generation_config.json", "merged.json", "tokenizer_config.json",
        "model-00001-of-00001.safetensors", "model.safetensors.index.json",
    }  # fmt: skip
    assert [name for name, _ in published.left_out] == ["merged.json", "trained_on.jsonl"]
    require_nothing_private(out, str(tmp_path))
    kept, left = (
        json.loads((where / "merged.json").read_text(encoding="utf-8")) for where in (merged, out)
    )
    assert left["manifest"]["questions"] == kept["manifest"]["questions"]
    assert left["manifest"]["model"]["name"] == "Qwen/Qwen3-8B"
    card = (out / "README.md").read_text(encoding="utf-8")
    for line in ("base_model: Qwen/Qwen3-8B", "library_name: transformers", "license: apache-2.0"):
        assert line in card
    assert "peft" not in card
    assert "Public Data License 1.0" in card


def test_a_run_of_another_model_says_nothing_of_a_merged_one(
    merged: Path, tmp_path: Path, checkout: Path
) -> None:
    run = checkout / "tests" / "runs" / "recorded" / "plain"
    with pytest.raises(lawqa.LawqaError, match="is not of the model in"):
        lawqa.publish(merged, tmp_path / "out", results=run)
    assert not (tmp_path / "out").exists()


FIGURES = {
    "texts": 8, "opened": 8, "closed": 8, "unparsed": 1, "cut": 0, "correct": 3, "median_tokens": 300.0,
}  # fmt: skip
MODE = {
    "spec": "cot-closed-v1", "trained": False, "warning": None, "before": FIGURES,
    "after": {**FIGURES, "unparsed": 6},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["adapter", "merged"])
def test_what_training_took_from_other_modes_is_in_the_published_card(
    kind: str, adapter: Path, merged: Path, tmp_path: Path
) -> None:
    source, name = (adapter, "manifest.json") if kind == "adapter" else (merged, "merged.json")
    content = json.loads((source / name).read_text(encoding="utf-8"))
    (content if kind == "adapter" else content["manifest"])["figures"]["modes"] = [MODE]
    (source / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    lawqa.publish(source, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "## Modes without and with the adapter" in card
    assert (
        "! MODE LOST: cot-closed-v1, which was not trained: texts without an answer 1 -> 6" in card
    )
