"""Trainings and cross-validations that are killed at random moments end like undisturbed ones."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from lawqa.questions import write_questions

pytestmark = [pytest.mark.torch, pytest.mark.rough, pytest.mark.slow]


def kill_again_and_again(
    preloaded: Any, arguments: list[str], takes: float, kills: int, chance: random.Random
) -> int:
    """Kill early, then in the middle, then late; how many were killed, the others were done before."""
    killed = 0
    for kill in range(kills):
        child = preloaded.start(arguments)
        until = time.monotonic() + takes * chance.uniform(kill, kill + 1) / kills
        while child.returncode is None and time.monotonic() < until:
            time.sleep(0.005)
        killed += child.returncode is None
        child.kill()
        child.wait(timeout=60)
    return killed


def timed(preloaded: Any, arguments: list[str]) -> float:
    """Seconds of an undisturbed process."""
    started = time.monotonic()
    assert preloaded.start(arguments).wait(timeout=600) == 0
    return time.monotonic() - started


def log(directory: Path) -> list[dict[str, Any]]:
    lines = (directory / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {key: value for key, value in json.loads(line).items() if key != "tokens_per_second"}
        for line in lines
    ]


@pytest.mark.long  # test_training_resume.py has the short version
def test_a_training_killed_again_and_again(
    preloaded: Any, tmp_path: Path, tiny_dir: Path, questions: Any
) -> None:
    write_questions(tmp_path / "train.json", questions[:16])
    write_questions(tmp_path / "dev.json", questions[16:22])

    def arguments(name: str) -> list[str]:
        return [
            "train", "--model-name", str(tiny_dir), "--train-file", str(tmp_path / "train.json"),
            "--dev-file", str(tmp_path / "dev.json"), "--output-dir", str(tmp_path / name),
            "--use-4bit", "--num-epochs", "2", "--batch-size", "4", "--gradient-accumulation-steps", "1",
            "--lora-dropout", "0.1", "--save-steps", "1", "--eval-steps", "3", "--do-train", "--resume",
        ]  # fmt: skip

    timed(preloaded, arguments("warm"))  # the first one imports
    takes = timed(preloaded, arguments("whole"))
    weights = (tmp_path / "whole" / "adapter_model.safetensors").read_bytes()
    killed = 0
    for series in range(17):  # 51 kills
        name = f"killed{series}"
        chance = random.Random(series)  # noqa: S311 - moments, not secrets
        killed += kill_again_and_again(preloaded, arguments(name), takes, 3, chance)
        timed(preloaded, arguments(name))
        assert (tmp_path / name / "adapter_model.safetensors").read_bytes() == weights
        assert log(tmp_path / name) == log(tmp_path / "whole")
        assert not (tmp_path / name / "checkpoints").exists()
    assert killed, f"some kill met a training that ran; one takes {takes} s"


def test_a_crossval_killed_again_and_again(
    preloaded: Any, tmp_path: Path, tiny_dir: Path, questions: Any, rough: bool
) -> None:
    write_questions(tmp_path / "q.json", questions[:12])

    def arguments(name: str) -> list[str]:
        return [
            "crossval", "run", "--input", str(tmp_path / "q.json"), "--output-dir", str(tmp_path / name),
            "--model-name", str(tiny_dir), "--folds", "2", "--use-4bit", "--num-epochs", "1",
            "--batch-size", "4", "--gradient-accumulation-steps", "1", "--save-steps", "1",
        ]  # fmt: skip

    def pooled(name: str) -> list[dict[str, Any]]:
        path = tmp_path / name / "pooled" / "seed0" / "results.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]

    takes = timed(preloaded, arguments("whole"))
    killed = 0
    for series in range(17 if rough else 1):
        name = f"killed{series}"
        chance = random.Random(100 + series)  # noqa: S311 - moments, not secrets
        killed += kill_again_and_again(preloaded, arguments(name), takes, 3, chance)
        timed(preloaded, arguments(name))
        assert pooled(name) == pooled("whole")
    assert killed, "some kill met a cross-validation that ran"
