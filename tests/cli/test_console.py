"""`--quiet`, `--verbose` and `--log-file`: what the terminal shows, and what is kept."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lawqa.backends.base import Failure
from lawqa.backends.scripted import ScriptedBackend
from lawqa.bars import Bar
from lawqa.cli import main, parse_arguments
from lawqa.cli.console import ConsoleFlags, console_flags_of, console_messages
from lawqa.questions import Question, write_questions

EVALUATE = (
    "evaluate --data q.json --llm-backend scripted --script s.json --run-dir r --temperature 0.5"
)
DATED = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d (DEBUG|INFO|WARNING|ERROR) [\w.]+: "
)

LONG = [
    ("train", "--train-file t --output-dir o"),
    ("evaluate", ""),
    ("crossval run", "--input q --output-dir o"),
    ("sweep", "--train-file t --output-dir o"),
    ("distill", "--data q --output-path o"),
    ("pool sample", "--data q --pool o"),
    ("pool select", "--pool p --output-path o"),
    ("index build", "--articles a --output-dir o"),
    ("index eval", "--index i"),
    ("statutes parse", "x --output o"),
    ("augment statutes", "--articles a --output o"),
    ("augment reading", "--articles a --output o"),
    ("merge", "a -o o"),
    ("probe", "--data q"),
    ("report", "r"),
    ("rescore", "r"),
    ("records", "--output-path o"),
    ("split", "--input q --output-dir o"),
    ("step run", "s"),
    ("demo", ""),
]


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: Callable[..., Question]
) -> Path:
    """An own working directory that holds a question and a script."""
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", [question()])
    (tmp_path / "s.json").write_text('{"*": "b"}', encoding="utf-8")
    return tmp_path


def run(words: str) -> int:
    return main(words.split())


def records(path: Path) -> list[str]:
    """The records of a log file; each line begins one with time and level, or is indented."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(DATED.match(line) or line.startswith("    ") for line in lines), lines
    return [DATED.sub(r"\1 ", line) for line in lines]


# --- which commands, and what the flags do


@pytest.mark.parametrize(("command", "rest"), LONG, ids=[command for command, _ in LONG])
def test_every_long_command_takes_the_flags(command: str, rest: str) -> None:
    words = [*command.split(), *rest.split(), "--quiet", "--log-file", "l.txt"]
    assert console_flags_of(parse_arguments(words)) == ConsoleFlags(
        quiet=True, log_file=Path("l.txt")
    )
    words = [*command.split(), *rest.split(), "--verbose"]
    assert console_flags_of(parse_arguments(words)) == ConsoleFlags(verbose=True)


