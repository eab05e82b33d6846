"""Times in documents: of what was measured at the place, else of another card, and each says which."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.commands.policy import subcommand
from lawqa.commands.source import packaged_source, read_source
from lawqa.commands.work import Work
from lawqa.docgen.durations import PlaceBasis, bases_for, basis_ja, duration_ja, seconds_of, time_ja
from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.measuring.speeds import Speeds, write_speeds

SPEEDS = Speeds(
    card="NVIDIA A100 MIG 2g.20gb", memory_gib=19.5, model="Qwen/Qwen3-8B", parameters=6_945_767_424,
    quantisation="nf4", versions={"torch": "2.8"}, measured_on="2026-12-01", loading_seconds=40.0,
    product_tflops=80.0, memory_gb_per_second=480.0, scored_per_second=4000.0,
    step_seconds={"1": 0.05, "64": 0.16}, trained_context_per_second=1000.0,
    trained_closed_per_second=800.0,
)  # fmt: skip
SOURCE = packaged_source()
HEART01 = SOURCE.place("heart01")


def measured(folder: Path, speeds: Speeds = SPEEDS) -> Path:
    path = folder / "speeds-heart01.json"
    write_speeds(speeds, path)
    return path


@pytest.mark.parametrize(
    ("work", "seconds"),
    [
        (Work(loads="2"), 80),
        (Work(prompts="{n_questions} * 4", prompt_tokens="2000"), 140 * 4 * 2000 / 4000),
        (Work(texts="{n_questions} * {votes}", text_tokens="2048"), 1120 * 2048 / (64 / 0.16)),
        (Work(texts="1", text_tokens="100"), 100 * 0.05),
        (Work(records="84 * (5 - 1)", record_tokens="2300"), 84 * 4 * 2300 / 1000),
        (Work(records="84", record_tokens="300"), 84 * 300 / 800),
    ],
)
def test_a_time_follows_from_the_work_and_the_speeds(work: Work, seconds: float) -> None:
    assert seconds_of(work, HEART01.variables, PlaceBasis(SPEEDS), "here") == pytest.approx(seconds)


def test_another_card_takes_as_much_longer_as_its_published_rates_are_lower() -> None:
    (guess,) = bases_for(SOURCE, HEART01, None)
    assert not guess.measured
    assert guess.computing == pytest.approx(989 / 89)
    assert guess.copying == pytest.approx(4800 / 510)
    # A smaller model takes as much less as it has fewer weights.
    (small,) = bases_for(SOURCE, SOURCE.place("local-3080"), None)
    assert 0.15 < small.computing / (989 / 59.5) < 0.25
    assert bases_for(SOURCE, SOURCE.place("any"), None) == ()


def test_a_step_says_whether_its_time_was_measured(tmp_path: Path) -> None:
    step = SOURCE.command("base-thinking")
    assert duration_ja(step, HEART01, bases_for(SOURCE, HEART01, None)).startswith("目安 最長 ")
    own = bases_for(SOURCE, HEART01, measured(tmp_path))
    assert duration_ja(step, HEART01, own) == "最長 1.7 時間（実測から）"
    assert duration_ja(SOURCE.command("venv"), HEART01, own) == "1 分以内"
    said = basis_ja(SOURCE, HEART01, own)
    assert "この計算機（NVIDIA A100 MIG 2g.20gb）で 2026-12-01 に" in said


def test_what_was_not_measured_is_guessed_and_says_so(tmp_path: Path) -> None:
    path = measured(tmp_path, replace(SPEEDS, step_seconds=None))
    own = bases_for(SOURCE, HEART01, path)
    assert duration_ja(SOURCE.command("base-thinking"), HEART01, own).startswith("目安 最長 ")
    assert duration_ja(SOURCE.command("train-rag"), HEART01, own).endswith("（実測から）")


def test_every_training_and_evaluation_of_the_lab_has_its_work_and_no_hand_written_time() -> None:
    programs = ("train", "evaluate", "crossval run", "ladder", "distill", "pool sample", "prefer")
    for place in ("heart01", "local-3080"):
        for command in SOURCE.at(place):
            if subcommand(command.argv, programs) and "ollama" not in command.argv:
                assert command.work, command.id
                assert not command.duration_ja, command.id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "Qwen/Qwen3-1.7B"}, "measured with Qwen/Qwen3-1.7B (nf4), but heart01 uses"),
        ({"quantisation": None}, "measured with Qwen/Qwen3-8B (whole weights)"),
    ],
)
def test_a_measurement_of_something_else_is_refused(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = tmp_path / "speeds.json"
    path.write_text(json.dumps({"schema_version": 1, **asdict(SPEEDS), **change}), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        bases_for(SOURCE, HEART01, path)
    assert said in caught.value.message


def test_half_a_measurement_is_refused(tmp_path: Path) -> None:
    path = measured(tmp_path)
    path.write_text(path.read_text(encoding="utf-8")[:100], encoding="utf-8")
    with pytest.raises(DataError, match="speeds-heart01"):
        bases_for(SOURCE, HEART01, path)


@pytest.mark.parametrize(
    ("seconds", "at_most", "said"),
    [
        (3, False, "2 分以内"), (95, False, "約 2 分"), (3000, True, "最長 50 分"),
        (9000, False, "約 2.5 時間"), (50000, True, "最長 14 時間"),
    ],
)  # fmt: skip
def test_times_promise_two_figures(seconds: float, at_most: bool, said: str) -> None:
    assert time_ja(seconds, at_most=at_most) == said


def test_a_card_that_is_not_declared_is_refused(checkout: Path) -> None:
    text = (checkout / "docs_src" / "commands.toml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match=r"places\.heart01: card: none is not declared"):
        read_source(text.replace('card = "a100-2g20"', 'card = "none"'), "commands.toml")


def test_step_show_gives_the_time_of_what_measure_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    show = ["step", "show", "base-thinking", "--place", "heart01"]
    assert main(show) == 0
    assert "\nduration  目安 最長 " in capsys.readouterr().out
    (tmp_path / "results" / "heart01").mkdir(parents=True)
    write_speeds(SPEEDS, tmp_path / "results" / "heart01" / "speeds.json")
    assert main(show) == 0
    assert "\nduration  最長 1.7 時間（実測から）\n" in capsys.readouterr().out


def test_plan_writes_no_measurement_over_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.json").write_text("{}", encoding="utf-8")
    assert main(["plan", "--speeds", "s.json"]) == 2
    assert "--speeds without --measure" in capsys.readouterr().err
    assert main(["plan", "--measure", "--speeds", "notes.json"]) == 2
    assert "notes.json: exists, and is not a measurement" in capsys.readouterr().err
    assert Path("notes.json").read_text(encoding="utf-8") == "{}"
