"""Interrupted and resumed training ends in the very same log and adapter as an uninterrupted one."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions
from lawqa.runs.upkeep.lock import run_lock
from lawqa.training.checkpoints.checkpoint_state import CheckpointState

pytestmark = [pytest.mark.torch, pytest.mark.slow]

STEPS = 8


class Training:
    """A training of two epochs with dropout, dev questions and a checkpoint every other step."""

    def __init__(self, directory: Path, model: Path, questions: Any) -> None:
        self.directory = directory
        self.model = model
        write_questions(directory / "train.json", questions[:16])
        write_questions(directory / "dev.json", questions[16:22])

    def arguments(self, name: str, *more: str) -> list[str]:
        return [
            "train", "--model-name", str(self.model), "--train-file", str(self.directory / "train.json"),
            "--dev-file", str(self.directory / "dev.json"), "--output-dir", str(self.directory / name),
            "--use-4bit", "--num-epochs", "2", "--batch-size", "4", "--gradient-accumulation-steps", "1",
            "--learning-rate", "5e-3", "--lora-dropout", "0.1", "--logging-steps", "3", "--save-steps", "2",
            "--eval-steps", "3", "--do-train", *more,
        ]  # fmt: skip

    def run(self, name: str, *more: str) -> int:
        return main(self.arguments(name, *more))

    def log(self, name: str) -> list[dict[str, Any]]:
        path = self.directory / name / "log.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [{k: v for k, v in row.items() if k != "tokens_per_second"} for row in rows]

    def adapter(self, name: str) -> bytes:
        return (self.directory / name / "adapter_model.safetensors").read_bytes()

    def manifest(self, name: str) -> dict[str, Any]:
        text = (self.directory / name / "manifest.json").read_text(encoding="utf-8")
        content: dict[str, Any] = json.loads(text)
        return content

    def checkpoints(self, name: str) -> list[str]:
        return sorted(
            path.name for path in (self.directory / name).glob("checkpoints/checkpoint-*")
        )


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Training:
    directory = tmp_path_factory.mktemp("resume")
    training = Training(directory, tiny_dir, questions)
    assert training.run("whole") == 0
    return training


def send_at(patched: pytest.MonkeyPatch) -> Callable[[int, signal.Signals], None]:
    """Send this process a signal in the middle of the step of this number."""

    def arrange(number: int, signum: signal.Signals) -> None:
        taken, original = [0], CheckpointState.took_step

        def took_step(keeper: CheckpointState, loss: float, tokens: int) -> None:
            taken[0] += 1
            if taken[0] == number:
                os.kill(os.getpid(), signum)
            original(keeper, loss, tokens)

        patched.setattr(CheckpointState, "took_step", took_step)

    return arrange


@pytest.fixture
def signal_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, signal.Signals], None]:
    return send_at(monkeypatch)


@pytest.fixture(scope="module")
def stopped(training: Training) -> Path:
    """A training that SIGTERM stopped in step 5, after checkpoints of steps 2 and 4; to be copied."""
    with pytest.MonkeyPatch.context() as patched:
        send_at(patched)(5, signal.SIGTERM)
        assert training.run("stopped") == 143
    return training.directory / "stopped"


@pytest.mark.parametrize(
    ("signum", "step", "code"),
    [
        (signal.SIGTERM, 1, 143),  # before the first checkpoint by steps, the loss not logged yet
        (signal.SIGINT, 4, 130),  # at the end of an epoch
        (signal.SIGHUP, 5, 129),  # in the second epoch
    ],
)
def test_a_signal_saves_and_exits_with_its_code_and_resume_ends_the_same(
    training: Training,
    signal_at: Callable[[int, signal.Signals], None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    signum: signal.Signals,
    step: int,
    code: int,
) -> None:
    name = signum.name
    before = signal.getsignal(signum)
    signal_at(step, signum)
    assert training.run(name) == code
    assert signal.getsignal(signum) is before
    err = capfd.readouterr().err
    assert f"{name}: saving after this step, then stopping" in err
    assert f"stopped after step {step} of {STEPS}; saved" in err
    assert "resume with: " in err
    assert err.rstrip().endswith("--resume")
    assert training.manifest(name)["status"] == "interrupted"
    assert f"checkpoint-{step}" in training.checkpoints(name)
    assert not (training.directory / name / "adapter_model.safetensors").exists()

    monkeypatch.undo()
    assert training.run(name, "--resume") == 0
    assert f"resuming from {training.directory / name}" in capfd.readouterr().err
    assert training.log(name) == training.log("whole")
    assert training.adapter(name) == training.adapter("whole")
    manifest, whole = training.manifest(name), training.manifest("whole")
    assert manifest["status"] == "done"
    for figure in ("steps", "first_loss", "last_loss", "tokens", "best", "dev"):
        assert manifest["figures"][figure] == whole["figures"][figure], figure
    assert training.checkpoints(name) == []


def test_a_signal_in_the_dev_scoring_cuts_it_short_and_resume_makes_up_for_it(
    training: Training, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from lawqa.training import trainer

    real = trainer.AnswerTrainer.evaluate

    def evaluate(self: Any, *args: Any, **options: Any) -> Any:
        if self.state.global_step == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, *args, **options)

    monkeypatch.setattr(trainer.AnswerTrainer, "evaluate", evaluate)
    assert training.run("scoring") == 143
    assert "stopped after step 3 of 8" in capfd.readouterr().err
    assert [row["step"] for row in training.log("scoring") if "dev_accuracy" in row] == [0]
    monkeypatch.undo()
    assert training.run("scoring", "--resume") == 0
    assert training.log("scoring") == training.log("whole")
    assert training.adapter("scoring") == training.adapter("whole")


def test_a_torn_checkpoint_is_passed_over_for_the_one_before(
    training: Training, stopped: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(stopped, training.directory / "torn")
    optimizer = training.directory / "torn" / "checkpoints" / "checkpoint-5" / "optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:-100])
    assert training.run("torn", "--resume") == 0
    err = capfd.readouterr().err
    assert "checkpoint-5 is torn (optimizer.pt is not what was written)" in err
    assert "checkpoint-4" in err
    assert training.log("torn") == training.log("whole")
    assert training.adapter("torn") == training.adapter("whole")


def test_a_torn_checkpoint_does_not_count_among_those_to_keep(
    training: Training,
    stopped: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    name, options = "torn-again", ("--save-total-limit", "1")
    shutil.copytree(stopped, training.directory / name)
    last = training.directory / name / "checkpoints" / "checkpoint-5"
    (last / "optimizer.pt").write_bytes(b"")
    with monkeypatch.context() as patched:
        send_at(patched)(1, signal.SIGTERM)  # of this process: the fifth step once more
        assert training.run(name, "--resume", *options) == 143
    err = capfd.readouterr().err
    assert "put aside as checkpoint-5.torn" in err
    assert f"saved {last}" in err
    assert training.checkpoints(name) == ["checkpoint-5", "checkpoint-5.torn"]
    assert training.run(name, "--resume") == 0
    assert f"resuming from {last}" in capfd.readouterr().err
    assert training.adapter(name) == training.adapter("whole")
    assert training.checkpoints(name) == []


def test_a_signal_while_the_adapter_is_written_costs_nothing(
    training: Training, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from lawqa.pipelines.training import train

    written = train.write_outputs

    def write_outputs(*given: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        written(*given)

    monkeypatch.setattr(train, "write_outputs", write_outputs)
    assert training.run("finishing") == 143
    err = capfd.readouterr().err
    assert "SIGTERM: training is over; its adapter is being written, then this ends" in err
    assert "training is done; adapter: " in err
    assert "resume with" not in err
    assert training.manifest("finishing")["status"] == "done"
    assert training.adapter("finishing") == training.adapter("whole")


def test_kill_9_at_any_moment_loses_nothing_but_the_steps_since_the_last_checkpoint(
    training: Training, preloaded: Any
) -> None:
    moments = random.Random(0)  # noqa: S311 - which moments does not matter, that they are the same does
    log = training.directory / "killed" / "log.jsonl"
    # Once; `make rough` kills one training again and again.
    process = preloaded.start(training.arguments("killed", "--save-steps", "1"))
    process.wait_for(
        lambda: log.is_file() and len(log.read_text(encoding="utf-8").splitlines()) >= 3
    )
    time.sleep(moments.uniform(0, 0.3))
    process.kill()
    assert process.wait(timeout=60) in (-signal.SIGKILL, 0)
    assert training.run("killed", "--resume") == 0
    assert training.log("killed") == training.log("whole")
    assert training.adapter("killed") == training.adapter("whole")


def test_resume_refuses_another_training_and_names_every_difference(
    training: Training, stopped: Path, questions: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(stopped, training.directory / "changed")
    capfd.readouterr()
    other = training.directory / "other.json"
    write_questions(other, questions[:15])
    changes = ("--learning-rate", "1e-3", "--use-rslora", "--train-file", str(other))
    assert training.run("changed", "--resume", *changes) == 2
    err = capfd.readouterr().err
    assert "--learning-rate was 0.005, now 0.001" in err
    assert "--use-rslora was False, now True" in err
    assert "the content of --train-file was" in err
    assert "--lora-r was" not in err
    assert training.run("changed", "--do-train") == 2
    assert "--resume resumes it, --fresh replaces it" in capfd.readouterr().err
    assert training.run("changed", "--resume", "--fresh") == 2
    assert "--resume and --fresh contradict each other" in capfd.readouterr().err
    # What changes speed or memory only may differ.
    assert (
        training.run("changed", "--resume", "--save-minutes", "1", "--save-total-limit", "1") == 0
    )
    assert training.adapter("changed") == training.adapter("whole")


def test_a_training_that_was_killed_before_its_first_checkpoint_begins_anew(
    training: Training, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("as if killed")

    monkeypatch.setattr(CheckpointState, "took_step", fail)
    with pytest.raises(RuntimeError, match="as if killed"):
        training.run("early")
    assert training.manifest("early")["status"] == "failed"
    monkeypatch.undo()
    assert training.run("early", "--resume") == 0
    assert "there is no checkpoint to resume from: training starts over" in capfd.readouterr().err
    assert training.log("early") == training.log("whole")


def test_resume_of_a_finished_training_does_nothing_and_of_none_begins(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    changed_at = (training.directory / "whole" / "manifest.json").stat().st_mtime_ns
    assert training.run("whole", "--resume") == 0
    assert "training is done already" in capfd.readouterr().out
    assert (training.directory / "whole" / "manifest.json").stat().st_mtime_ns == changed_at
    other = ("--learning-rate", "0.01", "--train-file", str(training.directory / "dev.json"))
    assert training.run("whole", "--resume", *other) == 2
    err = capfd.readouterr().err
    assert "the content of --train-file was" in err
    assert "--learning-rate was 0.005, now 0.01" in err
    assert training.run("whole", "--resume", "--train-file", "nowhere.json") == 2
    assert "nowhere.json: no such file" in capfd.readouterr().err
    assert training.run("whole", "--resume", "--fresh") == 2
    assert "--resume and --fresh contradict each other" in capfd.readouterr().err
    assert training.run("new", "--resume", "--max-steps-override", "1") == 0
    assert "holds no training to resume: a new one begins" in capfd.readouterr().err


def test_a_second_process_on_the_same_training_is_refused(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    held = training.directory / "held"
    held.mkdir()
    for more in ((), ("--resume",), ("--fresh",)):
        with run_lock(held / ".lock"):
            assert training.run("held", *more) == 2
        err = capfd.readouterr().err
        assert f"error: {held}: another process (pid {os.getpid()}) is writing this run" in err
    assert [path.name for path in held.iterdir()] == [".lock"]
