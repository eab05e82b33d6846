"""What is mixed into a training: records by weight, a cap on synthetic ones, and no leak through either."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.pipelines.training.mixing import capped, is_synthetic, load_extra, parse_extra
from lawqa.prompting import PromptSpec
from lawqa.questions import write_questions
from lawqa.records import make_record, write_records

pytestmark = pytest.mark.torch


def records_of(questions: Any, *, synthetic: bool = False) -> list[Any]:
    renamed = [replace(q, id=f"生成_{q.id}") if synthetic else q for q in questions]
    return [make_record(question, PromptSpec()) for question in renamed]


@pytest.fixture
def made(tmp_path: Path, questions: Any) -> Path:
    """A directory with questions to train on, and records of others, real and synthetic."""
    write_questions(tmp_path / "train.json", questions[:4])
    write_questions(tmp_path / "dev.json", questions[20:24])
    write_questions(tmp_path / "extra.json", questions[4:8])
    write_records(tmp_path / "more.jsonl", records_of(questions[4:8]))
    write_records(tmp_path / "made.jsonl", records_of(questions[8:20], synthetic=True))
    write_records(tmp_path / "leak.jsonl", records_of(questions[22:26]))
    return tmp_path


def test_synthetic_records_are_left_out_until_they_are_no_more_than_their_share(
    questions: Any,
) -> None:
    real, synthetic = records_of(questions[:6]), records_of(questions[6:20], synthetic=True)
    assert all(map(is_synthetic, synthetic))
    assert not any(map(is_synthetic, real))
    kept, left_out = capped([*real, *synthetic], 0.4, seed=3)
    assert (len(kept), left_out) == (10, 10)
    assert sum(map(is_synthetic, kept)) == 4
    assert kept == capped([*real, *synthetic], 0.4, seed=3)[0]
    assert kept != capped([*real, *synthetic], 0.4, seed=4)[0]
    assert capped([*real, *synthetic[:3]], 0.4, seed=3) == ([*real, *synthetic[:3]], 0)
    assert capped([*real, *synthetic], 0.0, seed=3) == (real, 14)
    with pytest.raises(ConfigError, match="14 records are given, all synthetic"):
        capped(synthetic, 0.5, seed=3)


def test_weights_take_records_again_or_a_part_of_them(made: Path) -> None:
    path = made / "made.jsonl"
    (once,) = load_extra(((path, 1.5),), "standard", seed=1)
    assert len(once.records) == 18
    assert len(set(once.records)) == 12
    assert parse_extra([f"{path}=0.25"]) == ((path, 0.25),)
    with pytest.raises(ConfigError, match="weight above 0"):
        load_extra(((path, 0.0),), "standard", seed=1)


@pytest.mark.slow
def test_a_mixed_training_says_what_it_took_and_is_resumed_only_with_the_same(
    made: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(*more: str) -> int:
        return main([
            "train", "--no-4bit", "--model-name", str(tiny_dir), "--train-file", str(made / "train.json"),
            "--output-dir", str(made / "out"), "--max-steps-override", "1", "--max-synthetic-share", "0.5",
            "--do-train",
            *more,
        ])  # fmt: skip

    both = ("--extra", f"{made / 'more.jsonl'}=2", "--extra", f"{made / 'made.jsonl'}=2")
    dev = ("--dev-file", str(made / "dev.json"))
    assert train("--extra", f"{made / 'leak.jsonl'}=1", *dev) == 2
    assert "2 of 4 dev questions are trained on" in capsys.readouterr().err
    assert train(*both, *dev) == 0
    out = capsys.readouterr().out
    assert f"of them 8 from {made / 'more.jsonl'}, each 2 times" in out
    assert "12 synthetic, 50% of all; 12 left out" in out
    manifest = json.loads((made / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["data"]["records"] == 24
    assert [(e["weight"], e["records"]) for e in manifest["data"]["extra"]] == [(2, 8), (2, 24)]
    assert manifest["data"]["synthetic"] == {"records": 12, "left_out": 12}
    learnt = (made / "out" / "trained_on.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(learnt) == len(set(learnt)) == len(manifest["questions"])

    assert train(*both, *dev, "--resume") == 0
    assert "training is done already" in capsys.readouterr().out
    assert train(*both[:2], *dev, "--resume") == 2
    assert "the content of --extra, or its weights" in capsys.readouterr().err
    assert main([
        "evaluate", "--data", str(made / "extra.json"), "--hf-model-name", str(tiny_dir),
        "--hf-lora-path", str(made / "out"), "--run-dir", str(made / "run"),
    ]) == 2  # fmt: skip
    assert "4 of 4 questions were in the training" in capsys.readouterr().err
