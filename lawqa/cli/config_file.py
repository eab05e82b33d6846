"""Flags in a file: `--config FILE.toml` reads those of a command from its table, `--save-config` writes them.

A table is named like its command, `[train]` or `[crossval.run]`; its keys are the flags without dashes. What
the command line says comes first, then the file, then the defaults.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.cli.flags import Flag, flags_of_class, subcommands_of
from lawqa.errors import ConfigError
from lawqa.files import JsonDict, JsonObject, JsonValue, written_whole

if sys.version_info >= (3, 11):
    import tomllib
else:  # tomllib entered the standard library with 3.11
    import tomli as tomllib

READ, WRITE = "--config", "--save-config"


@dataclass(frozen=True)
class _Named:
    """The command that arguments name."""

    words: tuple[str, ...]
    """Its name, and that of its subcommand."""
    flags: tuple[Flag, ...]

    @property
    def table(self) -> str:
        return ".".join(self.words)

    def flag(self, name: str) -> Flag | None:
        return next((flag for flag in self.flags if name in flag.written()), None)

    def switched_by(self, name: str) -> frozenset[str]:
        """Return all words that give the setting of a flag, or its opposite where that is a
        flag of its own.
        """
        flag = self.flag(name)
        own = flag.written() if flag else frozenset({name})
        others = (self.flag(_opposite(one)) for one in own)
        return own.union(*(other.written() for other in others if other is not None))


def with_config(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the flags of the file that `--config` names; write that of `--save-config`.

    Raises:
        ConfigError: a file cannot be read or written, or holds what the command does not know.
    """
    rest, read = _taken(arguments, READ)
    rest, write = _taken(rest, WRITE)
    if read is None and write is None:
        return rest
    command = _named(rest)
    if read is not None:
        rest += _from_file(Path(read), command, rest)
    if write is not None:
        _write(Path(write), command, _given(command, rest))
    return rest


def _taken(arguments: Sequence[str], flag: str) -> tuple[list[str], str | None]:
    """Return the arguments without a flag, and its value."""
    rest, value, words = [], None, iter(arguments)
    for word in words:
        name, equals, after = word.partition("=")
        if name.replace("_", "-") != flag:
            rest.append(word)
            continue
        if value is not None:
            raise ConfigError(f"{flag} is given twice", "name one file")
        value = after if equals else next(words, "")
        if not value or value.startswith("--"):
            raise ConfigError(f"{flag} names no file", f"{flag} FILE.toml")
    return rest, value


def _named(arguments: Sequence[str]) -> _Named:
    name = arguments[0] if arguments else ""
    if name not in COMMANDS:
        raise ConfigError(
            f"{READ} and {WRITE} belong behind a command", "lawqa train --config FILE.toml"
        )
    kind: Any = command_class(name)  # as `flags` takes it
    inner = subcommands_of(kind)
    if not inner:
        return _Named((name,), tuple(flags_of_class(kind)))
    chosen = next((word for word in arguments[1:] if word in inner), None)
    if chosen is None:
        raise ConfigError(
            f"lawqa {name} has subcommands: {', '.join(inner)}",
            f"lawqa {name} {next(iter(inner))} --config FILE.toml",
        )
    return _Named((name, chosen), tuple(flags_of_class(inner[chosen])))


def _from_file(path: Path, command: _Named, given: Sequence[str]) -> list[str]:
    """Return the words of a file's table that the command line does not say itself."""
    table = _table(path, _read(path), command)
    on_line = {_name_of(word) for word in given if word.startswith("-")}
    words, seen = list[str](), dict[Flag, str]()
    for key, value in table.items():
        name = f"--{key.replace('_', '-')}"
        flag = command.flag(name)
        if flag is None:
            raise _unknown(path, key, command)
        if flag in seen:
            raise ConfigError(
                f"{path}: [{command.table}] says {seen[flag]} and {key}, which are one setting"
            )
        seen[flag] = key
        said = list(_words(path, command, key, flag, name, value))
        if not command.switched_by(name) & on_line:
            words += said
    return words


def _name_of(word: str) -> str:
    return word.partition("=")[0].replace("_", "-")


def _read(path: Path) -> JsonObject:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", f"{WRITE} {path}  writes one") from None
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read: {problem.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ConfigError(f"{path}: is not TOML: {problem}") from None
    unknown = [name for name in content if name not in COMMANDS]
    if unknown:
        raise ConfigError(
            f"{path}: [{unknown[0]}] is not a command of lawqa",
            "one table for each command, such as [train] or [crossval.run]; lawqa --help lists them",
        )
    return content


def _table(path: Path, content: JsonObject, command: _Named) -> JsonObject:
    table: JsonValue = content
    for word in command.words:
        table = table.get(word) if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping):
        raise ConfigError(
            f"{path}: has no table [{command.table}]",
            f"it has {', '.join(f'[{name}]' for name in content) or 'none'}",
        )
    return table


