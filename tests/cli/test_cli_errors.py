"""What a user sees when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli import main
from lawqa.errors import (
    BackendError,
    ConfigError,
    DataError,
    LawqaError,
    MissingExtraError,
    PolicyError,
)
from lawqa.questions import Question, write_questions

pytestmark = pytest.mark.every_python

SCRIPTED = [
    "evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json", "--run-dir", "r",
]  # fmt: skip


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: Callable[..., Question]
) -> Path:
    """An own working directory that holds a question, a script, and an empty file."""
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", [question()])
    (tmp_path / "s.json").write_text('{"*": "b"}', encoding="utf-8")
    (tmp_path / "empty.json").touch()
    return tmp_path


@pytest.mark.parametrize(
    "argv",
    [
        "data check nothing.json",
        "data check empty.json",
        "data check .",
        "data check s.json",
        "evaluate --data nothing.json",
        "evaluate --data empty.json",
        "evaluate --data q.json --llm-backend scripted --script nothing.json",
        "evaluate --data q.json --llm-backend scripted --script s.json --run-dir q.json",
        "evaluate --data q.json --llm-backend scripted --script s.json --run-dir q.json/r",
        "evaluate --data q.json --llm-backend scripted --script s.json --output .",
        "evaluate --data q.json --hf-lora-path nothing",
        "evaluate --data q.json --hf-lora-path q.json",
        f"evaluate --data q.json --hf-model-name {'x' * 5000}",
        f"evaluate --data q.json --hf-model-name {'x' * 300}",
        f"evaluate --data {'x' * 300}",
        f"evaluate --data q.json --llm-backend scripted --script s.json --run-dir {'x' * 300}",
        f"plan --model {'x' * 300}",
        f"data check {'x' * 5000}",
        "evaluate --data q.json --place moon",
        "train --train-file nothing.jsonl --output-dir a --do-train",
        "train --train-file empty.json --output-dir a",
        "train --train-file q.json --output-dir q.json",
        "records --lawqa-path nothing.json --output-path r.jsonl",
        "records --lawqa-path q.json --output-path q.json",
        "records --lawqa-path q.json --output-path s.json/r.jsonl",
        "records --lawqa-path q.json --output-path . --fresh",
        "demo --data nothing.json",
        "demo --data q.json --run-dir q.json",
    ],
)
def test_a_users_mistake_prints_an_error_and_no_traceback(
    here: Path, capsys: pytest.CaptureFixture[str], argv: str
) -> None:
    before = {path: path.read_bytes() for path in here.iterdir()}
    assert main(argv.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert {path: path.read_bytes() for path in here.iterdir()} == before


def test_error_and_hint_stand_on_lines_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "check", "nothing.json"]) == 2
    assert capsys.readouterr().err == (
        "error: nothing.json: no such file\n"
        "hint: paths are relative to the directory the command runs in\n"
    )


def test_an_error_without_a_hint_prints_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.json").touch()
    assert main(["data", "check", f"{tmp_path}/empty.json"]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path}/empty.json: is empty\n"


@pytest.mark.parametrize("kind", [DataError, ConfigError, BackendError, PolicyError])
def test_every_kind_of_mistake_has_message_and_hint(kind: type[LawqaError]) -> None:
    problem = kind("what was found", "what fixes it")
    assert isinstance(problem, LawqaError)
    assert (problem.message, problem.hint, str(problem)) == (
        "what was found",
        "what fixes it",
        "what was found",
    )
    assert kind("what was found").hint == ""


def test_a_missing_extra_comes_with_the_command_that_installs_it() -> None:
    problem = MissingExtraError("bm25s", "rag")
    assert isinstance(problem, LawqaError)
    assert problem.message == "bm25s is not installed"
    assert problem.hint.startswith("pip install 'bm25s>=")


def test_an_interrupt_ends_with_code_130_and_leaves_a_run_that_says_so(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedBackend, "score_choices", interrupted)
    assert main(SCRIPTED) == 130
    assert capsys.readouterr() == (
        "",
        "interrupted\n"
        "hint: lawqa evaluate --data q.json --llm-backend scripted --script s.json --run-dir r --resume"
        "  resumes it\n",
    )
    assert '"status": "interrupted"' in (here / "r" / "manifest.json").read_text(encoding="utf-8")


def interrupted(*_arguments: object) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize("flag", ["--json", "--no-such-flag"])
def test_what_the_parser_warns_of_is_seen_whether_it_succeeds_or_not(flag: str) -> None:
    """It parses in silence first, and Python gives a warning of one place once."""
    code = """
import sys, warnings, tyro
from lawqa.cli import main
parse = tyro.cli
def parse_with_warning(*arguments, **options):
    warnings.warn("of the parser", stacklevel=1)
    return parse(*arguments, **options)
tyro.cli = parse_with_warning
main(["plan", sys.argv[1]])
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, flag], capture_output=True, text=True, check=True
    )
    assert done.stderr.count("UserWarning: of the parser") == 1


def test_a_bug_keeps_its_traceback(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptedBackend, "score_choices", buggy)
    with pytest.raises(ZeroDivisionError):
        main(SCRIPTED)
    assert '"status": "failed"' in (here / "r" / "manifest.json").read_text(encoding="utf-8")


def buggy(*_arguments: object) -> NoReturn:
    raise ZeroDivisionError


@pytest.mark.slow
def test_a_reader_that_stops_reading_is_no_error(embedded_file: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody_reads:
        ended = subprocess.run(  # noqa: S603 - the tests' own words
            [sys.executable, "-m", "lawqa", "data", "check", str(embedded_file)],
            stdout=nobody_reads,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("said", [None, "active"])
@pytest.mark.parametrize("gpu", [True, False])
def test_on_a_cpu_waiting_threads_sleep_unless_the_user_says_otherwise(
    said: str | None, gpu: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", said or "")
    if said is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setattr("lawqa.cli._GPU_CONTROL", tmp_path if gpu else tmp_path / "none")
    assert main(["--version"]) == 0
    assert os.environ.get("OMP_WAIT_POLICY") == (said or (None if gpu else "passive"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evalaute --data q", "error: lawqa has no command evalaute\nhint: lawqa evaluate\n"),
        ("zzz", "error: lawqa has no command zzz\nhint: lawqa --help  lists all of them\n"),
        ("data check .", "error: .: is a directory, expected a file\nhint: ls .\n"),
    ],
)
def test_a_misspelt_command_and_a_directory_are_called_so(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    assert capsys.readouterr().err == said
