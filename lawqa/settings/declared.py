"""What a field's declaration says beside its type and default: what it changes, and its flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

Change = Literal["result", "speed", "place"]
"""result: answers or weights may differ; speed: only time and memory; place: only where something is, what is
kept, allowed or printed."""

Vocabulary = Literal["evaluate", "train"]
"""The lab's two scripts have names of their own for some settings; commands that ask a model use those of the
first, commands that train it those of the second."""

Declaration = Mapping[str, object]

Setting: TypeAlias = "Field[Any]"  # of any type: a dataclass's fields are read by name

RESULT: Declaration = {"changes": "result"}
SPEED: Declaration = {"changes": "speed"}
PLACE: Declaration = {"changes": "place"}


def named(declaration: Declaration, *, evaluate: str = "", train: str = "") -> Declaration:
    """Add the lab's names of a flag, which come first where its own command speaks."""
    lab = {"evaluate": evaluate, "train": train}
    return {**declaration, "lab": {words: name for words, name in lab.items() if name}}


def flagged(declaration: Declaration, flag: str) -> Declaration:
    """Give a setting a flag that is not spelled like its field; it comes first, whichever command speaks."""
    return {**declaration, "flag": flag}


def by_content(declaration: Declaration) -> Declaration:
    """Declare that a setting names a file, model or server, and that what this holds counts, not its name."""
    return {**declaration, "by_content": True}


GIVEN: Final = object()
"""As what another flag must have: any value that is not its default."""


def only_with(declaration: Declaration, **owners: object) -> Declaration:
    """Declare that a setting has no effect unless another one has a value; `belonging` refuses it then.

    Args:
        declaration: what else is declared of it; empty for a flag that is not a setting.
        owners: the values by the fields' names, a tuple for one of several; one owner that has its value is
            enough. `GIVEN` is any value but the default; False says that the two exclude each other.
    """
    wanted = {
        name: value if isinstance(value, tuple) else (value,) for name, value in owners.items()
    }
    return {**declaration, "only_with": wanted}


def owners_of(field: Setting) -> Mapping[str, tuple[object, ...]]:
    """Return the settings that one belongs to, by name, each with the values that it needs."""
    return cast("Mapping[str, tuple[object, ...]]", field.metadata.get("only_with", {}))


def called(declaration: Declaration, name: str) -> Declaration:
    """Give a setting that has no flag of its own, or what it holds, the name that messages use."""
    return {**declaration, "called": name}


def name_of(field: Setting, vocabulary: Vocabulary) -> str:
    """Return what messages call a setting: its flag, or the name that it was given."""
    return str(field.metadata.get("called") or flags_of(field, vocabulary)[0])


def within(kind: type) -> Declaration:
    """Declare that a setting is an object of settings, which say themselves what they change."""
    return {**RESULT, "within": kind}


def inner_of(field: Setting) -> type | None:
    """Return the dataclass that declares the settings within a setting; None for a plain value."""
    return cast("type | None", field.metadata.get("within"))


def declaration(kind: type, name: str) -> Declaration:
    """Return what a concern declares of a setting, for a dataclass that only changes its default."""
    return next(field.metadata for field in fields(kind) if field.name == name)


def change_of(field: Setting) -> Change:
    """Return what a setting changes.

    Raises:
        KeyError: the field does not declare it.
    """
    return cast(Change, field.metadata["changes"])


def counts_by_content(field: Setting) -> bool:
    """Return whether two values are the same setting where they name the same content."""
    return bool(field.metadata.get("by_content"))


def flags_of(field: Setting, vocabulary: Vocabulary | None = None) -> tuple[str, ...]:
    """Return every name of a setting's flag, the one that messages use first."""
    lab: Mapping[str, str] = field.metadata.get("lab", {})
    own = f"--{field.name.replace('_', '-')}"
    first = lab.get(vocabulary, own) if vocabulary else own
    first = str(field.metadata.get("flag", first))
    return tuple(dict.fromkeys((first, own, *lab.values())))


def flag_of(kind: type, name: str, vocabulary: Vocabulary | None = None) -> str:
    """Return the name of a setting's flag that messages use; that of any name where none is declared."""
    for field in fields(kind):
        if field.name == name:
            return flags_of(field, vocabulary)[0]
    return f"--{name.replace('_', '-')}"


def declared(kind: type) -> Iterator[Setting]:
    """Yield the fields of a dataclass that declare what they change."""
    yield from (field for field in fields(kind) if "changes" in field.metadata)


def values_of(kind: type, *sources: object) -> dict[str, Any]:
    """Return the settings of a dataclass by name, each from the first source that has it.

    For a dataclass that joins several concerns: nothing is named twice on the way from the command line.
    """
    values: dict[str, Any] = {}  # of the types that the fields declare
    for field in fields(kind):
        for source in sources:
            if hasattr(source, field.name):
                values[field.name] = getattr(source, field.name)
                break
    return values


Kind = TypeVar("Kind")


def part_of(kind: type[Kind], *sources: object) -> Kind:
    """Return the settings of one concern out of objects that hold them among others; see `values_of`."""
    return kind(**values_of(kind, *sources))


def plain(settings: object) -> dict[str, object]:
    """Return the settings of a dataclass in plain JSON types, those of a nested one as an object."""
    return {name: _plain(value) for name, value in vars(settings).items()}


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    to_json = getattr(value, "to_json", None)
    if callable(to_json):
        return to_json()
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return plain(value) if is_dataclass(value) else value
