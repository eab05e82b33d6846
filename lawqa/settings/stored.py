"""Settings as a file keeps them: whether each is of the type, and in the range, that its field declares."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import get_type_hints

from lawqa.settings.accepted import refusal
from lawqa.settings.declared import declared, inner_of
from lawqa.settings.ranges import RANGES

_SHOWN = 40


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
    wrong, hints = list[str](), _hints(kind)
    for field in declared(kind):
        if field.name not in stored:
            continue
        value, name = stored[field.name], f"{place}.{field.name}"
        inner = inner_of(field)
        if inner is not None:
            wrong += stored_problems(inner, value, name)
            continue
        expected = refusal(value, hints[field.name])
        if expected is not None:
            wrong.append(f"key '{name}' is {_shown(value)}, expected {expected}")
        elif not _in_range(field.name, value):
            wrong.append(f"key '{name}' is {_shown(value)}, expected {RANGES[field.name]}")
    return wrong


@cache
def _hints(kind: type) -> dict[str, object]:
    return get_type_hints(kind)


def _in_range(name: str, value: object) -> bool:
    allowed = RANGES.get(name)
    return allowed is None or not isinstance(value, int | float) or allowed.holds(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
