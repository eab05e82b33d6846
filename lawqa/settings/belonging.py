"""Flags that count only where another one has a certain value: given without it, they are refused.

A flag that changes nothing is a mistake that nobody sees: hours are spent on a run that is not the one that
was meant. Whoever declares such a flag names the other one (`only_with`), and the command line refuses
whatever was given without it before anything runs; Python's calls ask the same of their settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass

from lawqa.errors import ConfigError
from lawqa.settings.declared import GIVEN, Setting, Vocabulary, flags_of, owners_of

Held = Mapping[str, tuple[Setting, object]]
"""Fields and values by the names of fields."""


def require_belonging(
    settings: object, vocabulary: Vocabulary | None = None, hint: str = "leave it out"
) -> None:
    """Make sure that no flag was given that has no effect beside the others.

    Args:
        settings: a dataclass of settings or flags, with those within it.
        vocabulary: whose names the flags have in the message.
        hint: what to do instead, beside what each line of the message says.

    Raises:
        ConfigError: some were; all of them are named with what they need.
    """
    problems = misplaced(settings, vocabulary)
    if problems:
        raise ConfigError("\n".join(problems), hint)


def misplaced(settings: object, vocabulary: Vocabulary | None = None) -> list[str]:
    """Return what was given and has no effect, a line for each flag or value that it would need.

    A setting that has its default was not given. One whose owners are all settings of somebody else is not
    judged.

    Args:
        settings: a dataclass of settings or flags, with those within it.
        vocabulary: whose names the flags have.
    """
    held = dict(_held(settings))
    without: dict[str, list[str]] = {}
    for field, value in held.values():
        owners = {name: wanted for name, wanted in owners_of(field).items() if name in held}
        if not owners or value == _default(field):
            continue
        if not any(_holds(held[name], wanted) for name, wanted in owners.items()):
            needed = " or ".join(
                _needed(held[name][0], wanted, vocabulary) for name, wanted in owners.items()
            ).replace(" or without ", " or ")
            flag = flags_of(field, vocabulary)[0]
            off = f"--no-{flag.removeprefix('--')}"
            without.setdefault(needed, []).append(off if value is False else flag)
    return [f"{', '.join(flags)} {needed}" for needed, flags in without.items()]


def _held(settings: object) -> Iterator[tuple[str, tuple[Setting, object]]]:
    if not is_dataclass(settings) or isinstance(settings, type):
        return
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value) and not isinstance(value, type):
            yield from _held(value)
        else:
            yield field.name, (field, value)


def _holds(owner: tuple[Setting, object], wanted: Collection[object]) -> bool:
    field, value = owner
    if wanted == (GIVEN,):
        return value != _default(field)
    return value in wanted


def _needed(owner: Setting, wanted: Collection[object], vocabulary: Vocabulary | None) -> str:
    flag = flags_of(owner, vocabulary)[0]
    if wanted == (False,):
        return f"with {flag}"
    if wanted in ((GIVEN,), (True,)):
        return f"without {flag}"
    return f"without {flag} {' or '.join(map(str, wanted))}"


def _default(field: Setting) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
