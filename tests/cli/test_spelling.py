"""The flags of a command have the lab's names, in the order of the command's vocabulary."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import tyro

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
