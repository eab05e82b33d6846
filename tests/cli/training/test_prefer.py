"""`lawqa prefer` as a student runs it: after `lawqa train`, killed and resumed, and tried wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.prompting import PromptSpec
from lawqa.questions import write_questions
from lawqa.records import Pair, make_record, write_pairs
from lawqa.training.checkpoints.checkpoint_state import CheckpointState
from lawqa.training.trainer import AnswerTrainer

pytestmark = [pytest.mark.torch, pytest.mark.slow]

COT = PromptSpec(mode="cot")


class Work:
    """A directory with an adapter, pairs and held-out questions, and commands that run in it."""

    def __init__(self, directory: Path, model: Path, questions: Any) -> None:
        self.directory, self.model = directory, model
        write_questions(directory / "train.json", questions[:6])
        write_questions(directory / "held-out.json", questions[16:20])
        write_questions(directory / "near.json", [*questions[16:18], questions[8]])
        right = [
            make_record(q, COT, reasoning="条文の要件に当てはまるのはこれである。")
            for q in questions[6:12]
        ]
        pairs = [Pair(one, replace(one, answer="要件を満たさない。\n最終回答：x")) for one in right]
        write_pairs(directory / "pairs.jsonl", pairs)

    def run(self, command: str, name: str, *more: str) -> int:
        return main(
            [command, "--model-name", str(self.model), "--output-dir", str(self.directory / name), "--4bit",
             "--batch-size", "2", "--gradient-accumulation-steps", "1", "--num-epochs", "1",
             "--learning-rate", "5e-3", *more]
        )  # fmt: skip

    def prefer(self, name: str, *more: str) -> int:
        given = ("--pairs", str(self.directory / "pairs.jsonl"), *more)
        return self.run("prefer", name, "--init-adapter", str(self.directory / "first"), *given)

    def manifest(self, name: str) -> dict[str, Any]:
        text = (self.directory / name / "manifest.json").read_text(encoding="utf-8")
        content: dict[str, Any] = json.loads(text)
        return content

    def files(self, name: str) -> tuple[bytes, list[dict[str, Any]]]:
        lines = (self.directory / name / "log.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [{**json.loads(line), "tokens_per_second": 0} for line in lines]
        return (self.directory / name / "adapter_model.safetensors").read_bytes(), rows


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Work:
    work = Work(tmp_path_factory.mktemp("prefer"), tiny_dir, questions)
    train_file = str(work.directory / "train.json")
    assert work.run("train", "first", "--train-file", train_file, "--do-train") == 0
    assert work.prefer("whole", "--do-train") == 0
    return work


def test_the_adapter_is_one_that_lawqa_train_could_have_written(
    work: Work, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = work.manifest("whole")
    assert (manifest["kind"], manifest["status"]) == ("train", "done")
    assert manifest["config"]["preference"]["beta"] == 0.1
    assert (manifest["data"]["pairs"], manifest["figures"]["steps"]) == (6, 3)
    assert {q["id"] for q in manifest["questions"]} == {q.id for q in questions[:12]}
    assert [stage["path"] for stage in manifest["data"]["stages"]] == [
        str(work.directory / "first")
    ]
    assert "margin_accuracy" in manifest["figures"]["objective"]
    assert not (work.directory / "whole" / "checkpoints").exists()
    evaluate = ["evaluate", "--hf-model-name", str(work.model), "--run-dir", str(work.directory / "run"),
                "--hf-lora-path", str(work.directory / "whole"), "--allow-prompt-mismatch"]  # fmt: skip
    assert main([*evaluate, "--data", str(work.directory / "held-out.json")]) == 0
    # Each of the two trainings' questions is refused, here one of the pairs'.
    assert main([*evaluate, "--data", str(work.directory / "near.json"), "--fresh"]) == 2
    assert "was in the training of" in capsys.readouterr().err


def test_a_rehearsal_says_what_it_would_do_and_writes_nothing(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.prefer("rehearsal", "--length-normalised", "--beta", "5") == 0
    out = capsys.readouterr().out
    assert "pairs      6 from" in out
    assert "objective  DPO, beta 5, rewards per token, 1 times the right answer's own loss" in out
    assert "steps      3 of 2 pairs (2 x 1), 3 an epoch, 1 epochs" in out
    assert not (work.directory / "rehearsal").exists()


@pytest.mark.parametrize("when", ["step", "reference"])
def test_killed_and_resumed_it_is_what_it_would_have_been(
    work: Work, when: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    kind, name = (CheckpointState, "took_step") if when == "step" else (AnswerTrainer, "rehearse")
    real: Callable[..., Any] = getattr(kind, name)

    def stopped(*given: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(kind, name, stopped)
        assert work.prefer(when, "--do-train") == 143
    said = (
        "stopped after step 1 of 3" if when == "step" else "stopped before the first step; 0 of 12"
    )
    assert said in capfd.readouterr().err
    assert work.prefer(when, "--do-train", "--resume") == 0
    assert work.files(when) == work.files("whole")


def test_a_killed_one_is_not_resumed_as_another(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.prefer("whole", "--do-train", "--resume", "--beta", "0.2") == 2
    assert "--beta was 0.1, now 0.2" in capsys.readouterr().err
    train = ("--train-file", str(work.directory / "pairs.jsonl"), "--do-train", "--resume",
             "--init-adapter", str(work.directory / "first"), "--lora-dropout", "0")  # fmt: skip
    assert work.run("train", "whole", *train) == 2
    assert "what is learnt from was preference, now answers" in capsys.readouterr().err


def test_a_dev_question_that_a_pair_gives_away_is_refused(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    near = str(work.directory / "near.json")
    assert work.prefer("leak", "--dev-file", near) == 2
    assert "1 of 3 dev questions are trained on" in capsys.readouterr().err
    assert work.prefer("no-leak", "--dev-file", str(work.directory / "held-out.json")) == 0


def test_an_adapter_of_another_base_is_refused(
    work: Work, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "first"
    shutil.copytree(work.directory / "first", other)
    text = (other / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    manifest["model"].update(name="Qwen/other", content=None, directory_sha256="0" * 64)
    (other / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert work.prefer("other", "--init-adapter", str(other)) == 2
    error = capsys.readouterr().err
    assert "--init-adapter:" in error
    assert "was trained over Qwen/other" in error


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--lora-dropout", "0.1"], "--lora-dropout: preferences are learnt without it"),
        (["--beta", "0"], "--beta is 0"),
        (["--pairs", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["--pairs", "{records}"], "line 1 is not a pair: expected an object with a right and"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_loaded(
    work: Work, flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [flag.format(records=work.directory / "first" / "trained_on.jsonl") for flag in flags]
    assert work.prefer("refused", *flags) == 2
    assert re.search(re.escape(said), capsys.readouterr().err)
    assert not (work.directory / "refused").exists()
