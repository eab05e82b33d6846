"""What `lawqa --help` and the help of a command look like, and one name for what all commands share."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from typing import Any

import pytest

from lawqa.cli import main, parse_arguments
from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.cli.flags import flags_of_class, subcommands_of


def helped(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "--help"]) == 0
    return capsys.readouterr().out


def test_every_command_is_a_line_in_one_of_five_groups(capsys: pytest.CaptureFixture[str]) -> None:
    lines = helped(capsys).splitlines()
    assert [line for line in lines if re.fullmatch("[a-z]+", line)] == [
        "ask", "train", "data", "law", "lab"
    ]  # fmt: skip
    named = [match[1] for line in lines if (match := re.fullmatch(r" +• (\S+) +\S.*", line))]
    assert sorted(named) == sorted(COMMANDS)
    assert "--version" in "\n".join(lines)


@pytest.mark.parametrize(
    "words", ["evaluate", "train", "crossval run", "sweep", "records", "pool sample"]
)
def test_help_says_nothing_empty_and_breaks_no_sentence(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = helped(capsys, *words.split())
    for nothing in ("{None}", "None,", "(default: None)", "(default: False)", "(default: )"):
        assert nothing not in text
    assert "--config FILE.toml" in text
    # A line ends early only where the next word would not fit.
    inner = [line[1:-1] for line in text.splitlines() if line.startswith("│")]
    for line, after in pairwise(inner):
        first = after.strip().partition(" ")[0]
        indented = re.match(r" {20,}\S", line) and re.match(r" {20,}\S", after)
        if indented and first and not first.startswith("("):
            assert len(line.rstrip()) + 1 + len(first) >= len(line) - 1, (line, after)


def one(words: str) -> Any:
    parsed: Any = parse_arguments(words.split())
    return getattr(parsed, "command", parsed)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("evaluate", "data"), ("ladder --run-dir r", "data"), ("split --output-dir o", "input"),
        ("records --output-path o", "data"), ("train --output-dir o", "train_file"),
        ("index eval --index i", "questions"), ("distill --output-path o", "data"),
    ],
)  # fmt: skip
def test_questions_are_given_by_one_name_everywhere(words: str, field: str) -> None:
    for flag in ("--data", "--input"):
        assert str(getattr(one(f"{words} {flag} q.json"), field)) == "q.json"


@pytest.mark.parametrize(
    ("words", "flags", "field"),
    [
        ("evaluate", ("--output-dir", "--run-dir"), "run_dir"),
        ("ladder", ("--output-dir", "--run-dir"), "run_dir"),
        ("demo", ("--output-dir", "--run-dir"), "run_dir"),
        ("average a b", ("--output-dir", "--run-dir", "-o"), "output_dir"),
        ("evaluate", ("--output-path", "--output"), "output"),
        ("report r", ("--output-path", "--output", "-o"), "output"),
        ("log r --template 評価ログ", ("--output-path", "--output", "-o"), "output"),
        ("records", ("--output-path", "--output"), "output_path"),
        ("runs pack f", ("--output-path", "--output"), "output"),
        ("statutes parse i", ("--output-path", "--output"), "output"),
    ],
)
def test_output_is_given_by_one_name_everywhere(
    words: str, flags: tuple[str, ...], field: str
) -> None:
    for flag in flags:
        assert str(getattr(one(f"{words} {flag} x"), field)) == "x"


def test_folds_go_into_a_run_directory_as_runs_do() -> None:
    for flag in ("--output-dir", "--run-dir"):
        assert str(one(f"crossval run --input q {flag} x").split.output_dir) == "x"


def test_no_flag_of_a_command_is_given_by_a_name_of_another() -> None:
    for name in COMMANDS:
        kind: Any = command_class(name)
        for inner in (subcommands_of(kind) or {"": kind}).values():
            names = [one for flag in flags_of_class(inner) for one in flag.names]
            assert len(names) == len(set(names)), name


def test_the_shell_completes_commands_subcommands_and_flags(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    asked = """
t() { COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=(); _lawqa; echo "${COMPREPLY[*]}"; }
t lawqa ev; t lawqa crossval r; t lawqa crossval run --fol; t lawqa train --save-c; t lawqa train --no-4
t lawqa train --no-fsd; t lawqa evaluate --data q
t lawqa evaluate --mode ""; t lawqa crossval run --condition g
"""
    ran = subprocess.run(  # noqa: S603
        ["/bin/bash", "-c", script + asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.splitlines() == [
        "evaluate", "run", "--fold --folds --follow", "--save-config", "--no-4bit", "", "",
        "direct cot", "gold",
    ]  # fmt: skip
    for shell, start in (("zsh", "autoload"), ("fish", "# lawqa completion fish")):
        assert main(["completion", shell]) == 0
        out = capsys.readouterr().out
        assert out.startswith(start)
        assert "crossval" in out
    # Of fish, the last: the values of a flag are its choices, no file for a number, else a file.
    ends = {
        match[1]: match[2]
        for match in re.finditer(
            r"from evaluate' -l (mode|seed|input|quiet)( .*|)$", out, re.MULTILINE
        )
    }
    assert ends == {"mode": " -x -a 'direct cot'", "seed": " -x", "input": " -r", "quiet": ""}
