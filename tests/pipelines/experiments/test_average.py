"""Several adapters as one: the exact mean of their updates, and all that they have seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def train(model: Path, data: Path, output: Path, *more: str) -> None:
    assert main([
        "train", "--model-name", str(model), "--train-file", str(data), "--output-dir", str(output),
        "--max-steps-override", "2", "--learning-rate", "1e-2", "--do-train", *more,
    ]) == 0  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Path:
    """Two seeds on the same questions, and an adapter of other rank and scale on others."""
    directory = tmp_path_factory.mktemp("average")
    write_questions(directory / "train.json", questions[:6])
    write_questions(directory / "other.json", questions[6:12])
    write_questions(directory / "test.json", questions[30:34])
    other = ("--lora-r", "4", "--lora-alpha", "6", "--use-rslora", "--lora-dropout", "0")
    train(tiny_dir, directory / "train.json", directory / "one", "--seed", "1")
    train(tiny_dir, directory / "train.json", directory / "two", "--seed", "2")
    train(tiny_dir, directory / "other.json", directory / "three", *other)
    return directory


def average(made: Path, *names: str, to: str = "mean") -> int:
    return main(["average", *(str(made / name) for name in names), "-o", str(made / to)])


def updates(adapter: Path) -> dict[str, Any]:
    """What an adapter adds to each weight, in float64."""
    import math

    from safetensors.torch import load_file

    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    tensors = load_file(adapter / "adapter_model.safetensors")
    root = math.sqrt(config["r"]) if config["use_rslora"] else config["r"]
    return {
        name: config["lora_alpha"]
        / root
        * (tensors[name.replace("_A.", "_B.")].double() @ a.double())
        for name, a in tensors.items()
        if ".lora_A." in name
    }


def test_the_mean_is_exact_answers_and_gives_none_of_its_members_questions_away(
    made: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    assert average(made, "one", "two", "three") == 0
    capsys.readouterr()
    mean = updates(made / "mean")
    parts = [updates(made / name) for name in ("one", "two", "three")]
    for name, update in mean.items():
        expected = sum(part[name] for part in parts) / 3
        assert expected.abs().max() > 1e-4
        assert torch.allclose(update, expected, rtol=1e-5, atol=1e-9)
    manifest = json.loads((made / "mean" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["training"]["lora_r"] == 16 + 16 + 4
    assert [member["seed"] for member in manifest["data"]["averaged"]] == [1, 2, 0]
    records = sorted(path.name for path in (made / "mean").glob("trained_on*"))
    assert records == ["trained_on.jsonl", "trained_on.stage1.jsonl"], "the two seeds saw the same"

    def evaluate(data: str) -> int:
        return main([
            "evaluate", "--data", str(made / data), "--hf-model-name", str(tiny_dir), "--hf-lora-path",
            str(made / "mean"), "--run-dir", str(made / "run"), "--fresh",
        ])  # fmt: skip

    assert evaluate("test.json") == 0
    for data in ("train.json", "other.json"):
        assert evaluate(data) == 2
        assert "6 of 6 questions were in the training of" in capsys.readouterr().err
    train(tiny_dir, made / "test.json", made / "next", "--init-adapter", str(made / "mean"),
          "--lora-r", "36", "--lora-alpha", "36")  # fmt: skip
    content = json.loads((made / "next" / "manifest.json").read_text(encoding="utf-8"))
    assert len(content["questions"]) == 16


def test_what_cannot_be_averaged_is_refused_and_nothing_is_written(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*names: str, to: str = "none") -> str:
        assert average(made, *names, to=to) == 2
        assert not (made / "none").exists()
        return capsys.readouterr().err

    assert "1 adapter to average, expected two or more" in refused("one")
    assert "is named twice" in refused("one", "one")
    assert "is the adapter" in refused("one", "two", to="two")
    assert "nowhere" in refused("one", "nowhere")
    bare = made / "bare"
    shutil.copytree(made / "two", bare)
    (bare / "manifest.json").unlink()
    assert "has no manifest" in refused("one", "bare")
    shutil.rmtree(bare)
    foreign = made / "foreign"
    shutil.copytree(made / "two", foreign)
    content = json.loads((foreign / "manifest.json").read_text(encoding="utf-8"))
    content["model"]["dtype"] = "float16"
    (foreign / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    assert "was trained with dtype float16" in refused("one", "foreign")


def test_adapters_of_other_layers_or_dora_are_refused(
    made: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tiny_dir, made / "train.json", made / "few", "--target-modules", "q_proj")
    assert average(made, "one", "few", to="none") == 2
    assert "are on different layers" in capsys.readouterr().err
    train(tiny_dir, made / "train.json", made / "dora", "--use-dora")
    assert average(made, "one", "dora", to="none") == 2
    assert "cannot be averaged exactly: it has use_dora" in capsys.readouterr().err
    assert not (made / "none").exists()
