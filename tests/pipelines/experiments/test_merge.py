"""`lawqa merge`: a whole model that answers like the adapter, with the scores before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.backends.hf.backend import HFBackend
from lawqa.cli import main
from lawqa.models.load import load_model
from lawqa.models.tiny import write_tiny_model
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import write_questions
from lawqa.runs.stored import read_stored_run
from lawqa.settings import ModelSettings

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Path:
    directory = tmp_path_factory.mktemp("merge")
    write_questions(directory / "train.json", questions[:12])
    write_questions(directory / "dev.json", questions[12:20])
    assert main(["train", "--model-name", str(tiny_dir), "--train-file", str(directory / "train.json"),
                 "--output-dir", str(directory / "adapter"), "--use-4bit", "--num-epochs", "1",
                 "--learning-rate", "5e-3", "--do-train"]) == 0  # fmt: skip
    return directory / "adapter"


def logprobs(questions: Any, model: ModelSettings, adapter: Path | None = None) -> torch.Tensor:
    loaded = load_model(model, adapter)
    prompts = [build_prompt(question, PromptSpec()) for question in questions[12:20]]
    scores = {s.key: s.logprobs for s in HFBackend(loaded).score_choices(prompts)}  # type: ignore[union-attr]
    return torch.tensor([scores[prompt.key] for prompt in prompts])


def test_the_merged_model_is_base_and_adapter_and_the_shift_is_told(
    adapter: Path,
    tiny_dir: Path,
    questions: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output, dev = tmp_path / "merged", adapter.parent / "dev.json"
    assert main(["merge", str(adapter), "-o", str(output), "--dev-file", str(dev)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["before", "merged"]
    assert "of 8 answers: " in out
    content = json.loads((output / "merged.json").read_text(encoding="utf-8"))
    assert content["manifest"]["kind"] == "train"
    assert content["scores"]["shift"] > 0, "4-bit and exact weights cannot give the same"
    assert (output / "trained_on.jsonl").is_file()

    merged = logprobs(questions, ModelSettings(model_name=str(output)))
    exact = logprobs(questions, ModelSettings(model_name=str(tiny_dir)), adapter)
    base = logprobs(questions, ModelSettings(model_name=str(tiny_dir)))
    assert (merged - exact).abs().max() < 0.1, "more than bfloat16's rounding"
    assert (merged - exact).abs().max() < 0.2 * (base - exact).abs().max()
    config = json.loads((output / "config.json").read_text(encoding="utf-8"))
    assert config["dtype"] == "bfloat16"
    assert "quantization_config" not in config


def test_without_dev_questions_that_is_said_and_used_directories_are_left_alone(
    adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "merged"
    assert main(["merge", str(adapter), "-o", str(output)]) == 0
    assert "! NOT SCORED: --dev-file says what the merge did" in capsys.readouterr().out
    assert main(["merge", str(adapter), "-o", str(output)]) == 2
    assert "--fresh replaces a merged model" in capsys.readouterr().err
    assert main(["merge", str(adapter), "-o", str(output), "--fresh"]) == 0
    capsys.readouterr()
    assert main(["merge", str(adapter), "-o", str(adapter), "--fresh"]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert (adapter / "adapter_model.safetensors").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["merged"]


def test_another_base_and_an_unusable_place_are_refused_before_anything_is_scored(
    adapter: Path,
    tmp_path: Path,
    tiny_tokenizer: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_tiny_model(tmp_path / "other", tiny_tokenizer, seed=7)
    dev = ["--dev-file", str(adapter.parent / "dev.json")]
    other = ["--model-name", str(tmp_path / "other")]
    assert main(["merge", str(adapter), "-o", str(tmp_path / "merged"), *other, *dev]) == 2
    err = capsys.readouterr().err
    assert "was trained over" in err
    assert "scoring" not in err
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir("empty")
    assert main(["merge", str(adapter), "-o", ".", *dev]) == 2
    err = capsys.readouterr().err
    assert ".: is where the command runs" in err
    assert "scoring" not in err


def test_a_merged_model_is_held_to_what_its_adapter_was_trained_on(
    adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "merged"
    assert main(["merge", str(adapter), "-o", str(output)]) == 0

    def evaluate(data: str, *more: str) -> int:
        capsys.readouterr()
        return main(["evaluate", "--data", str(adapter.parent / data), "--no-4bit",
                     "--hf-model-name", str(output),
                     "--run-dir", str(tmp_path / f"run-{data}"), *more])  # fmt: skip

    assert evaluate("train.json") == 2
    assert f"12 of 12 questions were in the training of {output}" in capsys.readouterr().err
    assert evaluate("train.json", "--allow-leak") == 0
    assert capsys.readouterr().out.startswith("! LEAK: 12 of 12 questions")
    assert evaluate("dev.json", "--condition", "gold") == 2
    assert "was trained on the prompt specs direct-closed-v1" in capsys.readouterr().err
    assert evaluate("dev.json") == 0
    assert "LEAK" not in capsys.readouterr().out

    template = output / "chat_template.jinja"
    template.write_text(template.read_text(encoding="utf-8") + "{# #}", encoding="utf-8")
    assert evaluate("dev.json", "--fresh") == 2
    assert "chat template of direct-closed-v1 has changed" in capsys.readouterr().err


def test_trained_on_questions_are_no_dev_questions(
    adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = adapter.parent / "train.json"
    assert main(["merge", str(adapter), "-o", str(tmp_path / "m"), "--dev-file", str(train)]) == 2
    assert "12 of 12 questions were in the training of" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_a_base_of_4_bit_files_is_trained_over_and_not_merged_into(
    stored_in_4bit: Path, tiny_dir: Path, questions: Any, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write_questions(tmp_path / "train.json", questions[:4])
    write_questions(tmp_path / "test.json", questions[12:16])
    adapter = tmp_path / "adapter"
    assert main(["train", "--model-name", str(stored_in_4bit), "--do-train",
                 "--train-file", str(tmp_path / "train.json"), "--output-dir", str(adapter),
                 "--num-epochs", "1"]) == 0  # fmt: skip
    assert f"{stored_in_4bit}, fp4" in capsys.readouterr().out
    assert main(["evaluate", "--hf-model-name", str(stored_in_4bit), "--hf-lora-path", str(adapter),
                 "--data", str(tmp_path / "test.json"),
                 "--run-dir", str(tmp_path / "run")]) == 0  # fmt: skip
    assert (
        json.loads((tmp_path / "run/manifest.json").read_text())["model"]["quantisation"] == "fp4"
    )
    assert "are taken" not in capsys.readouterr().err  # nobody asked for another type
    assert main(["merge", str(adapter), "-o", str(tmp_path / "merged"),
                 "--dev-file", str(tmp_path / "test.json")]) == 2  # fmt: skip
    err = capsys.readouterr().err
    assert "scoring" not in err
    assert "its files hold 4-bit weights, and merging needs whole ones" in err
    assert "hint: --model-name" in err
    assert not (tmp_path / "merged").exists()
    assert main(["merge", str(adapter), "-o", str(tmp_path / "merged"),
                 "--model-name", str(tiny_dir)]) == 0  # fmt: skip
    assert "UNKNOWN BASE: " in capsys.readouterr().err


def test_a_published_merged_model_answers_alike_and_still_refuses_what_it_learnt(
    adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merged, out, dev = tmp_path / "merged", tmp_path / "out", str(adapter.parent / "dev.json")
    assert main(["merge", str(adapter), "-o", str(merged)]) == 0
    asked = ["evaluate", "--no-4bit", "--data", dev, "--model-name"]
    assert main([*asked, str(merged), "--run-dir", str(tmp_path / "run")]) == 0
    published = ["publish", str(merged), "--output-dir", str(out)]
    assert main([*published, "--results", str(tmp_path / "run")]) == 0
    assert "| run (direct-closed-v1) | " in (out / "README.md").read_text(encoding="utf-8")
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o644}
    assert not [*out.glob("trained_on*")]
    assert main([*asked, str(out), "--run-dir", str(tmp_path / "copy")]) == 0
    answers = [
        [result.label_logprobs for result in read_stored_run(run).results]
        for run in (tmp_path / "run", tmp_path / "copy")
    ]
    assert answers[0] == answers[1]
    capsys.readouterr()
    train = str(adapter.parent / "train.json")
    assert main(["evaluate", "--no-4bit", "--data", train, "--model-name", str(out)]) == 2
    assert "12 of 12" in capsys.readouterr().err
