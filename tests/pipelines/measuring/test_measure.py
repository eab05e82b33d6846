"""lawqa plan --measure: what is measured of this machine, kept, and estimated from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from lawqa.cli import main
from lawqa.models.device import describe_device, pick_device
from lawqa.pipelines.measuring import measure as measuring
from lawqa.pipelines.measuring.measure import measure_machine, sample_questions, this_card
from lawqa.pipelines.measuring.speeds import read_speeds, speeds_directory, speeds_path
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _short_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contexts of 40 characters and at most two texts: the same way, in a second."""
    monkeypatch.setattr(measuring, "_CONTEXT_CHARACTERS", 40)
    monkeypatch.setattr(measuring, "ROWS", (1, 2))
    monkeypatch.setattr(measuring, "_CLOSED_RECORDS", 2)
    monkeypatch.setattr(measuring, "_CONTEXT_RECORDS", 1)


def test_sample_contexts_are_as_long_as_the_labs() -> None:
    assert {len(question.context) for question in sample_questions()} == {3200}


@pytest.mark.slow
def test_measure_keep_and_plan_from_it(
    tiny_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _short_contexts(monkeypatch)
    flags = ["plan", "--model", str(tiny_dir), "--no-4bit", "--max-seq-length", "64"]
    assert main([*flags, "--measure", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    basis = printed["times"]["basis"]
    assert basis["card"] == "CPU" == this_card()
    assert printed["times"]["guess"] is None
    rates = ["scored_per_second", "trained_context_per_second", "trained_closed_per_second"]
    assert all(basis[name] > 0 for name in [*rates, "product_tflops", "memory_gb_per_second"])
    assert set(basis["step_seconds"]) <= {"1", "2"}
    assert basis["training_path"].startswith("plain path")

    assert main(flags) == 0  # and what was measured is what is planned with
    text = capsys.readouterr().out
    assert f"measured on this card on {basis['measured_on']}" in text
    assert "a guess" not in text

    assert main([*flags[:3], "--max-seq-length", "64"]) == 0  # not with 4-bit weights
    assert "a guess: measured on another card" in capsys.readouterr().out


def test_what_the_time_does_not_hold_is_left_out(tiny_dir: Path) -> None:
    said: list[str] = []
    speeds = measure_machine(ModelSettings(model_name=str(tiny_dir)), said.append, seconds=1e-9)
    assert said == [f"loading {tiny_dir}", "matrix products and copies"]
    assert speeds.product_tflops is not None
    assert (speeds.scored_per_second, speeds.step_seconds, speeds.training_path) == (None,) * 3


def test_a_cache_that_cannot_be_written_is_reported(
    tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    flags = ["--measure", "--measure-seconds", "1e-9", "--no-4bit", "--max-seq-length", "64"]
    assert main(["plan", "--model", str(tiny_dir), *flags]) == 0
    shown = capsys.readouterr()
    assert "not kept for later estimates" in shown.err
    assert "not measured: the time was up" in shown.out


def test_a_damaged_measurement_is_refused(
    tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = measuring.card_name(describe_device(pick_device()))
    path = speeds_path(card, str(tiny_dir), None)
    speeds_directory().mkdir(parents=True)
    path.write_text('{"schema_version": 1, "card": "CPU"}')
    flags = ["plan", "--model", str(tiny_dir), "--no-4bit", "--max-seq-length", "64"]
    assert main(flags) == 2
    shown = capsys.readouterr().err
    assert f"{path}: key 'memory_gib' is missing" in shown
    assert "lawqa plan --measure" in shown


def test_two_models_in_folders_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "model", tmp_path / "b" / "model"
    for folder in (first, second):
        folder.mkdir(parents=True)
    assert speeds_path("CPU", str(first), None) != speeds_path("CPU", str(second), None)
    assert speeds_path("CPU", str(first), None) == speeds_path("CPU", f"{first}/", None)


def test_the_speeds_that_come_with_lawqa_can_be_read() -> None:
    import lawqa

    speeds = read_speeds(Path(lawqa.__file__).parent / "assets" / "speeds-h200.json")
    assert speeds.written_per_second(1) == 1 / 0.00546
    assert speeds.written_per_second(40) == 16 / 0.00579
    assert speeds.written_per_second(1120) == 64 / 0.0178
