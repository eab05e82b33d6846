"""A rule of a place that names one command holds for every command that does the same with a model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest

from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.commands.model_work import MODEL_WORK, OTHER_MODEL_WORK, alike
from lawqa.commands.policy import violations
from lawqa.commands.source import packaged_source

_MODEL_FLAGS = {"model_name", "hf_model_name", "llm_backend", "embedding_model"}


def dataclasses_in(kind: Any) -> Iterator[type]:
    """The dataclasses of a type: itself, or those within a union or annotation."""
    if isinstance(kind, type) and is_dataclass(kind):
        yield kind
    for inner in get_args(kind):
        yield from dataclasses_in(inner)


def names_a_model(kind: type) -> bool:
    """Whether a command, or a group of flags in it, has a flag for a model."""
    hints = get_type_hints(kind, include_extras=True)
    return any(
        field.name in _MODEL_FLAGS
        or any(names_a_model(inner) for inner in dataclasses_in(hints[field.name]))
        for field in fields(kind)
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_with_a_flag_for_a_model_says_what_work_it_puts_on_it(name: str) -> None:
    declared = {words.split()[0] for group in MODEL_WORK.values() for words in group}
    kind = command_class(name)
    entry = COMMANDS[name]
    written = getattr(
        sys.modules[entry.module(name)], entry.class_name
    )  # its annotations can be resolved
    assert issubclass(kind, written)
    assert not names_a_model(written) or name in declared | OTHER_MODEL_WORK.keys()


def test_what_is_declared_is_a_command() -> None:
    named = {words.split()[0] for group in MODEL_WORK.values() for words in group}
    assert named | OTHER_MODEL_WORK.keys() <= COMMANDS.keys()


def test_a_rule_for_evaluate_holds_for_the_ladder() -> None:
    place = packaged_source().place("heart01")
    named = ["lawqa", "ladder", "--llm-backend", "hf", "--hf-model-name", "Qwen/Qwen3-8B"]
    assert violations(place, named, {}) == ()
    for argv in (["lawqa", "ladder"], named[:4], ["lawqa", "ladder", *named[4:]]):
        broken = [one.rule.id for one in violations(place, argv, {})]
        assert broken == ["evaluation-names-backend-and-model"] * len(broken) != []


def test_a_command_that_nobody_names_is_alike_to_itself_only() -> None:
    assert alike(("merge",)) == ("merge",)
    assert alike(("train", "sweep")) == ("train", "prefer", "crossval run", "sweep")
