"""`lawqa step` as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.commands.expand import render_command
from lawqa.commands.source import packaged_source


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_list_shows_every_step_of_the_place_with_role_and_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["step", "list", "--place", "heart01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("heart01: ")
    shown = {line.split()[1]: line for line in lines[4:]}
    assert list(shown) == [c.id for c in packaged_source().at("heart01")]
    assert " primary " in shown["crossval-thinking"]
    assert " by hand " in shown["clone"]


def test_show_gives_the_command_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    source = packaged_source()
    shell = render_command(source.command("train-rag"), source.place("heart01")).shell
    assert main(["step", "show", "train-rag", "--place", "heart01"]) == 0
    out = capsys.readouterr().out
    assert f"\n{shell}\n" in out
    assert "resume    --resume\n" in out
    assert source.failures["oom"].do in out
    assert main(["step", "show", "train-rag", "--place", "heart01", "--shell"]) == 0
    assert capsys.readouterr().out == shell + "\n"


def test_a_step_of_one_place_needs_no_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["step", "show", "ollama-pull", "--shell"]) == 0
    assert capsys.readouterr().out == "ollama pull qwen3:8b\n"
    assert main(["step", "show", "doctor"]) == 2
    error = capsys.readouterr().err
    assert "doctor: is not a step of any, but of heart01, practice" in error


def test_the_place_file_changes_what_is_run_but_only_at_its_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("lawqa.toml").write_text('place = "practice"\nmodel = "tiny"\n', encoding="utf-8")
    assert main(["step", "run", "--dry-run", "rehearse-rag"]) == 0
    assert "--model-name tiny" in capsys.readouterr().out
    assert main(["step", "run", "--dry-run", "--place", "heart01", "rehearse-rag"]) == 0
    captured = capsys.readouterr()
    assert "--model-name Qwen/Qwen3-8B" in captured.out
    assert "is for practice: not used for heart01" in captured.err


def test_an_own_model_that_the_place_forbids_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("lawqa.toml").write_text('place = "heart01"\nmodel = "Qwen/Qwen3-4B"\n', encoding="utf-8")
    assert main(["step", "run", "rehearse-rag"]) == 2
    error = capsys.readouterr().err
    assert "rehearse-rag: forbidden at heart01 by the rule model-of-heart01" in error
    assert not Path("results").exists()


def test_a_run_without_steps_says_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["step", "run"]) == 2
    assert "no step was given\nhint: lawqa step list" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_step_runs_is_logged_and_is_skipped_the_second_time(
    embedded_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("lawqa.toml").write_text(
        f'place = "practice"\ndata = "{embedded_file}"\nwork = "w"\n', encoding="utf-8"
    )
    assert main(["step", "run", "check-data", "split", "check-leaks"]) == 0
    out = capfd.readouterr().out
    assert "leaks between parts: none" in out
    assert out.endswith("all 3 steps are done\n")
    assert "leaks between parts: none" in Path("w/steps/split.log").read_text(encoding="utf-8")
    assert main(["step", "run", "split"]) == 0
    assert "done already" in capfd.readouterr().out
    assert main(["step", "list"]) == 0
    row = next(line for line in capfd.readouterr().out.splitlines() if " split " in line)
    assert row.split()[3] == "done"
