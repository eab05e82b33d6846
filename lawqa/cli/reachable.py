"""Whether the paths that a command was given can be looked at, before anything runs."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

from lawqa.errors import ConfigError


def require_reachable(command: object) -> None:
    """Make sure that the operating system can say of every path of a command whether it is there.

    Not so where a symbolic link leads to itself, a name is too long, or a directory on the way may not be
    entered. Whether something has to be there, and what, is for the command to say.

    Raises:
        ConfigError: of some it cannot; all of them are named.
        OSError: a name is too long.
    """
    problems = [
        f"--{flag.replace('_', '-')} {path}: {why}" for flag, path, why in _unreachable(command)
    ]
    if problems:
        raise ConfigError("\n".join(problems), "ls -ld  shows each directory and link on the way")


def _unreachable(settings: object) -> Iterator[tuple[str, Path, str]]:
    if not is_dataclass(settings) or isinstance(settings, type):
        return
    for field in fields(settings):
        value = getattr(settings, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Path):
                why = _why_unreachable(one)
                if why:
                    yield field.name, one, why
            else:
                yield from _unreachable(one)


def _why_unreachable(path: Path) -> str | None:
    try:
        os.stat(path)  # noqa: PTH116 - Path.stat says the same; Path.resolve hides which error it was
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        if problem.errno == errno.ENAMETOOLONG:
            raise  # becomes an error with its own words
        return f"cannot be reached: {problem.strerror}"
    except ValueError as problem:  # a zero byte, which only Python can pass
        return f"is not a path: {problem}"
    return None
