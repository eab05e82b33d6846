"""TOML tables to dataclasses: known keys only, every value of its type; a fault is named by its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import TypeVar

from lawqa.errors import ConfigError
from lawqa.files import JsonObject

Made = TypeVar("Made")

_KINDS: Mapping[type, str] = {
    bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a table",
}  # fmt: skip

_TEXTS = ("str", "CommandRole", "OutcomeId")
"""Annotations of fields that take a text."""


def made_of(kind: Callable[..., Made], value: JsonObject, where: str) -> Made:
    """Make a dataclass of a TOML table; lists become tuples.

    Raises:
        ConfigError: a key is unknown or missing, or a value has another type than the field.
    """
    # A dataclass is a callable to mypy, which does not say that it has fields.
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    here = f"{where}: {value['id']}" if "id" in value else where
    if unknown := sorted(value.keys() - known.keys()):
        raise ConfigError(f"{here}: unknown key {unknown[0]!r}", f"known: {', '.join(known)}")
    required = {
        key for key, f in known.items() if f.default is MISSING and f.default_factory is MISSING
    }
    if missing := sorted(required - value.keys()):
        raise ConfigError(f"{here}: {missing[0]} is missing")
    for key, item in value.items():
        # The annotations are strings, as every module of this package postpones them.
        _require_type(item, str(known[key].type), f"{here}: {key}")
    return kind(
        **{key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
    )


def texts(value: object, where: str) -> dict[str, str]:
    """Read a table of texts.

    Raises:
        ConfigError: it is no table, or a value is not in quotes, such as a number.
    """
    for key, item in table(value, where).items():
        _require_text(item, f"{where}: {key}")
    return dict(table(value, where))


def table(value: object, where: str) -> JsonObject:
    """Read a table; raises ConfigError where it is missing (None) or something else."""
    if value is None:
        raise ConfigError(f"{where} is missing")
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is {_kind(value)}, expected a table")
    return value


def tables(value: object, where: str) -> list[JsonObject]:
    """Read a list of tables; raises ConfigError where it is something else."""
    return [table(item, where) for item in _list(value, where)]


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise ConfigError(f"{where} is {_kind(value)}, expected a list")
    return value


def _require_type(item: object, annotation: str, where: str) -> None:
    """Compare a value with what an annotation of the model says; raises ConfigError."""
    if isinstance(item, tuple):  # made already, of tables
        return
    if annotation in _TEXTS or annotation.startswith("Literal"):
        _require_text(item, where)
    elif annotation == "int" and (isinstance(item, bool) or not isinstance(item, int)):
        raise ConfigError(f"{where} is {_kind(item)}, expected a whole number")
    elif annotation == "bool" and not isinstance(item, bool):
        raise ConfigError(f"{where} is {_kind(item)}, expected true or false")
    elif annotation.startswith("float") and (
        isinstance(item, bool) or not isinstance(item, int | float)
    ):
        raise ConfigError(f"{where} is {_kind(item)}, expected a number")
    elif annotation == "Mapping[str, str]":
        texts(item, where)
    elif annotation.startswith("Mapping"):
        table(item, where)
    elif annotation.startswith("tuple"):
        for number, one in enumerate(_list(item, where), start=1):
            if annotation == "tuple[str, ...]":
                _require_text(one, f"{where}: item {number}")
            elif isinstance(one, bool) or not isinstance(one, int):
                raise ConfigError(f"{where}: item {number} is {_kind(one)}, expected a number")


def _require_text(item: object, where: str) -> None:
    if isinstance(item, str):
        return
    shown = str(item).lower() if isinstance(item, bool) else str(item)
    plain = isinstance(item, bool | int | float)
    raise ConfigError(
        f"{where} is {_kind(item)}, expected text", f'write "{shown}"' if plain else ""
    )


def _kind(value: object) -> str:
    """Name a value's type in TOML's words, with an article."""
    return _KINDS.get(type(value), f"a {type(value).__name__}")
