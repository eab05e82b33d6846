"""Whether the settings in an adapter's config have the types and bounds that PEFT takes for granted.

PEFT checks neither: `"use_rslora": "false"` switches rsLoRA on, and `target_modules` may be a regular
expression that takes longer than the universe to match one name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

from lawqa.errors import BackendError

_SECONDS = 5.0
"""For all patterns over all names, which takes milliseconds; a pattern that backtracks takes for ever."""
_EXPECTED = {bool: "true or false", int: "a whole number", float: "a number"}
_PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_MATCHER = """
import json, re, sys
patterns, names = json.load(sys.stdin)
for pattern in patterns:
    for name in names:
        re.fullmatch(pattern, name), re.match(r"(.*\\.)?(" + pattern + ")$", name)
        re.match(r".*\\." + pattern + r"\\.(\\d+)\\.", name)
"""


def require_types(path: Path, settings: Mapping[str, object], maker: type) -> None:
    """Refuse a switch that is not true or false, and a number that is not one.

    Args:
        path: the config, for messages.
        settings: what it says.
        maker: PEFT's dataclass of such a config.

    Raises:
        BackendError: a setting has another type than PEFT's dataclass says.
    """
    hints = get_type_hints(maker)
    wrong = [
        f"{key} = {value!r}, expected {_EXPECTED[kind]}"
        for key, value in settings.items()
        if (kind := _plain_type(key, hints.get(key))) is not None
        and not (value is None and NoneType in get_args(hints[key]))
        and not _is(value, kind)
    ]
    if wrong:
        raise BackendError(f"{path}: {'; '.join(wrong)}", "compare it with what the training wrote")


def require_bounded_patterns(
    path: Path, settings: Mapping[str, object], names: Iterable[str]
) -> None:
    """Refuse a regular expression that does not come to an end over the names of a model's modules.

    It is tried in a process of its own first: Python's matcher cannot be stopped from within.

    Args:
        path: the config, for messages.
        settings: what it says.
        names: of the modules.

    Raises:
        BackendError: matching takes too long.
    """
    patterns = sorted(
        pattern
        for key in ("target_modules", "exclude_modules", "rank_pattern", "alpha_pattern", "layers_pattern",
                    "target_parameters")
        for pattern in _patterns(settings.get(key))
        if not _PLAIN.issuperset(pattern)
    )  # fmt: skip
    if not patterns:
        return
    try:
        # What is wrong with a pattern otherwise, PEFT says where it uses it.
        subprocess.run(  # noqa: S603 - this Python, our own words
            [sys.executable, "-I", "-S", "-c", _MATCHER],
            input=json.dumps([patterns, list(names)]).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BackendError(
            f"{path}: matching {_shortened(patterns)} with the names of the model's modules does not end "
            f"within {_SECONDS:g} s",
            "name the modules in target_modules one by one: a list instead of a regular expression",
        ) from None


def _patterns(value: object) -> list[str]:
    """Return the texts of a setting that may be taken for regular expressions."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping | list | tuple | set):
        return [one for one in value if isinstance(one, str)]
    return []


def _plain_type(key: str, hint: object) -> type | None:
    """Return bool, int or float where a hint says just that, or that or None."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    plain = [kind for kind in kinds if kind is not NoneType]
    kind = next((kind for kind in _EXPECTED if plain == [kind]), None)
    # PEFT computes with an alpha of 0.5, whatever its hint says.
    return float if kind is int and key.endswith("alpha") else kind


def _is(value: object, kind: type) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, int if kind is int else int | float)


def _shortened(patterns: list[str], most: int = 60) -> str:
    text = ", ".join(map(repr, patterns))
    return text if len(text) <= most else f"{text[:most]}…"
