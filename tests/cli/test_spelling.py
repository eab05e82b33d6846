"""The flags of a command have the lab's names, in the order of the command's vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import tyro

from lawqa.cli import main
from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.cli.flags import hint_parts, subcommands_of
from lawqa.cli.spelling import spelled
from lawqa.settings import RESULT, named
from lawqa.settings.declared import Vocabulary


@dataclass(frozen=True)
class _Command:
    model_name: str = field(
        default="m", metadata=named(RESULT, evaluate="--hf-model-name", train="--base")
    )
    """Which model."""
    resume: bool = field(default=False, metadata=RESULT)
    """Resume."""


@dataclass(frozen=True)
class _Bare:
    number: int = 1


@dataclass(frozen=True)
class _Choices:
    mode: Literal["b", "a"] | None = None
    level: Literal[4, 1] | None = 1


@pytest.mark.parametrize("flag", ["--model-name", "--hf-model-name", "--base"])
def test_every_name_of_a_setting_gives_it(flag: str) -> None:
    command = tyro.cli(spelled(_Command, "evaluate"), args=[flag, "x", "--resume"])
    assert command == _Command("x", resume=True)
    assert type(command) is _Command


@pytest.mark.parametrize(
    ("words", "first"),
    [("evaluate", "--hf-model-name"), ("train", "--base"), (None, "--model-name")],
)
def test_help_shows_the_vocabulary_s_own_name_first(
    words: Vocabulary | None, first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        tyro.cli(spelled(_Command, words), args=["--help"])
    shown = capsys.readouterr().out
    names = ("--hf-model-name", "--base", "--model-name")
    assert min(names, key=lambda name: shown.index(f"{name} ")) == first
    assert "--no-resume" not in shown


def test_a_class_that_declares_nothing_is_left_as_it_is() -> None:
    assert spelled(_Bare, "train") is _Bare


def _optional_literals(kind: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the words of a command, a flag and its values as a message should have them."""
    hints = get_type_hints(kind, include_extras=True)
    for one in fields(kind):
        bare, marks = hint_parts(hints[one.name])
        if is_dataclass(bare):
            yield from _optional_literals(bare, words)
        elif type(None) in get_args(bare) and get_origin(get_args(bare)[0]) is Literal:
            names = [mark.name for mark in marks if getattr(mark, "name", None)]
            flag = f"--{(names or [one.name.replace('_', '-')])[-1]}"
            yield (*words, flag), str(tuple(map(str, get_args(get_args(bare)[0]))))
    for name, below in subcommands_of(kind).items():
        yield from _optional_literals(below, (*words, name))


_CASES = [case for name in COMMANDS for case in _optional_literals(command_class(name), (name,))]


def test_the_optional_literals_of_the_commands_are_found() -> None:
    assert (("evaluate", "--mode"), "('direct', 'cot')") in _CASES
    assert (("runs", "list", "--kind"), "('evaluate', 'train')") in _CASES
    assert len(_CASES) >= 20


@pytest.mark.parametrize("value", ["nonsense", "None"])
@pytest.mark.parametrize(
    ("words", "values"), _CASES, ids=lambda case: " ".join(case) if isinstance(case, tuple) else ""
)
def test_a_wrong_value_of_an_optional_flag_is_answered_by_its_values_in_their_order(
    words: tuple[str, ...], values: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, value]) == 2
    shown = " ".join(capsys.readouterr().err.translate({ord(c): " " for c in "|│"}).split())
    assert f"invalid choice '{value}' for argument" in shown
    assert f"Expected one of {values}" in shown


@pytest.mark.parametrize(
    ("words", "mode", "level"),
    [([], None, 1), (["--mode", "b"], "b", 1), (["--level", "4"], None, 4)],
)
def test_an_optional_literal_keeps_its_default_and_the_type_of_its_values(
    words: list[str], mode: str | None, level: int
) -> None:
    command = tyro.cli(spelled(_Choices, None), args=words)
    assert (command.mode, command.level) == (mode, level)
