"""A training that starts from an adapter: its weights, and everything that they have seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions

pytestmark = [pytest.mark.torch, pytest.mark.slow]


class Stages:
    """Three trainings, each on questions of its own, the later two started from the one before."""

    def __init__(self, directory: Path, model: Path, questions: Any) -> None:
        self.directory, self.model = directory, model
        for number in (1, 2, 3, 4):
            write_questions(
                directory / f"train{number}.json", questions[6 * number - 6 : 6 * number]
            )
        write_questions(directory / "new.json", questions[30:36])
        write_questions(directory / "dev.json", questions[36:40])

    def adapter(self, number: int) -> Path:
        return self.directory / f"adapter{number}"

    def train(self, number: int, *more: str) -> int:
        questions = str(self.directory / f"train{number}.json")
        return main([
            "train", "--no-4bit", "--model-name", str(self.model), "--train-file", questions, "--output-dir",
            str(self.adapter(number)), "--learning-rate", "1e-2", "--num-epochs", "2", "--do-train", *more,
        ])  # fmt: skip

    def start(self, number: int) -> tuple[str, ...]:
        return ("--init-adapter", str(self.adapter(number)))

    def evaluate(self, number: int, data: str, *more: str) -> int:
        return main([
            "evaluate", "--data", str(self.directory / data), "--hf-model-name", str(self.model),
            "--hf-lora-path", str(self.adapter(number)), "--run-dir", str(self.directory / "run"), "--fresh",
            *more,
        ])  # fmt: skip

    def manifest(self, number: int) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            (self.adapter(number) / "manifest.json").read_text(encoding="utf-8")
        )
        return content


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Stages:
    made = Stages(tmp_path_factory.mktemp("stages"), tiny_dir, questions)
    assert made.train(1, "--dev-file", str(made.directory / "dev.json")) == 0
    assert made.train(2, *made.start(1), "--learning-rate", "1e-12") == 0
    assert made.train(3, *made.start(2)) == 0
    return made


def test_weights_go_on_and_what_every_stage_saw_stays_known(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch
    from safetensors.torch import load_file

    first, second, third = (
        load_file(stages.adapter(number) / "adapter_model.safetensors") for number in (1, 2, 3)
    )
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)
    assert not all(torch.allclose(second[name], third[name], atol=1e-4) for name in first)

    assert [len(stages.manifest(number)["questions"]) for number in (1, 2, 3)] == [6, 12, 18]
    kept = stages.manifest(3)["data"]["stages"]
    assert [stage["trained_on"] for stage in kept] == [
        "trained_on.stage1.jsonl", "trained_on.stage2.jsonl",
    ]  # fmt: skip
    for name in ("trained_on.jsonl", *(stage["trained_on"] for stage in kept)):
        assert (stages.adapter(3) / name).is_file()
    capsys.readouterr()
    for number in (1, 2, 3):
        assert stages.evaluate(3, f"train{number}.json") == 2
        assert "6 of 6 questions were in the training of" in capsys.readouterr().err
    assert stages.evaluate(3, "new.json") == 0
    assert "LEAK" not in capsys.readouterr().out
    assert stages.evaluate(3, "dev.json") == 0
    assert "CHOSEN BY: 4 of 4 questions" in capsys.readouterr().out
    merged = stages.directory / "merged"
    assert main(["merge", str(stages.adapter(3)), "-o", str(merged)]) == 0
    assert (merged / "trained_on.stage1.jsonl").is_file()


def test_relatives_of_an_earlier_stages_questions_are_refused_and_lost_records_too(
    stages: Stages, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    relative = replace(questions[30], id="新しい問題", context=questions[0].context)
    write_questions(stages.directory / "related.json", [relative, *questions[31:34]])
    assert stages.evaluate(3, "related.json") == 2
    assert "1 of 4 questions with the context or article" in capsys.readouterr().err
    lost = stages.adapter(3) / "trained_on.stage1.jsonl"
    aside = lost.rename(lost.with_suffix(".aside"))
    assert stages.evaluate(3, "related.json") == 2
    assert "has lost trained_on.stage1.jsonl" in capsys.readouterr().err
    assert stages.train(4, *stages.start(3)) == 2
    assert "has lost trained_on.stage1.jsonl" in capsys.readouterr().err
    aside.rename(lost)


def test_what_does_not_fit_is_refused_before_a_model_is_loaded(
    stages: Stages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    def refused(*options: str) -> str:
        assert stages.train(4, *options, "--model-name", "no-such-model") == 2
        return capsys.readouterr().err

    err = refused(*stages.start(1), "--lora-r", "8", "--lora-alpha", "8")
    assert "another form than --lora-r 8, --lora-alpha 8" in err
    assert "give --lora-r 16 --lora-alpha 32" in err
    bare = tmp_path / "bare"
    shutil.copytree(stages.adapter(1), bare)
    (bare / "manifest.json").unlink()
    assert "has no manifest" in refused("--init-adapter", str(bare))
    assert "nowhere" in refused("--init-adapter", "nowhere")
    seen = refused(*stages.start(2), "--dev-file", str(stages.directory / "train1.json"))
    assert "6 of 6 dev questions are trained on" in seen
    assert not stages.adapter(4).exists()


def test_another_start_is_another_training(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stages.train(3, *stages.start(2), "--resume") == 0
    assert stages.train(3, *stages.start(1), "--resume") == 2
    assert "the weights of --init-adapter was" in capsys.readouterr().err
    assert stages.train(3, "--resume") == 2