def test_by_default_notes_are_shown_and_details_are_not(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{EVALUATE} --resume") == 0
    assert capsys.readouterr().err == (
        "note: --temperature unused: labels are scored, no text is generated\n"
        "note: r: holds no run to resume: a new one begins\n"
    )
    assert sorted(path.name for path in here.iterdir()) == ["q.json", "r", "s.json"]


@pytest.mark.usefixtures("here")
def test_quiet_shows_warnings_and_errors_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{EVALUATE} --resume --quiet") == 0
    assert capsys.readouterr().err == (
        "note: --temperature unused: labels are scored, no text is generated\n"
    )
    assert run(f"{EVALUATE} --quiet") == 2
    assert "\nerror: r: already holds a run\n" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_verbose_also_shows_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{EVALUATE} --verbose") == 0
    out, err = capsys.readouterr()
    assert "settings: " in err
    assert "'answer_by': 'logits'" in err
    assert "1 of 1 answer asked for" in err
    assert "settings" not in out


def test_quiet_and_verbose_contradict_each_other(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{EVALUATE} --quiet --verbose") == 2
    assert capsys.readouterr().err == (
        "error: --quiet and --verbose contradict each other\nhint: leave one of them out\n"
    )
    assert not (here / "r").exists()


def test_what_was_asked_for_once_does_not_stay(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (list(logging.root.handlers), logging.root.level, logging.getLogger("lawqa").level)
    assert run(f"{EVALUATE} --verbose --log-file l.txt") == 0
    assert before == (
        logging.root.handlers, logging.root.level, logging.getLogger("lawqa").level
    )  # fmt: skip
    capsys.readouterr()
    size = (here / "l.txt").stat().st_size
    assert run(f"{EVALUATE} --fresh") == 0
    assert "settings" not in capsys.readouterr().err
    assert (here / "l.txt").stat().st_size == size


# --- the log file


@pytest.mark.parametrize("flag", ["", "--quiet", "--verbose"])
def test_the_log_file_holds_what_is_told_whatever_is_shown(here: Path, flag: str) -> None:
    assert run(f"{EVALUATE} --resume --log-file l.txt {flag}") == 0
    found = records(here / "l.txt")
    assert re.match(
        r"INFO lawqa [\d.]+: evaluate --data q\.json .* \(in .*, process \d+, ", found[0]
    )
    assert "WARNING note: --temperature unused: labels are scored, no text is generated" in found
    assert "INFO note: r: holds no run to resume: a new one begins" in found
    assert re.match(r"INFO ended with exit code 0 after \d+ s", found[-1])
    assert any(line.startswith("DEBUG settings: ") for line in found) == (flag == "--verbose")


def test_the_log_file_is_appended_to(here: Path) -> None:
    assert run(f"{EVALUATE} --log-file l.txt") == 0
    assert run(f"{EVALUATE} --log-file l.txt") == 2
    found = records(here / "l.txt")
    ends = [line.split(" after")[0] for line in found if "ended with" in line]
    assert ends == ["INFO ended with exit code 0", "INFO ended with exit code 2"]
    assert any(line.startswith("ERROR error: r: already holds a run") for line in found)
    assert any(line.startswith("ERROR hint: ") for line in found)


@pytest.mark.slow
def test_japanese_is_written_as_it_is_in_any_locale(here: Path) -> None:
    (here / "q.json").rename(here / "問題.json")
    words = EVALUATE.replace("q.json", "問題.json")
    ended = subprocess.run(  # noqa: S603 - the tests' own words
        [sys.executable, "-m", "lawqa", *words.split(), "--log-file", "記録.txt"],
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "--data '問題.json'" in records(here / "記録.txt")[0]


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        (".", "is a directory or a pipe, expected a file", "name a new file"),
        ("no/l.txt", "cannot be written: No such file or directory", "mkdir -p no"),
        ("q.json", "is not a log file, so nothing was appended to it", "name a new file"),
        ("q.json/l", "cannot be written: Not a directory", "mkdir -p q.json"),
    ],
)
def test_a_log_file_that_cannot_be_is_an_error_before_any_work(
    here: Path, capsys: pytest.CaptureFixture[str], path: str, message: str, hint: str
) -> None:
    before = {file: file.read_bytes() for file in here.iterdir()}
    assert run(f"{EVALUATE} --log-file {path}") == 2
    assert capsys.readouterr() == ("", f"error: --log-file {path}: {message}\nhint: {hint}\n")
    assert {file: file.read_bytes() for file in here.iterdir()} == before


def test_an_interrupt_is_kept_with_the_way_to_go_on(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(ScriptedBackend, "score_choices", interrupted)
    assert run(f"{EVALUATE} --log-file l.txt") == 130
    found = records(here / "l.txt")
    assert found[-3] == "ERROR interrupted"
    assert found[-2].startswith("ERROR hint: lawqa evaluate ")
    assert found[-2].endswith("--run-dir r --resume  resumes it")
    assert found[-1].startswith("INFO ended with exit code 130")
    assert "Traceback" not in capsys.readouterr().err


def test_a_bug_leaves_its_traceback_in_the_log_file(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def buggy(*_: object) -> NoReturn:
        raise ZeroDivisionError("for the test")

    monkeypatch.setattr(ScriptedBackend, "score_choices", buggy)
    with pytest.raises(ZeroDivisionError):
        run(f"{EVALUATE} --log-file l.txt")
    kept = (here / "l.txt").read_text(encoding="utf-8")
    assert (
        "ERROR lawqa.cli.console: a bug of lawqa ended it\n    Traceback (most recent call" in kept
    )
    assert "    ZeroDivisionError: for the test\n" in kept
    assert "ZeroDivisionError" not in capsys.readouterr().err  # Python shows it, once


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_told(here: Path) -> None:
    script = (
        "import sys, time, logging\n"
        "from lawqa.cli import main\n"
        "from lawqa.backends.scripted import ScriptedBackend\n"
        "def hang(*_):\n"
        "    logging.getLogger('lawqa.here').info('the last words')\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(600)\n"
        "ScriptedBackend.score_choices = hang\n"
        "main(sys.argv[1:])\n"
    )
    with subprocess.Popen(  # noqa: S603 - the tests' own words
        [sys.executable, "-c", script, *EVALUATE.split(), "--log-file", "l.txt"],
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGKILL)
    assert records(here / "l.txt")[-1] == "INFO the last words"


def test_warnings_of_libraries_are_kept_and_shown_as_ever(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def warning(_self: object, prompts: list[Any]) -> list[Failure]:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old name", FutureWarning, stacklevel=1)
        logging.getLogger("somebody.else").warning("look here")
        logging.getLogger("somebody.else").info("nobody asked")
        return [Failure(prompt.key, "for the test") for prompt in prompts]

    monkeypatch.setattr(ScriptedBackend, "score_choices", warning)
    assert run(f"{EVALUATE} --log-file l.txt --quiet") == 3
    err = capsys.readouterr().err
    assert re.search(r"^\S+test_console\.py:\d+: FutureWarning: old name$", err, re.MULTILINE)
    assert "look here\n" in err
    kept = (here / "l.txt").read_text(encoding="utf-8")
    assert re.search(r"WARNING py\.warnings: \S+: FutureWarning: old name\n", kept)
    assert "WARNING somebody.else: look here\n" in kept
    assert "nobody asked" not in err + kept


def test_a_message_cannot_pretend_to_be_a_record(here: Path) -> None:
    with console_messages([]) as told:
        told.follow(ConsoleFlags(log_file=here / "l.txt"))
        logging.getLogger("lawqa.x").info(
            "one\n2026-01-01T00:00:00+09:00 ERROR lawqa: forged\x1b[2J"
        )
    kept = (here / "l.txt").read_text(encoding="utf-8")
    assert "\n    2026-01-01T00:00:00+09:00 ERROR lawqa: forged\\u001b[2J\n" in kept


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_on_a_full_disk_is_told_once_and_does_not_end_the_run(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{EVALUATE} --log-file /dev/full --verbose --resume") == 0
    err = capsys.readouterr().err
    assert err.count("! /dev/full: cannot be written: [Errno 28] No space left on device") == 1
    assert "Traceback" not in err
    assert (here / "r" / "summary.json").is_file()


def test_each_process_of_several_has_its_name_in_the_log(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    with console_messages([]) as told:
        told.follow(ConsoleFlags(log_file=here / "l.txt"))
    assert " INFO [process 1] lawqa.cli.console: " in (here / "l.txt").read_text(encoding="utf-8")


def test_a_message_does_not_break_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with console_messages([]), Bar("counting", "sheep", 2) as bar:
        bar.add()
        logging.getLogger("lawqa.x").info("one is black")
    before = terminal.getvalue().partition("one is black\n")[0]
    assert before.endswith("\r")  # the bar was taken away first
