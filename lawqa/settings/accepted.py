"""What a setting accepts from Python: paths as texts, lists for tuples, and nothing of another type.

The command line converts and checks what is typed; a script or notebook gives values as they are. Every
dataclass of settings has `Settings` as its base, so that both mean the same and a mistake is reported where
it is made, not hours later by what reads the value.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections import abc
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache, wraps
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    ParamSpec,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from lawqa.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

P = ParamSpec("P")
R = TypeVar("R")

StrPath: TypeAlias = str | os.PathLike[str]
"""What functions accept as a path."""


class Settings:
    """Base of every dataclass of settings: converts its values, or refuses them.

    Raises:
        ConfigError: values are of another type than their fields; all of them are named.
    """

    def __post_init__(self: DataclassInstance) -> None:
        hints = _hints(type(self))
        problems = []
        for field in fields(self):
            value = getattr(self, field.name)
            try:
                accepted = _accepted(value, hints[field.name])
            except _RefusedError as refused:
                problems.append(f"{field.name} is {_shown(value)}, expected {refused}")
                continue
            if accepted is not value:
                object.__setattr__(self, field.name, accepted)
        if problems:
            raise ConfigError(
                "\n".join(problems), f"help(lawqa.{type(self).__name__})  explains every setting"
            )


def as_path(value: StrPath, name: str) -> Path:
    """Return an argument of a function as a path.

    Args:
        value: the path, as text or as an object.
        name: what the argument is called, for the message.

    Raises:
        ConfigError: it is none.
    """
    accepted = _argument(value, Path, name)
    assert isinstance(accepted, Path)  # noqa: S101 - converted above
    return accepted


def as_paths(value: StrPath | Iterable[StrPath], name: str) -> tuple[Path, ...]:
    """Return an argument that names one file or several as paths.

    Raises:
        ConfigError: some are none.
    """
    several = (value,) if isinstance(value, str | os.PathLike) else value
    if not isinstance(several, Iterable):
        raise ConfigError(f"{name} is {_shown(value)}, expected a path or a list of paths")
    return tuple(as_path(one, name) for one in several)


def checks_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function of the public face: arguments are converted, or refused, as their annotations say.

    A numeral from a form or a path object in the wrong place is a user's mistake, which is reported by the
    argument's name; without this it would be a TypeError from somewhere inside.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound, hints = signature.bind(*args, **kwargs), _parameters(function)
        for name, value in bound.arguments.items():
            bound.arguments[name] = _argument(value, hints[name], f"{function.__name__}: {name}")
        return function(*bound.args, **bound.kwargs)

    return call


def refusal(value: object, hint: object) -> str | None:
    """Return what a field of this type holds where this value is not of it; None where it is."""
    try:
        _accepted(value, hint)
    except _RefusedError as refused:
        return str(refused)
    return None


def _argument(value: object, hint: object, name: str) -> object:
    try:
        return _accepted(value, hint)
    except _RefusedError as refused:
        raise ConfigError(
            f"{name} is {_shown(value)}, expected {refused}", "help(lawqa)  lists what lawqa offers"
        ) from None


class _RefusedError(Exception):
    """A value is not what a field holds; the text is what it does hold."""


@cache
def _hints(kind: Callable[..., object]) -> dict[str, object]:
    return get_type_hints(kind)


@cache
def _parameters(function: Callable[..., object]) -> dict[str, object]:
    """Return the types of a function's parameters; what it returns may be known to type checkers only."""
    named = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
    return get_type_hints(
        type("Parameters", (), {"__annotations__": named}), vars(sys.modules[function.__module__])
    )


def _accepted(value: object, hint: object) -> object:
    """Return a value as its field holds it."""
    origin = get_origin(hint)
    if hint == StrPath:
        _path_text(value)
        return value
    if origin in (Union, UnionType):
        return _first_accepted(value, get_args(hint))
    if origin is Literal:
        if any(value == one and type(value) is type(one) for one in get_args(hint)):
            return value
        raise _RefusedError(_either(repr(one) for one in get_args(hint)))
    if origin is tuple:
        return _accepted_tuple(value, get_args(hint))
    if isinstance(origin, type):
        return _accepted_collection(value, origin)
    if hint is Any or not isinstance(hint, type):
        return value
    return _accepted_simple(value, hint)


def _first_accepted(value: object, hints: tuple[object, ...]) -> object:
    refusals = []
    for hint in hints:
        try:
            return _accepted(value, hint)
        except _RefusedError as refused:
            refusals.append(str(refused))
    raise _RefusedError(_either(refusals))


def _accepted_tuple(value: object, hints: tuple[object, ...]) -> object:
    """Return a list as a tuple, and a lone text or path as a tuple of one."""
    several = (value,) if isinstance(value, str | os.PathLike) else value
    if not isinstance(several, list | tuple):
        raise _RefusedError("a list")
    if len(hints) == 2 and hints[1] is Ellipsis:
        hints = (hints[0],) * len(several)
    if len(hints) != len(several):
        raise _RefusedError(f"a list of {len(hints)}")
    accepted = tuple(_accepted(one, hint) for one, hint in zip(several, hints, strict=True))
    unchanged = isinstance(value, tuple) and all(map(_same, value, accepted))
    return value if unchanged else accepted


def _accepted_collection(value: object, origin: type) -> object:
    """Refuse what is no collection of this kind, such as a lone text where several are meant."""
    if origin is get_origin(Callable[[], object]):
        if not callable(value):
            raise _RefusedError("a function")
    elif not isinstance(value, origin) or isinstance(value, str):
        raise _RefusedError("an object" if origin is abc.Mapping else "a list")
    return value


def _same(one: object, other: object) -> bool:
    return one is other


def _accepted_simple(value: object, hint: type) -> object:
    if hint is Path:
        return value if isinstance(value, Path) else Path(_path_text(value))
    if isinstance(value, bool) and hint in (int, float):
        raise _RefusedError(_WORDS[hint])
    if isinstance(value, hint) or (hint is float and isinstance(value, int)):
        return value
    if hint is str and isinstance(value, os.PathLike):
        return _path_text(value)
    if hint is int and isinstance(value, Integral):  # as NumPy's whole numbers are
        return int(value)
    if hint is float and isinstance(value, Real):
        return float(value)
    raise _RefusedError(
        _WORDS.get(hint, f"{'an' if hint.__name__[0] in 'AEIO' else 'a'} {hint.__name__}")
    )


def _path_text(value: object) -> str:
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise _RefusedError("a path")
    return text


_WORDS: dict[type, str] = {
    bool: "True or False",
    float: "a number",
    int: "a whole number",
    str: "a text",
    NoneType: "None",
}


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


_SHOWN = 80
