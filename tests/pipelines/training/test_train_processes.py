"""Two processes train what one does: the same steps, losses, dev answers, and one adapter."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions

pytestmark = pytest.mark.torch


class Work:
    """13 records in steps of 3 or 4: two processes can never share them evenly."""

    def __init__(self, directory: Path, model: Path, questions: Any) -> None:
        self.directory = directory
        self.model = model
        write_questions(directory / "train.json", questions[:13])
        write_questions(directory / "dev.json", questions[14:19])

    def arguments(self, name: str, *more: str) -> list[str]:
        return [
            "train", "--model-name", str(self.model), "--train-file", str(self.directory / "train.json"),
            "--dev-file", str(self.directory / "dev.json"), "--output-dir", str(self.directory / name),
            "--use-4bit", "--num-epochs", "2", "--batch-size", "2", "--gradient-accumulation-steps", "2",
            "--learning-rate", "5e-3", "--lora-dropout", "0", "--token-budget", "600", "--do-train", *more,
        ]  # fmt: skip

    def start(self, name: str, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - the test's own words
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
             "-m", "lawqa", *self.arguments(name, *more)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        )  # fmt: skip

    def launch(self, preloaded: Any, name: str, *more: str) -> Any:
        """Start two processes as torchrun does; the launcher itself is in the long versions above."""
        return preloaded.launch(self.arguments(name, *more))

    def rows(self, name: str) -> list[dict[str, Any]]:
        text = (self.directory / name / "log.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Work:
    work = Work(tmp_path_factory.mktemp("processes"), tiny_dir, questions)
    assert main(work.arguments("one")) == 0
    return work


def same_curve(work: Work, name: str) -> None:
    one, two = work.rows("one"), work.rows(name)
    assert [row["step"] for row in two] == [row["step"] for row in one]
    for mine, theirs in zip(two, one, strict=True):
        if "loss" in theirs:
            assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
            assert mine["grad_norm"] == pytest.approx(theirs["grad_norm"], rel=1e-3)
        else:
            assert mine["dev_answers"] == theirs["dev_answers"]
            assert mine["dev_correct"] == theirs["dev_correct"]


def same_figures(work: Work, name: str) -> None:
    manifests = [
        json.loads((work.directory / run / "manifest.json").read_text(encoding="utf-8"))
        for run in ("one", name)
    ]
    assert manifests[1]["status"] == "done"
    assert manifests[1]["figures"]["tokens"] == manifests[0]["figures"]["tokens"]
    assert manifests[1]["figures"]["best"]["step"] == manifests[0]["figures"]["best"]["step"]


@pytest.mark.slow
@pytest.mark.rough
@pytest.mark.long
def test_two_processes_give_the_loss_curve_of_one(work: Work) -> None:
    """To the end without a break; the interrupted training below is tested every day."""
    process = work.start("two")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert out.count("records    13 from") == 1, "every process prints the plan"
    same_curve(work, "two")
    same_figures(work, "two")


def weights_are_shared(out: str, err: str) -> None:
    assert "its weights shared out over 2 processes" in out
    found = re.search(r"each process keeps ([\d.]+) of ([\d.]+) MiB of frozen weights", err)
    assert found is not None, err
    here, whole = map(float, found.groups())
    assert whole > 1
    assert here == pytest.approx(whole / 2, rel=0.05)


@pytest.mark.slow
@pytest.mark.rough
@pytest.mark.long
def test_weights_shared_out_give_the_loss_curve_of_whole_ones(work: Work) -> None:
    """From the first step on; a resumed training with shared weights is tested every day."""
    process = work.start("sharded", "--fsdp", "--save-steps", "3")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    same_curve(work, "sharded")
    weights_are_shared(out, err)
    assert (work.directory / "sharded" / "adapter_model.safetensors").is_file()


@pytest.mark.slow
def test_a_signal_stops_both_at_one_step_and_both_go_on(work: Work, preloaded: Any) -> None:
    both = work.launch(preloaded, "cut")
    log = work.directory / "cut" / "log.jsonl"
    both[0].wait_for(
        lambda: log.is_file() and len(log.read_text(encoding="utf-8").splitlines()) >= 2
    )
    for process in both:  # as the launcher passes it on
        process.send_signal(signal.SIGTERM)
    _, err = both[0].communicate(timeout=120)
    assert "resume with: " in err, err
    assert [process.wait(timeout=120) for process in both] == [143, 143]
    manifest = json.loads((work.directory / "cut" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "interrupted"
    # How the weights lie does not matter to a checkpoint.
    both = work.launch(preloaded, "cut", "--resume", "--fsdp")
    out, err = both[0].communicate(timeout=240)
    other = both[1].communicate(timeout=240)
    assert [process.returncode for process in both] == [0, 0], err + other[1]
    weights_are_shared(out, err)
    assert (out + other[0]).count("records    13 from") == 1, "every process prints the plan"
    assert "resuming from" in err
    same_curve(work, "cut")
    same_figures(work, "cut")


@pytest.mark.slow
def test_hosts_that_see_different_directories_are_refused(
    work: Work, preloaded: Any, tmp_path: Path
) -> None:
    hosts = [tmp_path / "host0", tmp_path / "host1"]
    for host in hosts:
        host.mkdir()
    both = preloaded.launch(
        work.arguments("x", "--output-dir", "out"),
        directories=hosts,
        patched={"lawqa.training.processes.group:_PATIENCE": 0.5},
    )
    printed = "".join(process.communicate(timeout=240)[1] for process in both)
    assert all(process.returncode for process in both)
    assert "sees another directory than the first process" in printed
    assert "--output-dir must lie on a file system they share" in printed
    assert "step 1" not in printed
    assert [path.name for path in (hosts[0] / "out").glob(".seen*")] == []


def test_on_several_hosts_no_one_command_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from lawqa.cli.training.train import _resuming

    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert _resuming(["lawqa", "train", "--fresh"]) == (
        "resume with: torchrun --nproc-per-node 2 -m lawqa train --resume"
    )
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert "the same command on every host" in _resuming(["lawqa", "train"])


def test_fewer_records_than_processes_are_refused() -> None:
    from lawqa.errors import ConfigError
    from lawqa.settings import Hyperparameters
    from lawqa.training.fit import check_shares

    check_shares(Hyperparameters(batch_size=2, gradient_accumulation_steps=2), 13, processes=3)
    with pytest.raises(ConfigError, match="a step has 3 records at least, too few for 4 processes"):
        check_shares(Hyperparameters(batch_size=2, gradient_accumulation_steps=2), 13, processes=4)
