"""`lawqa prefer --policy` as a student runs it: it earns more, and killed and resumed it is the same."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions
from lawqa.training.checkpoints.checkpoint_state import CheckpointState

pytestmark = [pytest.mark.torch, pytest.mark.slow]

STEPS = 10


class Work:
    """A model that has learnt to answer with a letter, and questions whose right letter is always one."""

    def __init__(self, directory: Path, model: Path, questions: Any) -> None:
        self.directory, self.model = directory, model
        write_questions(directory / "train.json", questions[:12])
        letter = Counter(question.gold for question in questions[:12]).most_common(1)[0][0]
        alike = [question for question in questions[16:] if question.gold == letter][:4]
        write_questions(directory / "policy.json", alike)

    def run(self, command: str, name: str, *more: str) -> int:
        output = str(self.directory / name)
        return main(
            [command, "--model-name", str(self.model), "--output-dir", output, "--no-4bit", "--do-train",
             "--batch-size", "4", "--gradient-accumulation-steps", "1", *more]
        )  # fmt: skip

    def policy(self, name: str, *more: str) -> int:
        data, start = str(self.directory / "policy.json"), str(self.directory / "letters")
        return self.run(
            "prefer", name, "--policy", "--data", data, "--init-adapter", start, "--mode", "direct",
            "--permutations", "1", "--max-new-tokens", "4", "--samples-per-question", "4",
            "--learning-rate", "5e-3", "--kl-weight", "0.001", "--max-steps-override", str(STEPS), *more,
        )  # fmt: skip

    def rows(self, name: str) -> list[dict[str, Any]]:
        lines = (self.directory / name / "log.jsonl").read_text(encoding="utf-8").splitlines()
        return [{**json.loads(line), "tokens_per_second": 0} for line in lines]

    def weights(self, name: str) -> bytes:
        return (self.directory / name / "adapter_model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Work:
    work = Work(tmp_path_factory.mktemp("policy"), tiny_dir, questions)
    letters = ("--train-file", str(work.directory / "train.json"), "--num-epochs", "4")
    assert work.run("train", "letters", *letters, "--learning-rate", "1e-2") == 0
    assert work.policy("whole") == 0
    return work


def test_the_mean_reward_rises(work: Work) -> None:
    rows = work.rows("whole")
    assert [row["step"] for row in rows] == [*range(1, STEPS + 1)]
    before, after = (sum(row["reward"] for row in part) / 2 for part in (rows[:2], rows[-2:]))
    assert after >= before + 0.15
    manifest = json.loads((work.directory / "whole" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["status"]) == ("train", "done")
    assert manifest["config"]["policy"]["samples_per_question"] == 4
    assert len(manifest["questions"]) == 16, "those of both trainings"
    assert manifest["figures"]["objective"]["reward"][1] == rows[-1]["reward"]


def test_its_questions_are_refused_in_an_evaluation(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["evaluate", "--hf-model-name", str(work.model), "--run-dir", str(work.directory / "run"),
             "--data", str(work.directory / "policy.json"), "--no-4bit"]  # fmt: skip
    assert main([*asked, "--hf-lora-path", str(work.directory / "whole")]) == 2
    assert "4 of 4 questions were in the training of" in capsys.readouterr().err


def test_killed_and_resumed_it_is_what_it_would_have_been(
    work: Work, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real, taken = CheckpointState.took_step, [0]

    def stopped(state: CheckpointState, loss: float, tokens: int) -> None:
        taken[0] += 1
        if taken[0] == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        real(state, loss, tokens)

    with monkeypatch.context() as patched:
        patched.setattr(CheckpointState, "took_step", stopped)
        assert work.policy("killed") == 143
    assert f"stopped after step 3 of {STEPS}" in capfd.readouterr().err
    assert work.policy("killed", "--resume", "--kl-weight", "0.1") == 2
    assert "--kl-weight was 0.001, now 0.1" in capfd.readouterr().err
    assert work.policy("killed", "--resume") == 0
    assert work.rows("killed") == work.rows("whole")
    assert work.weights("killed") == work.weights("whole")


def test_texts_are_drawn_after_what_is_retrieved(
    work: Work, embedded_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    index, articles = str(work.directory / "index"), str(embedded_file.with_name("articles.jsonl"))
    assert main(["index", "build", "--articles", articles, "--output-dir", index]) == 0
    rag = ("--condition", "rag", "--index", index, "--max-context-tokens", "200",
           "--max-steps-override", "1", "--permutations", "4")  # fmt: skip
    assert work.policy("rag", *rag) == 0
    assert "16 from" in (said := capsys.readouterr().out)
    assert "(direct-rag-v1): 4 questions in 4 orders" in said
    manifest = json.loads((work.directory / "rag" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["data"]["retrieval"]["top_k"] == 5
    lines = (work.directory / "rag" / "trained_on.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert all(record["retrieved"] in record["messages"][-1]["content"] for record in records)
    contexts = {(record["question_id"], record["retrieved"]) for record in records}
    assert len(contexts) == 4, "one of each question, in every order"
    (work.directory / "rag" / "manifest.json").write_text(
        json.dumps({**manifest, "status": "running", "data": {**manifest["data"], "retrieval": {
            **manifest["data"]["retrieval"], "index_sha256": "0" * 64}}}), encoding="utf-8"
    )  # fmt: skip
    assert work.policy("rag", *rag, "--resume") == 2
    assert "the retrieval's index was 000000000000…" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--pairs", "pairs.jsonl"], "--pairs with --policy"),
        (["--beta", "0.2"], "--beta with --policy"),
        (["--samples-per-question", "1"], "expected 2 or more: one text has no others"),
        (["--use-dora"], "--use-dora: a policy needs the base model"),
        (["--data", "nowhere.json"], "nowhere.json: no such file"),
        (
            ["--condition", "rag"],
            "the condition rag (also meant by --top-k without --no-rag) needs --index DIR",
        ),
        (["--index", "index"], "--index: nothing is retrieved without --policy --condition rag"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_loaded(
    work: Work, flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.policy("refused", *flags) == 2
    assert said in capsys.readouterr().err
    assert not (work.directory / "refused").exists()


def test_several_processes_are_refused_before_anything_is_loaded(
    work: Work, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "RANK": "0",
        "LOCAL_RANK": "0",
    }.items():
        monkeypatch.setenv(name, value)
    assert work.policy("refused") == 2
    assert "preferences are learnt in one process" in capsys.readouterr().err
    assert not (work.directory / "refused").exists()


def test_pairs_take_no_flags_of_the_policy(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    assert work.run("prefer", "refused", "--pairs", "pairs.jsonl", "--kl-weight", "0.1") == 2
    assert "--kl-weight without --policy" in capsys.readouterr().err
