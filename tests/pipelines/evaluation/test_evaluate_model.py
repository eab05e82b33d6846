"""`lawqa evaluate` on a real model: base beside adapter on one load, several processes, going on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, questions: Any) -> Path:
    """An own working directory with 8 questions in q.json."""
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", questions[:8])
    return tmp_path


@pytest.fixture
def adapter(here: Path, tiny_dir: Path) -> Path:
    """An adapter with random weights, as PEFT writes it."""
    from peft import LoraConfig, get_peft_model

    from lawqa.models.load import load_model, no_peft_warnings
    from lawqa.settings import ModelSettings

    model = load_model(ModelSettings(model_name=str(tiny_dir))).model
    lora = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    with no_peft_warnings():
        get_peft_model(model, lora).save_pretrained(here / "adapter")
    return here / "adapter"


def rows(run_dir: Path) -> list[dict[str, Any]]:
    text = (run_dir / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def logprobs(run_dir: Path) -> list[float]:
    return [value for row in rows(run_dir) for value in row["label_logprobs"]]


def flags(model: Path, run_dir: str, *more: str) -> list[str]:
    return [
        "evaluate",
        *([] if "--hf-load-in-4bit" in more else ["--no-4bit"]),
        "--data",
        "q.json",
        "--hf-model-name",
        str(model),
        "--run-dir",
        run_dir,
        *more,
    ]


def test_on_one_load_base_and_adapter_score_as_on_loads_of_their_own(
    here: Path, tiny_dir: Path, adapter: Path
) -> None:
    lora = ("--hf-lora-path", str(adapter))
    assert main(flags(tiny_dir, "both", *lora, "--with-base")) == 0
    assert main(flags(tiny_dir, "adapted", *lora)) == 0
    assert main(flags(tiny_dir, "base")) == 0
    assert logprobs(here / "both") == pytest.approx(logprobs(here / "adapted"), abs=1e-5)
    assert logprobs(here / "both-base") == pytest.approx(logprobs(here / "base"), abs=1e-5)
    assert logprobs(here / "both") != pytest.approx(logprobs(here / "both-base"), abs=1e-3)


def test_bfloat16_scores_nearly_alike_and_cannot_go_on_with_a_run_in_float32(
    here: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(flags(tiny_dir, "full")) == 0
    assert main(flags(tiny_dir, "half", "--dtype", "bfloat16")) == 0
    assert logprobs(here / "half") == pytest.approx(logprobs(here / "full"), abs=0.5)
    assert logprobs(here / "half") != logprobs(here / "full")
    manifest = json.loads((here / "half" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["model"]["dtype"] == "bfloat16"
    assert main(flags(tiny_dir, "full", "--dtype", "bfloat16", "--resume")) == 2
    assert "--dtype" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_a_4_bit_type_is_another_run_and_without_4_bits_is_refused(
    tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(flags(tiny_dir, "r", "--hf-load-in-4bit")) == 0
    again = ("--hf-load-in-4bit", "--resume", "--bnb-4bit-quant-type")
    assert main(flags(tiny_dir, "r", *again, "nf4")) == 0
    capsys.readouterr()
    assert main(flags(tiny_dir, "r", *again, "fp4")) == 2
    assert "--bnb-4bit-quant-type: then nf4, now fp4" in capsys.readouterr().err
    assert main(flags(tiny_dir, "whole", "--bnb-4bit-quant-type", "fp4")) == 2
    assert "error: --bnb-4bit-quant-type with --no-4bit" in capsys.readouterr().err


def test_samples_that_are_asked_again_come_out_the_same(
    here: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cot = ("--mode", "cot", "--ensemble", "3", "--samples", "3", "--max-new-tokens", "12")
    assert main(flags(tiny_dir, "r", *cot)) == 0
    whole = rows(here / "r")
    texts = [(row["file_name"], row["repeat"], row["response"]) for row in whole]
    assert len({text for *_, text in texts}) > 6, "samples differ"
    assert all(row["forced_answer"] for row in whole if row["predicted_answer"] is None)
    lines = (here / "r" / "results.jsonl").read_bytes().splitlines(keepends=True)
    (here / "r" / "results.jsonl").write_bytes(b"".join(lines[i] for i in (0, 4, 5)))
    capsys.readouterr()
    assert main(flags(tiny_dir, "r", *cot, "--resume")) == 0
    assert "3 of 9 answers known" in capsys.readouterr().err
    assert [(r["file_name"], r["repeat"], r["response"]) for r in rows(here / "r")] == texts


@pytest.mark.slow
def test_two_processes_under_torchrun_score_like_one(here: Path, tiny_dir: Path) -> None:
    assert main(flags(tiny_dir, "one", "--permutations", "4")) == 0
    ended = subprocess.run(  # noqa: S603 - the tests' own words
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "lawqa", *flags(tiny_dir, "two", "--permutations", "4")],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("correct / asked") == 1
    assert [row["file_name"] for row in rows(here / "two")] == [
        row["file_name"] for row in rows(here / "one")
    ]
    assert logprobs(here / "two") == pytest.approx(logprobs(here / "one"), abs=1e-4)
    manifest = json.loads((here / "two" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["status"], manifest["figures"]["processes"]) == ("done", 2)