def _unknown(path: Path, key: str, command: _Named) -> ConfigError:
    known = [name.removeprefix("--") for flag in command.flags for name in flag.names]
    near = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return ConfigError(
        f"{path}: [{command.table}] has the unknown key {key}",
        f"{meant}keys are the flags of lawqa {' '.join(command.words)} without dashes",
    )


def _opposite(name: str) -> str:
    return f"--{name[5:]}" if name.startswith("--no-") else f"--no-{name[2:]}"


def _words(
    path: Path, command: _Named, key: str, flag: Flag, name: str, value: object
) -> Iterator[str]:
    """Yield a setting of a file as words of a command line."""
    place = f"{path}: [{command.table}] {key}"
    if flag.form == "switch":
        if not isinstance(value, bool):
            raise ConfigError(f"{place} is {value!r}, expected true or false")
        off = _opposite(name)
        if value:
            yield name
        elif flag.paired or command.flag(off) is not None:
            yield off
    elif flag.form == "value":
        if isinstance(value, bool | list | dict):
            raise ConfigError(f"{place} is {value!r}, expected one value")
        yield f"{name}={_text(value)}"
    else:
        rows = value if isinstance(value, list) else [value]
        nested = flag.form == "lists" and any(isinstance(row, list) for row in rows)
        for row in rows if nested else [rows]:
            entries = row if isinstance(row, list) else [row]
            if any(isinstance(entry, bool | list | dict) for entry in entries):
                raise ConfigError(f"{place} is {value!r}, expected a list of values")
            yield from (name, *map(_text, entries))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _given(command: _Named, arguments: Sequence[str]) -> JsonDict:
    """Return the settings that the words of a command line give, by key."""
    settings, rest = JsonDict(), list(arguments)
    numbers = {name for flag in command.flags if flag.number for name in flag.names}
    while rest:
        word = rest.pop(0)
        name, equals, after = word.partition("=")
        flag = command.flag(name.replace("_", "-")) if word.startswith("--") else None
        if flag is None:
            continue
        name = name.replace("_", "-")
        key = (flag.names[0]).removeprefix("--")
        if flag.form == "switch":
            settings[key] = name in flag.names
            continue
        values: list[JsonValue] = [after] if equals else []
        wanted = 1 if flag.form == "value" else len(rest)
        while not equals and rest and len(values) < wanted and not _is_flag(rest[0], command):
            values.append(rest.pop(0))
        if f"--{key}" in numbers:
            values = [_number(value) for value in values]
        if flag.form == "lists":
            settings.setdefault(key, []).append(values)
        else:
            settings[key] = values[0] if flag.form == "value" and values else values
    return settings


def _number(text: str) -> JsonValue:
    """Return the number that a text means; the text where it means none, which the command reports."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _is_flag(word: str, command: _Named) -> bool:
    return word.startswith("--") and command.flag(_name_of(word)) is not None


def _write(path: Path, command: _Named, settings: JsonObject) -> None:
    """Write the table of a command; the others of the file stay as they are."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    others = dict(_read(path)) if before else {}
    lines, skipping = [], False
    for line in before.splitlines():
        header = re.match(r"\[([^\[\]]+)\]\s*(#.*)?$", line.strip())
        if header:
            skipping = re.sub(r"[\s\"']", "", header[1]) == command.table
        if not skipping:
            lines.append(line)
    while lines and not lines[-1].strip():
        lines.pop()
    table = [f"[{command.table}]", *(f"{key} = {_toml(value)}" for key, value in settings.items())]
    text = "\n".join([*lines, *([""] if lines else []), *table, ""])
    after = tomllib.loads(text)
    if _without(others, command) != _without(after, command):
        raise ConfigError(
            f"{path}: is written in a way that {WRITE} cannot change safely", "name another file"
        )
    with written_whole(path) as file:
        file.write(text)


def _without(content: JsonObject, command: _Named) -> JsonDict:
    """Return the tables of a file without that of a command."""
    rest = {name: dict(table) for name, table in content.items() if isinstance(table, Mapping)}
    if len(command.words) == 1:
        rest.pop(command.words[0], None)
    else:
        rest.get(command.words[0], {}).pop(command.words[1], None)
    return {name: table for name, table in rest.items() if table}


def _toml(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
