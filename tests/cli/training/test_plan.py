"""lawqa plan: what it prints."""

from __future__ import annotations

import json

import pytest

from lawqa.cli import main
from lawqa.cli.training.plan import parse_memory
from lawqa.errors import ConfigError
from lawqa.training.planning.memory import (
    GIB,
)

pytestmark = pytest.mark.every_python


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--batch-size 0", "--batch-size is 0"),
        ("--gradient-accumulation-steps 0", "--gradient-accumulation-steps is 0"),
        ("--lora-dropout 5", "--lora-dropout is 5"),
        ("--lora-dropout nan", "--lora-dropout is nan"),
        ("--lora-r 0", "--lora-r is 0"),
        ("--max-seq-length 1", "--max-seq-length is 1"),
        ("--target-modules foo q_proj", "has no linear layer called foo"),
        ("--memory 0.1", "there are 0.0 GiB"),
        ("--dev-samples 4", "without --dev-max-new-tokens"),
        ("--dev-max-new-tokens 500000", "one text of full length needs 503,072"),
    ],
)
def test_a_flag_that_cannot_be_is_refused(
    flags: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--model", "Qwen/Qwen3-8B", *flags.split()]) == 2
    assert told in capsys.readouterr().err


def test_amounts_of_memory() -> None:
    assert parse_memory("1TiB") == 1024 * GIB
    assert parse_memory("20GiB") == parse_memory(" 20 ") == parse_memory("20480MiB") == 20 * GIB
    assert parse_memory("10gb") == 10**10
    for wrong in ("", "GiB", "-1", "20XB", "0", "1e3"):
        with pytest.raises(ConfigError, match="not an amount of memory"):
            parse_memory(wrong)


def test_the_command_prints_what_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--model", "Qwen/Qwen3-8B", "--memory", "20GiB"]) == 0
    shown = capsys.readouterr().out
    assert "Qwen/Qwen3-8B: 36 blocks of width 4096, 4-bit, 5.66 GiB" in shown
    assert "fast path, micro-batches of 3840 tokens, no block is computed again" in shown
    assert main(["plan", "--memory", "10GB", "--model", "Qwen/Qwen3-1.7B", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["training"]["peak_gib"] < found["usable_gib"] < 10
    parts = found["training"]["peak_by_part_gib"].values()
    assert sum(parts) == pytest.approx(found["training"]["peak_gib"], abs=0.05)


def test_the_command_says_what_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--memory", "6"]) == 2
    shown = capsys.readouterr().err
    assert "needs about 8.5 GiB, there are 5.4 GiB" in shown
    assert "lower --max-seq-length" in shown


def test_a_scoring_of_dev_questions_by_text_is_planned(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = (
        "--dev-questions 64 --dev-samples 4 --dev-max-new-tokens 1024 --max-seq-length 1024 --json"
    )
    assert main(["plan", "--model", "Qwen/Qwen3-8B", *flags.split()]) == 0
    plan = json.loads(capsys.readouterr().out)
    dev = plan["dev"]
    assert (dev["texts"], dev["most_tokens"]) == (256, 256 * 1024)
    assert dev["cached_tokens"] < plan["generating"]["cached_tokens"], "the optimiser stays"
    assert dev["at_once"] == dev["cached_tokens"] // 2048
    assert dev["steps"] == -(-256 // dev["at_once"]) * 1024
