"""The lab's notes call three scripts; whatever stands there must still be understood."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.cli import parse_arguments

COMMANDS = {
    "scripts/train_qwen_law_ft.py": "train",
    "scripts/evaluate_multiple_choice.py": "evaluate",
    "scripts/build_finetune_dataset.py": "records",
}

# Our own lines; together they hold every flag of the lab's notes.
LINES = """
scripts/build_finetune_dataset.py --lawqa-path q.json --output-path results/r.jsonl \
  --mode direct --no-rag --top-k 0 --few-shot --samples 100
scripts/build_finetune_dataset.py --lawqa-path q.json --output-path results/r.jsonl --mode cot --top-k 5
scripts/evaluate_multiple_choice.py --data q.json --output e.json --samples 7 --top-k 2 --ensemble 1 \
  --no-rag --llm-backend hf --hf-model-name "Qwen/Qwen3-4B" --hf-lora-path runs/a --hf-load-in-4bit
scripts/evaluate_multiple_choice.py --llm-model "qwen3:4b" --llm-backend ollama --use-cot --samples 9
scripts/evaluate_multiple_choice.py --samples 11 --top-k 12 --use-reranker --rerank-top-n 4 --ensemble 5
scripts/train_qwen_law_ft.py --model-name "Qwen/Qwen3-4B" --train-file r.jsonl --output-dir runs/a \
  --num-epochs 2 --batch-size 4 --learning-rate 1e-4 --max-seq-length 900 \
  --gradient-accumulation-steps 2 --warmup-ratio 0.05 --lora-r 8 --lora-alpha 16 --lora-dropout 0.1 \
  --use-4bit --bnb-4bit-compute-dtype bfloat16 --bnb-4bit-quant-type nf4 --max-steps-override -1 --do-train
scripts/train_qwen_law_ft.py --model-name m --train-file r.jsonl --output-dir b --max-steps-override 20 --fp16
""".strip().split("\n")

FLAGS = {
    "train": {
        "--model-name", "--train-file", "--output-dir", "--num-epochs", "--batch-size",
        "--learning-rate", "--max-seq-length", "--gradient-accumulation-steps", "--warmup-ratio",
        "--lora-r", "--lora-alpha", "--lora-dropout", "--use-4bit", "--bnb-4bit-compute-dtype",
        "--bnb-4bit-quant-type", "--max-steps-override", "--do-train", "--fp16",
    },
    "evaluate": {
        "--data", "--output", "--samples", "--top-k", "--no-rag", "--llm-model", "--ensemble",
        "--use-cot", "--llm-backend", "--hf-model-name", "--hf-lora-path", "--hf-load-in-4bit",
        "--use-reranker", "--rerank-top-n",
    },
    "records": {"--lawqa-path", "--output-path", "--mode", "--no-rag", "--top-k", "--few-shot"},
}  # fmt: skip


def command_and_words(line: str) -> tuple[str, list[str]]:
    script, *words = shlex.split(line)
    return COMMANDS[script], words


def parses(line: str) -> bool:
    command, words = command_and_words(line)
    return type(parse_arguments([command, *words])).__name__.lower() == command


def flags_in(lines: list[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {command: set() for command in COMMANDS.values()}
    for line in lines:
        command, words = command_and_words(line)
        found[command] |= {word for word in words if word.startswith("--")}
    return found


@pytest.fixture(scope="module")
def lab_lines(shared_data: Path) -> list[str]:
    text = (shared_data / "legacy" / "commands.txt").read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line.strip()]


def test_our_lines_hold_every_flag() -> None:
    held = flags_in(LINES)
    assert {command: FLAGS[command] - held[command] for command in FLAGS} == {
        command: set() for command in FLAGS
    }


@pytest.mark.parametrize("line", LINES)
def test_our_lines_are_understood(line: str) -> None:
    assert parses(line)


@pytest.mark.slow
def test_every_line_of_the_lab_is_understood(lab_lines: list[str]) -> None:
    assert len(lab_lines) == 78
    assert [line for line in lab_lines if not parses(line)] == []


def test_the_lab_uses_no_flag_that_we_do_not_list(lab_lines: list[str]) -> None:
    assert flags_in(lab_lines) == FLAGS


@pytest.mark.slow
@pytest.mark.parametrize("script", COMMANDS)
def test_a_script_is_a_door_to_its_command(
    script: str, checkout: Path, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    by_script = run_python(str(checkout / script), "--help")
    by_command = run_python("-m", "lawqa", COMMANDS[script], "--help")
    assert by_script.returncode == 0
    assert by_script.stdout == by_command.stdout
    assert f"lawqa {COMMANDS[script]} " in by_script.stdout


@pytest.mark.slow
def test_a_script_ends_with_the_code_of_its_command(
    checkout: Path, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    script = checkout / "scripts" / "evaluate_multiple_choice.py"
    ended = run_python(str(script), "--data", "nothing.json", "--no-rag")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: nothing.json: no such file\nhint: ")
