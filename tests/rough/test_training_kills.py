"""Trainings and cross-validations that are killed at random moments end like undisturbed ones."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions

pytestmark = [pytest.mark.torch, pytest.mark.rough, pytest.mark.slow]

PRELOADED = [
    "bitsandbytes",
    "peft",
    "transformers",
    "lawqa.training.fit",
    "lawqa.pipelines.experiments.crossval",
]


def run_quietly(arguments: list[str]) -> None:
    """In a process of its own: one thread, on the CPU, nothing printed."""
    import torch

    torch.set_num_threads(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    raise SystemExit(main(arguments))


@pytest.fixture(scope="module")
def context(checkout: Path) -> Iterator[Any]:
    """Starts processes that have imported torch already: a kill is to meet the work, not the imports."""
    with pytest.MonkeyPatch.context() as patched:
        # They import this file by its name; last, so that lawqa stays the installed one.
        patched.setattr(sys, "path", [*sys.path, str(checkout)])
        patched.setenv("CUDA_VISIBLE_DEVICES", "")
        patched.setenv("OMP_NUM_THREADS", "1")
        found = multiprocessing.get_context("forkserver")
        found.set_forkserver_preload(PRELOADED)
        yield found


def kill_again_and_again(
    context: Any, arguments: list[str], takes: float, kills: int, chance: random.Random
) -> int:
    """Kill early, then in the middle, then late; how many were killed, the others were done before."""
    killed = 0
    for kill in range(kills):
        child = context.Process(target=run_quietly, args=(arguments,))
        child.start()
        child.join(takes * chance.uniform(kill, kill + 1) / kills)
        killed += child.is_alive()
        child.kill()
        child.join()
        child.close()
    return killed


def timed(context: Any, arguments: list[str]) -> float:
    """Seconds of an undisturbed process."""
    started = time.monotonic()
    child = context.Process(target=run_quietly, args=(arguments,))
    child.start()
    child.join()
    assert child.exitcode == 0
    return time.monotonic() - started


def log(directory: Path) -> list[dict[str, Any]]:
    lines = (directory / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {key: value for key, value in json.loads(line).items() if key != "tokens_per_second"}
        for line in lines
    ]


@pytest.mark.long  # test_training_resume.py has the short version
def test_a_training_killed_again_and_again(
    context: Any, tmp_path: Path, tiny_dir: Path, questions: Any
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

    timed(context, arguments("warm"))  # the fork server imports while it runs
    takes = timed(context, arguments("whole"))
    weights = (tmp_path / "whole" / "adapter_model.safetensors").read_bytes()
    killed = 0
    for series in range(17):  # 51 kills
        name = f"killed{series}"
        chance = random.Random(series)  # noqa: S311 - moments, not secrets
        killed += kill_again_and_again(context, arguments(name), takes, 3, chance)
        timed(context, arguments(name))
        assert (tmp_path / name / "adapter_model.safetensors").read_bytes() == weights
        assert log(tmp_path / name) == log(tmp_path / "whole")
        assert not (tmp_path / name / "checkpoints").exists()
    assert killed, f"some kill met a training that ran; one takes {takes} s"


def test_a_crossval_killed_again_and_again(
    context: Any, tmp_path: Path, tiny_dir: Path, questions: Any, rough: bool
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

    takes = timed(context, arguments("whole"))
    killed = 0
    for series in range(17 if rough else 1):
        name = f"killed{series}"
        chance = random.Random(100 + series)  # noqa: S311 - moments, not secrets
        killed += kill_again_and_again(context, arguments(name), takes, 3, chance)
        timed(context, arguments(name))
        assert pooled(name) == pooled("whole")
    assert killed, "some kill met a cross-validation that ran"
