"""Settings as a file keeps them: whether each is of the type, and in the range, that its field declares."""

from __future__ import annotations

from collections import abc
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

from lawqa.settings.declared import declared, inner_of
from lawqa.settings.ranges import RANGES

_SHOWN = 40
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "text",
          NoneType: "null"}  # fmt: skip


def stored_problems(kind: type, stored: object, place: str = "settings") -> list[str]:
    """Return what is wrong with stored settings, one sentence each; none for good ones.

    Settings that are not there had their default, and objects of other kinds (a prompt spec, a retrieval)
    are read by whoever knows them.

    Args:
        kind: the dataclass that declares the settings.
        stored: what a JSON file says of them.
        place: the name of that object in the file.
    """
    if not isinstance(stored, Mapping):
        return [f"key '{place}' is {_shown(stored)}, expected an object"]
    wrong, hints = [], _hints(kind)
    for field in declared(kind):
        if field.name not in stored:
            continue
        value, name = stored[field.name], f"{place}.{field.name}"
        inner = inner_of(field)
        if inner is not None:
            wrong += stored_problems(inner, value, name)
        elif not _holds(value, hints[field.name]):
            wrong.append(
                f"key '{name}' is {_shown(value)}, expected {_expected(hints[field.name])}"
            )
        elif not _in_range(field.name, value):
            wrong.append(f"key '{name}' is {_shown(value)}, expected {RANGES[field.name]}")
    return wrong


@cache
def _hints(kind: type) -> dict[str, object]:
    return get_type_hints(kind)


def _holds(value: object, hint: object) -> bool:
    parts = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return any(_holds(value, part) for part in parts)
    if get_origin(hint) is Literal:
        return any(value == part and type(value) is type(part) for part in parts)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            return False
        hints = parts[:1] * len(value) if parts[-1] is ... else parts
        return len(value) == len(hints) and all(map(_holds, value, hints))
    if get_origin(hint) is abc.Mapping:
        return isinstance(value, Mapping)
    if hint is float:
        return type(value) in (int, float)
    if hint in (str, Path):
        return isinstance(value, str)
    return type(value) is hint if hint in _WORDS else True


def _expected(hint: object) -> str:
    parts = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_expected(part) for part in parts)
    if get_origin(hint) is Literal:
        return " or ".join(map(str, parts))
    if get_origin(hint) is tuple:
        return "a list"
    return _WORDS.get(hint, "an object") if isinstance(hint, type) else "an object"


def _in_range(name: str, value: object) -> bool:
    allowed = RANGES.get(name)
    return allowed is None or not isinstance(value, int | float) or allowed.holds(value)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
