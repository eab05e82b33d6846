"""A run goes on only with the model it was begun with, and nothing is written before a model loads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, questions: Any, tiny_dir: Path) -> Path:
    """A working directory with questions and a copy of the tiny model."""
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", questions[:3])
    shutil.copytree(tiny_dir, tmp_path / "model")
    return tmp_path


EVALUATE = [
    "evaluate",
    "--data",
    "q.json",
    "--no-4bit",
    "--hf-model-name",
    "model",
    "--run-dir",
    "r",
    "--quiet",
]


def edit(path: Path, **fields: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **fields}), encoding="utf-8")


def tree(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_a_run_is_resumed_by_the_same_content_only(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(EVALUATE) == 0
    results = here / "r" / "results.jsonl"
    two = b"".join(results.read_bytes().splitlines(keepends=True)[:2])
    results.write_bytes(two)

    weights = here / "model" / "model.safetensors"
    whole = weights.read_bytes()
    middle = len(whole) // 2
    weights.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    assert main([*EVALUATE, "--resume"]) == 2
    err = capsys.readouterr().err
    assert "r: is not the same run:\n  the model's weights: then " in err
    assert results.read_bytes() == two
    weights.write_bytes(whole)

    tokenizer = here / "model" / "tokenizer_config.json"
    before = tokenizer.read_bytes()
    edit(tokenizer, model_max_length=77)
    assert main([*EVALUATE, "--resume"]) == 2
    assert "the model's tokenizer: then " in capsys.readouterr().err
    tokenizer.write_bytes(before)

    (here / "model").rename(here / "moved")
    (here / "moved" / "README.md").write_text("hello", encoding="utf-8")
    moved = ["moved" if word == "model" else word for word in EVALUATE]
    assert main([*moved, "--resume"]) == 0
    assert len(results.read_bytes().splitlines()) == 3

    capsys.readouterr()
    edit(here / "moved" / "config.json", rope_theta=1234.0)
    assert main([*moved, "--resume"]) == 2, (
        "a finished run loads no model, and is held to it all the same"
    )
    assert "the model's config: then " in capsys.readouterr().err
    gone = ["gone" if word == "model" else word for word in EVALUATE]
    assert main([*gone, "--resume"]) == 2
    assert "--hf-model-name: then moved, now gone" in capsys.readouterr().err


def test_a_cross_validation_that_fails_before_it_trains_leaves_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(here)
    cv = [
        "crossval",
        "run",
        "--input",
        "q.json",
        "--output-dir",
        "cv",
        "--folds",
        "2",
        "--no-4bit",
        "--model-name",
    ]
    assert main([*cv, "modle"]) == 2
    assert "modle" in capsys.readouterr().err
    assert tree(here) == before


@pytest.mark.parametrize("place", ["model", ".", "r"])
@pytest.mark.parametrize("more", [[], ["--fresh"]], ids=["", "fresh"])
def test_a_training_is_not_written_into_what_it_reads_or_what_is_not_its_own(
    here: Path, capsys: pytest.CaptureFixture[str], place: str, more: list[str]
) -> None:
    (here / "r").mkdir()
    (here / "r" / "thesis.tex").write_text("mine", encoding="utf-8")
    before = tree(here)
    train = ["train", "--train-file", "q.json", "--no-4bit", "--model-name", "model", "--do-train"]
    assert main([*train, "--output-dir", place, *more]) == 2
    err = capsys.readouterr().err
    assert err.splitlines()[-2].startswith(f"error: --output-dir {place}: ")
    assert err.splitlines()[-1] == "hint: --output-dir NEW_DIRECTORY"
    assert tree(here) == before
