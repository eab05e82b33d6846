"""Commands and flags that messages, help texts and docstrings name are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import lawqa
from lawqa.cli import main
from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.cli.flags import flags_of_class, subcommands_of

ROOT = Path(lawqa.__file__).parent
OF_ALL = {"--help", "--version", "--config", "--save-config"}
NAMED = re.compile(
    r"(?P<mark>`|hint: |\A|^ *|in )lawqa (?P<name>[a-z][a-z-]+)(?: (?P<inner>[a-z]+))?"
    r"(?P<rest>(?:(?! lawqa |[;,。（`(:]|  |\.\s).)*)",
    re.DOTALL | re.MULTILINE,
)
"""A command line in a text, up to where prose goes on."""
FLAG = re.compile(r"(?<![\w-])--[a-z0-9][a-z0-9-]*")


def written(kind: type) -> set[str]:
    return {word for flag in flags_of_class(kind) for word in flag.written()} | OF_ALL


@cache
def flags() -> dict[str, set[str]]:
    """The flags of every command and subcommand; a command knows those of its subcommands."""
    found: dict[str, set[str]] = {}
    for name in COMMANDS:
        kind = command_class(name)
        found[name] = written(kind)
        for inner, of_inner in subcommands_of(kind).items():
            found[f"{name} {inner}"] = written(of_inner)
            found[name] |= found[f"{name} {inner}"]
    return found


def texts(node: ast.AST) -> Iterator[str]:
    """The strings of a module; what a formatted string fills in is an ellipsis."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        yield "".join(map(str, parts))
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from texts(child)


def unknown(text: str) -> Iterator[str]:
    """Commands that are not there, and flags that the command beside them has not."""
    for match in NAMED.finditer(text):
        name, inner = match["name"], match["inner"]
        if name not in COMMANDS:
            if FLAG.search(match["rest"]) or match["mark"] == "`":
                yield match[0]
            continue
        words = f"{name} {inner}" if f"{name} {inner}" in flags() else name
        yield from (
            f"{words} {flag}" for flag in FLAG.findall(match["rest"]) if flag not in flags()[words]
        )


def test_every_command_and_flag_that_a_text_of_the_package_names_is_there() -> None:
    seen, wrong = 0, []
    for file in ROOT.rglob("*.py"):
        for text in texts(ast.parse(file.read_text(encoding="utf-8"))):
            seen += sum(match["name"] in COMMANDS for match in NAMED.finditer(text))
            wrong += [(file.name, one) for one in unknown(text)]
    assert seen > 150
    assert not wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hint: lawqa evaluate --resume  asks them again", []),
        ("`lawqa evaluate --nosuch`", ["evaluate --nosuch"]),
        ("in lawqa rm --help", ["in lawqa rm --help"]),
        ("in lawqa runs rm --help", []),
    ],
)
def test_what_counts_as_unknown(text: str, expected: list[str]) -> None:
    assert list(unknown(text)) == expected


@pytest.mark.parametrize(
    "words",
    [
        "crossval run --learning-ratee 3",
        "runs rm --yess",
        "evaluate --outputt x",
        "pool sample --inputt x",
    ],
)
def test_a_misspelt_flag_names_a_command_that_is_there(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert "--help" in said
    assert list(unknown(re.sub(r"\s*│\n│\s*", " ", said))) == []
    boxed = [line for line in said.splitlines() if line[:1] in "│╭╰"]
    assert len({len(line) for line in boxed}) == 1, said
