"""How long usual work takes: the arithmetic, and what an estimate says it rests on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.models.shapes import read_shape
from lawqa.pipelines.measuring.estimates import (
    basis_for,
    estimates,
    measured_text,
    time_text,
)
from lawqa.pipelines.measuring.speeds import Speeds, speeds_path, write_speeds

pytestmark = pytest.mark.every_python

SHAPE = read_shape("Qwen/Qwen3-8B")
MEASURED = Speeds(
    card="NVIDIA A100 MIG 2g.20gb", memory_gib=19.5, model=SHAPE.name, parameters=SHAPE.linear_parameters,
    quantisation="nf4", versions={"torch": "2.11"}, measured_on="2026-11-29", loading_seconds=40.0,
    product_tflops=80.0, memory_gb_per_second=480.0, scored_per_second=4000.0,
    step_seconds={"1": 0.05, "64": 0.16}, trained_context_per_second=1000.0,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _keep(speeds: Speeds) -> None:
    write_speeds(speeds, speeds_path(speeds.card, speeds.model, speeds.quantisation))


def test_times_follow_from_rates() -> None:
    _keep(MEASURED)
    basis = basis_for(SHAPE, "nf4", MEASURED.card, {"torch": "2.11"})
    assert basis.guess is None
    seconds = {one.work: one.seconds for one in estimates(basis)}
    reading = 140 * 2300 / 4000
    assert seconds["labels of 140 questions, with context"] == pytest.approx(40 + reading)
    assert seconds["thinking over 140 questions, 8 votes, with context"] == pytest.approx(
        40 + reading + 1120 * 2048 / (64 / 0.16)
    )
    assert seconds["training on 140 records, 3 epochs, with context"] == pytest.approx(
        40 + 3 * 140 * 2300 / 1000
    )
    assert "training on 140 records, 3 epochs, closed-book" not in seconds  # was not measured


def test_what_was_not_measured_is_said_of_each_kind_of_training() -> None:
    line = measured_text(MEASURED).splitlines()[-1]
    assert line == (
        "training    1,000 tokens/s with context, closed-book not measured: the time was up"
    )
    neither = measured_text(replace(MEASURED, trained_context_per_second=None)).splitlines()[-1]
    assert neither == "training    not measured: the time was up"


def test_another_version_or_model_makes_it_a_guess() -> None:
    _keep(MEASURED)
    changed = basis_for(SHAPE, "nf4", MEASURED.card, {"torch": "2.12"})
    assert changed.guess == "measured here with another torch"
    smaller = read_shape("Qwen/Qwen3-1.7B")
    scaled = basis_for(smaller, "nf4", MEASURED.card, {"torch": "2.11"})
    assert scaled.guess == "measured here with Qwen/Qwen3-8B, scaled by its weights"
    assert scaled.slower == smaller.linear_parameters / SHAPE.linear_parameters
    for card, quantisation in (("NVIDIA L4", "nf4"), (MEASURED.card, None), (None, "nf4")):
        other = basis_for(SHAPE, quantisation, card, {"torch": "2.11"})
        assert other.guess is not None
        assert other.guess.startswith("measured on another card, one whole NVIDIA H200")


def test_nothing_measured_nothing_estimated() -> None:
    _keep(
        replace(
            MEASURED, scored_per_second=None, step_seconds=None, trained_context_per_second=None
        )
    )
    assert list(estimates(basis_for(SHAPE, "nf4", MEASURED.card, {"torch": "2.11"}))) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (89.4, "89 s"), (90, "2 min"), (600, "10 min"), (5399, "90 min"), (9000, "2.5 h")],
)  # fmt: skip
def test_times_are_given_in_the_unit_a_person_uses(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_plan_without_a_measurement_says_that_its_times_are_a_guess(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan"]) == 0
    shown = capsys.readouterr().out
    assert "a guess: measured on another card, one whole NVIDIA H200" in shown
    assert "lawqa plan --measure  measures here" in shown


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--measure --power", "two questions"),
        ("--measure-seconds 5", "--measure-seconds without --measure"),
        ("--measure --measure-seconds 0", "expected above 0"),
        ("--measure --measure-seconds nan", "expected above 0"),
    ],
)
def test_flags_that_do_not_go_together(
    flags: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *flags.split()]) == 2
    assert message in capsys.readouterr().err
