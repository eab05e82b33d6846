"""Help and the parser's messages as a terminal shows them: in its width, with straight boxes."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from itertools import groupby

import pytest

from lawqa.cli import main
from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.cli.flags import subcommands_of
from lawqa.cli.help_text import display_width, filled, tidied_parser, wrapped


def every_command() -> Iterator[tuple[str, ...]]:
    def below(kind: type, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, inner in subcommands_of(kind).items():
            yield from below(inner, (*path, name))

    yield ()
    for name in COMMANDS:
        yield from below(command_class(name), (name,))


def faults(text: str, width: int) -> Iterator[str]:
    lines = text.splitlines()
    yield from (line for line in lines if display_width(line) > width)
    yield from re.findall(r".*\b\w+\.\w+ options.*|.*\{None\}.*|.*\ue000.*", text)
    for boxed, group in groupby(lines, lambda line: line[:1] in "│╭╰" and line != ""):
        box = list(group)
        for line in box if boxed else ():
            if line[-1] not in "│╮╯":
                yield line
        if boxed and display_width(box[0]) != max(map(display_width, box)):
            yield box[0]


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_help_of_every_command_fits_the_terminal_in_straight_boxes(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    seen = list(every_command())
    wrong = {}
    for path in seen:
        assert main([*path, "--help"]) == 0
        text = capsys.readouterr().out
        assert text.startswith("usage: lawqa"), path
        wrong[path] = list(faults(text, width))
    assert {path: found for path, found in wrong.items() if found} == {}
    assert len(seen) > 55


def test_japanese_takes_two_columns() -> None:
    assert display_width("条文 a") == 6
    assert len(filled("条文 a")) == 6


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("one two three", "one two\nthree"),
        ("  one two three", "  one\n  two\n  three"),
        ("条文を読む だけの行", "条文を読む\nだけの行"),
        ("short", "short"),
        ("unbreakable", "unbreakable"),
        ("", ""),
    ],
)
def test_lines_break_between_words(line: str, expected: str) -> None:
    assert wrapped(line, 8 if "条" not in line else 10) == expected


def test_further_lines_hang() -> None:
    assert wrapped("  • name  one two", 14, "          ") == "  • name  one\n          two"


@pytest.mark.parametrize("colour", ["", "\x1b[37;2m"])
def test_a_group_is_named_without_its_place(colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    with tidied_parser():
        sys.stdout.write(f"{colour}╭─ {colour}training.console{colour} options{colour} ──╮")
    line = out.getvalue().strip()
    assert "training." not in line
    assert display_width(line) == display_width("╭─ training.console options ──╮")
