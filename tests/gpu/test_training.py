"""`lawqa train` on a GPU: killed and resumed, and with less memory than it would like."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from lawqa.demo import embedded_questions
    from lawqa.models.tiny import train_tiny_tokenizer, write_tiny_model
    from lawqa.questions import write_questions

    directory = tmp_path_factory.mktemp("training")
    questions = embedded_questions()
    tokenizer = train_tiny_tokenizer(f"{q.context}\n{q.text}" for q in questions)
    write_tiny_model(directory / "model", tokenizer)
    write_questions(directory / "train.json", questions[:40])
    write_questions(directory / "dev.json", questions[40:50])
    return directory


def start(directory: Path, name: str, *more: str) -> subprocess.Popen[str]:
    arguments = [
        "train", "--model-name", str(directory / "model"), "--use-4bit", "--do-train",
        "--train-file", str(directory / "train.json"), "--dev-file", str(directory / "dev.json"),
        "--output-dir", str(directory / name), "--num-epochs", "4", "--learning-rate", "2e-3",
        "--save-steps", "2", "--eval-steps", "5", *more,
    ]  # fmt: skip
    path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "lawqa", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def losses(directory: Path, name: str) -> dict[int, float]:
    lines = (directory / name / "log.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def test_killed_and_resumed_it_loses_nothing(directory: Path) -> None:
    """Stated tolerance: 2% of each step's loss; a GPU adds up attention's gradients in no fixed order."""
    said = finish(start(directory, "whole"))
    assert "fast path: micro-batches of" in said
    log = directory / "killed" / "log.jsonl"
    process = start(directory, "killed")
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if log.is_file() and len(log.read_text(encoding="utf-8").splitlines()) >= 7:
            break
        time.sleep(0.005)
    process.kill()
    process.communicate()
    said = finish(start(directory, "killed", "--resume"))
    assert "resuming from" in said
    print(next(line for line in said.splitlines() if "resuming from" in line))
    expected, found = losses(directory, "whole"), losses(directory, "killed")
    assert list(found) == list(expected) == list(range(1, 21))
    off = max(abs(found[step] / expected[step] - 1) for step in expected)
    print(f"20 steps, loss {expected[1]:.3f} -> {expected[20]:.3f}, largest difference {off:.2%}")
    assert off < 0.02


def test_out_of_memory_is_met_before_the_first_step_and_survived(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from lawqa.cli import main

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 70 * 2**20) / total)
    try:
        code = main([
            "train", "--no-4bit", "--model-name", str(directory / "model"), "--do-train",
            "--batch-size", "40",
            "--train-file", str(directory / "train.json"), "--gradient-accumulation-steps", "1",
            "--output-dir", str(directory / "small"), "--num-epochs", "1",
            "--token-budget", "40000",
        ])  # fmt: skip
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    said = capfd.readouterr().err
    print("\n".join(line for line in said.splitlines() if "memory" in line or "rehears" in line))
    assert code == 0
    assert "out of memory: micro-batches of" in said
    assert said.index("out of memory") < said.index("rehearsed the longest records")


def test_float16_with_loss_scaling_learns_as_bfloat16_does(directory: Path) -> None:
    said = finish(start(directory, "half", "--fp16"))
    assert "fast path" in said
    finish(start(directory, "bf16", "--bf16"))
    half, wide = losses(directory, "half"), losses(directory, "bf16")
    print(f"float16 {half[1]:.3f} -> {half[20]:.3f}, bfloat16 {wide[1]:.3f} -> {wide[20]:.3f}")
    assert half[20] < 0.5 * half[1]
    assert half[20] == pytest.approx(wide[20], rel=0.25)
