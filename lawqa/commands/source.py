"""Reading `commands.toml`: every key is known, every value has its type, every reference leads somewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from importlib.resources import files
from typing import TypeVar, get_args

from lawqa.commands.model import (
    Command,
    CommandRole,
    CommandSource,
    Experiment,
    KnownFailure,
    MakeTarget,
    Place,
    PlaceRule,
    Step,
)
from lawqa.errors import ConfigError
from lawqa.files import JsonObject

if sys.version_info >= (3, 11):
    import tomllib
else:  # tomllib entered the standard library with 3.11
    import tomli as tomllib

SCHEMA_VERSION = 2

Made = TypeVar("Made")


@cache
def packaged_source() -> CommandSource:
    """What the package declares."""
    text = files("lawqa").joinpath("assets", "commands.toml").read_text(encoding="utf-8")
    return read_source(text, "commands.toml")


def places() -> dict[str, Place]:
    """All declared places by id."""
    return dict(packaged_source().places)


def read_source(text: str, name: str) -> CommandSource:
    """Read a declaration.

    Args:
        text: TOML.
        name: what errors call it.

    Raises:
        ConfigError: it is not TOML, has an unknown key, lacks one, or refers to what is not there.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{name}: is not TOML: {problem}") from None
    known = {
        "schema_version", "variables", "places", "failures", "commands", "experiment", "targets",
        "checksums", "tested",
    }  # fmt: skip
    if content.get("schema_version") != SCHEMA_VERSION:
        found = content.get("schema_version")
        raise ConfigError(f"{name}: schema_version is {found}, expected {SCHEMA_VERSION}")
    if unknown := sorted(content.keys() - known):
        raise ConfigError(
            f"{name}: unknown key {unknown[0]!r}", f"known: {', '.join(sorted(known))}"
        )
    shared = content.get("variables", {})
    source = CommandSource(
        places={
            key: _place(key, value, shared, f"{name}: places.{key}")
            for key, value in content.get("places", {}).items()
        },
        commands=_by_id(content.get("commands", []), _command, f"{name}: commands"),
        failures={
            key: _make(KnownFailure, {"id": key, **value}, f"{name}: failures.{key}")
            for key, value in content.get("failures", {}).items()
        },
        experiment=_make(Experiment, content.get("experiment", {}), f"{name}: experiment"),
        targets={
            key: _make(MakeTarget, {"id": key, **value}, f"{name}: targets.{key}")
            for key, value in content.get("targets", {}).items()
        },
        checksums=content.get("checksums", {}),
        tested=content.get("tested", {}),
    )
    _check_references(source, name)
    return source


def _place(key: str, value: JsonObject, shared: Mapping[str, str], where: str) -> Place:
    rules = tuple(_rule(rule, f"{where}: rules") for rule in value.get("rules", []))
    merged = {**value, "id": key, "rules": rules}
    merged["variables"] = {**shared, **value.get("variables", {})}
    return _make(Place, merged, where)


def _rule(value: JsonObject, where: str) -> PlaceRule:
    forbidden = {flag: tuple(values) for flag, values in value.get("forbidden_values", {}).items()}
    return _make(PlaceRule, {**value, "forbidden_values": forbidden}, where)


def _command(value: JsonObject, where: str) -> Command:
    command = _make(Command, value, where)
    for key, known in (("step", get_args(Step)), ("role", get_args(CommandRole))):
        if getattr(command, key) not in known:
            raise ConfigError(
                f"{where}: {command.id}: {key} is {getattr(command, key)!r}",
                f"known: {', '.join(known)}",
            )
    if not command.argv:
        raise ConfigError(f"{where}: {command.id}: argv is empty")
    return command


def _by_id(
    entries: list[JsonObject], make: Callable[[JsonObject, str], Command], where: str
) -> dict[str, Command]:
    made: dict[str, Command] = {}
    for entry in entries:
        command = make(entry, where)
        if command.id in made:
            raise ConfigError(f"{where}: {command.id} is declared twice")
        made[command.id] = command
    return made


def _make(kind: Callable[..., Made], value: JsonObject, where: str) -> Made:
    """A dataclass of a TOML table; lists become tuples."""
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
        # The annotations are strings; their first word distinguishes text, list and table.
        expected = {"tuple": list, "str": str, "bool": bool, "Mapping": dict}.get(
            str(known[key].type).split("[")[0]
        )
        if expected is not None and not isinstance(item, expected | tuple):
            raise ConfigError(
                f"{here}: {key} is {type(item).__name__}, expected {expected.__name__}"
            )
    return kind(
        **{key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
    )


def _check_references(source: CommandSource, name: str) -> None:
    def check(found: tuple[str, ...], known: Mapping[str, object], where: str) -> None:
        if missing := [item for item in found if item not in known]:
            raise ConfigError(f"{name}: {where}: {missing[0]} is not declared")

    for command in source.commands.values():
        check(command.places, source.places, f"{command.id}: places")
        check(command.failures, source.failures, f"{command.id}: failures")
        other = (command.alternative_to,) if command.alternative_to else ()
        check(other, source.commands, f"{command.id}: alternative_to")
    for target in source.targets.values():
        check((target.place,), source.places, f"{target.id}: place")
        check(target.commands, source.commands, f"{target.id}: commands")
    experiment = source.experiment
    check((experiment.decides, *experiment.commands), source.commands, "experiment: commands")
    for command in source.commands.values():
        if (command.role == "primary") != (command.id in experiment.commands):
            raise ConfigError(
                f"{name}: {command.id}: role is {command.role!r}, but the experiment's commands are "
                f"{', '.join(experiment.commands)}"
            )
