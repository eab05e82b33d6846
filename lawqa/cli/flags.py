"""The flags of a command, read from its dataclass: their names, and how a value is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tyro.conf import FlagCreatePairsOff, Positional

# `Any` below is a type hint, annotated or not: typing has no type for its own special forms.
Form = Literal["switch", "value", "values", "lists"]
"""A switch takes no word, a value one, values any number; lists are values that may be given again."""


@dataclass(frozen=True)
class Flag:
    """A flag of a command."""

    names: tuple[str, ...]
    """All of its names, `--` included; the one that help shows first is the first."""
    form: Form
    paired: bool
    """Whether there is a `--no-` of each name, too."""
    number: bool
    """Whether its values are numbers."""
    choices: tuple[str, ...]
    """The values that it can take; none where they are not a fixed few."""

    def written(self) -> frozenset[str]:
        """Return every word that gives this flag."""
        opposites = (f"--no-{name.removeprefix('--')}" for name in self.names if self.paired)
        return frozenset((*self.names, *opposites))


def flags_of_class(kind: Any) -> Iterator[Flag]:
    """Yield the flags of a command's class and of the dataclasses in it; not its positional arguments.

    Args:
        kind: a class of `lawqa.cli.command_table.command_class`, or one of its subcommands.
    """
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        bare, marks = hint_parts(hints[field.name])
        if is_dataclass(bare):
            yield from flags_of_class(bare)
        elif not _is_commands(bare) and all(mark is not Positional for mark in marks):
            names = [f"--{field.name.replace('_', '-')}"]
            for mark in marks:
                if getattr(mark, "name", None):
                    names = [f"--{mark.name}"]
            aliases = [alias for mark in marks for alias in getattr(mark, "aliases", None) or ()]
            pairs_off = any(mark is FlagCreatePairsOff for mark in marks)
            form = _form(bare)
            paired = form == "switch" and not pairs_off
            yield Flag(
                tuple(dict.fromkeys((*aliases, *names))),
                form,
                paired,
                bool(_leaves(bare) & {int, float}),
                _choices(bare),
            )


def subcommands_of(kind: Any) -> dict[str, Any]:
    """Return the classes of a command's subcommands by their names; none for a command without."""
    subcommands = {}
    for field in fields(kind):
        bare, _ = hint_parts(get_type_hints(kind, include_extras=True)[field.name])
        if _is_commands(bare):
            for member in get_args(bare):
                inner, marks = hint_parts(member)
                subcommands[next(mark.name for mark in marks if getattr(mark, "name", None))] = (
                    inner
                )
    return subcommands


def hint_parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type and what it is annotated with, at any depth."""
    marks: tuple[Any, ...] = ()
    while hasattr(hint, "__metadata__"):
        marks, hint = (*hint.__metadata__, *marks), get_args(hint)[0]
    return hint, marks


def _is_commands(bare: Any) -> bool:
    return get_origin(bare) in (Union, UnionType) and all(
        is_dataclass(hint_parts(member)[0]) for member in get_args(bare)
    )


def _choices(hint: Any) -> tuple[str, ...]:
    """Return the values of the literals that a hint is made of; none where it holds other things, too."""
    leaves = _leaves(hint) - {type(None), ...}
    if not leaves or any(get_origin(leaf) is not Literal for leaf in leaves):
        return ()
    return tuple(str(value) for leaf in leaves for value in get_args(leaf))


def _leaves(hint: Any) -> set[Any]:
    """Return the types that a hint is made of."""
    parts = get_args(hint)
    return (
        set().union(*map(_leaves, parts)) if parts and get_origin(hint) is not Literal else {hint}
    )


def _form(bare: Any) -> Form:
    if get_origin(bare) in (Union, UnionType):
        return _form(next(one for one in get_args(bare) if one is not type(None)))
    if bare is bool:
        return "switch"
    if get_origin(bare) is tuple:
        return "lists" if get_origin(get_args(bare)[0]) is tuple else "values"
    return "value"
