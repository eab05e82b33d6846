"""`lawqa sweep`: a grid cross-validated within one file, resumed, and ranked."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.pipelines.experiments.sweep import Grid
from lawqa.questions import write_questions
from lawqa.settings import Hyperparameters

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def test_the_grid_is_every_combination_and_keeps_the_scale_of_the_adapter() -> None:
    cells = Grid((1e-4, 2e-4), (8, 32), (3.0,)).cells(Hyperparameters(lora_r=16, lora_alpha=32))
    assert list(cells) == [
        "lr0.0001_r8_epochs3", "lr0.0001_r32_epochs3", "lr0.0002_r8_epochs3", "lr0.0002_r32_epochs3",
    ]  # fmt: skip
    for cell in cells.values():
        assert cell.lora_alpha == 2 * cell.lora_r
        assert cell.num_epochs == 3


@pytest.mark.parametrize("grid", [{"ranks": ()}, {"epochs": (2.0, 2.0)}])
def test_an_empty_or_doubled_value_is_refused(grid: Any) -> None:
    with pytest.raises(ConfigError, match="expected different values"):
        Grid(**grid)


def sweep(data: Path, model: Path, output: Path, *more: str) -> int:
    return main(
        ["sweep", "--train-file", str(data), "--output-dir", str(output), "--model-name", str(model),
         "--use-4bit", "--bnb-4bit-quant-type", "fp4", "--bnb-4bit-compute-dtype", "bfloat16",
         "--condition", "gold", "--target-modules", "q_proj", "v_proj", "--lora-dropout", "0",
         "--learning-rates", "1e-9", "5e-3", "--ranks", "4", "--epochs", "1", "--folds", "2", *more]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "instead"),
    [("--learning-rate 0.05", "--learning-rates 0.05"), ("--num-epochs 9", "--epochs 9")],
)
def test_a_single_value_is_not_ignored(
    flags: str, instead: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(tmp_path / "q.json", tmp_path / "m", tmp_path / "s", *flags.split()) == 2
    err = capsys.readouterr().err
    assert "a sweep tries several" in err
    assert f"hint: {instead}" in err


def run_printed_commands(text: str) -> None:
    for line in text.splitlines():
        words = shlex.split(line) if line.startswith("  lawqa ") else []
        assert not words or main(words[1:]) == 0


@pytest.mark.slow
def test_cells_are_ranked_beside_the_base_and_nothing_is_done_twice(
    tmp_path: Path, tiny_dir: Path, questions: Any, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    data, output = tmp_path / "train.json", tmp_path / "sweep"
    short = sorted(questions, key=lambda question: len(question.context))
    write_questions(data, short[:12])
    assert sweep(data, tiny_dir, output) == 0
    captured = capsys.readouterr()
    assert re.search(r"^1 of 2 trainings, \S+ s each, \S+ s left$", captured.err, re.MULTILINE)
    assert re.search(r"^1 of 2 settings, \S+ s each, \S+ s left$", captured.err, re.MULTILINE)
    content = json.loads((output / "sweep.json").read_text(encoding="utf-8"))
    names = {cell["name"] for cell in content["cells"]}
    assert names == {"lr1e-09_r4_epochs1", "lr0.005_r4_epochs1"}
    correct = [cell["statistics"]["accuracy"]["correct"] for cell in content["cells"]]
    assert correct == sorted(correct, reverse=True)
    # A rate of nothing leaves the base model: the same folds are asked, and every question once.
    still = next(c for c in content["cells"] if c["name"].startswith("lr1e-09"))["against_base"]
    assert (still["questions"], still["only_base"], still["only_other"]) == (12, 0, 0)
    for text in (
        "no adapter",
        "against base",
        "is the best of 2 on the very folds",
        "lawqa train ",
    ):
        assert text in captured.out
    asked = set()
    for fold in (1, 2):
        run = output / "lr0.005_r4_epochs1" / f"fold{fold}" / "seed0"
        trained = json.loads((run / "adapter" / "manifest.json").read_text(encoding="utf-8"))
        rows = (run / "run" / "results.jsonl").read_text(encoding="utf-8").splitlines()
        held_out = {json.loads(row)["file_name"] for row in rows}
        assert held_out.isdisjoint(question["id"] for question in trained["questions"])
        asked |= held_out
    assert len(asked) == 12

    assert sweep(data, tiny_dir, output) == 0
    again = capsys.readouterr()
    assert again.out == captured.out
    monkeypatch.chdir(tmp_path)
    run_printed_commands(captured.out)
    adapter = json.loads((tmp_path / "ADAPTER/manifest.json").read_text(encoding="utf-8"))
    best = content["cells"][0]["training"]
    assert {key: adapter["config"]["training"][key] for key in best} == best
    assert list(adapter["prompt_specs"]) == ["direct-gold-v1"]
    assert (adapter["model"]["quantisation"], adapter["model"]["dtype"]) == ("fp4", "bfloat16")
    base = json.loads((output / "base/manifest.json").read_text(encoding="utf-8"))
    for held_out in output.glob("lr*/fold*/seed0/run/manifest.json"):
        run_model = json.loads(held_out.read_text(encoding="utf-8"))["model"]
        for model in (base["model"], run_model):
            assert (model["quantisation"], model["dtype"]) == ("fp4", "bfloat16")

    assert again.err.count("done already") == 4
    assert "training" not in again.err
    write_questions(data, short[:10])
    assert sweep(data, tiny_dir, output, "--bnb-4bit-quant-type", "nf4") == 2
    differences = "--bnb-4bit-quant-type, the content of --train-file"
    assert f"holds a sweep with other settings ({differences})" in capsys.readouterr().err
