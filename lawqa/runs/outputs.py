"""Places that are about to be written: whether they are free, and whose files are in them."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from lawqa.amounts import few_of
from lawqa.errors import ConfigError
from lawqa.files import require_replaceable

_LOGS = ("*.log", "nohup.out")
"""What a shell or --log-file may put into a directory before anything of ours is in it."""


def claim_file(path: Path, flag: str, *, fresh: bool, sources: Iterable[Path | None] = ()) -> None:
    """Make sure that a file may be written, before any work is done; nothing is made yet.

    Args:
        path: the file.
        flag: the option that names it, for messages.
        fresh: an earlier file may be replaced.
        sources: files that are never replaced, for something is read from them.

    Raises:
        ConfigError: it is a directory, exists without `fresh`, is a source, or cannot be written.
    """
    if path.resolve() in {source.resolve() for source in sources if source is not None}:
        raise ConfigError(f"{flag} {path}: is read, and would be overwritten", "name another file")
    try:
        if path.is_dir():
            raise ConfigError(f"{flag} {path}: is a directory, expected a file to write")
        require_replaceable(path)
        if path.exists() and not fresh:
            raise ConfigError(f"{flag} {path}: exists already", "--fresh replaces it")
        _require_writable(path)
    except OSError as problem:
        raise ConfigError(f"{flag} {path}: cannot be written: {problem.strerror}") from None


def claim_directory(
    path: Path,
    flag: str,
    *,
    sources: Mapping[str, Path | None],
    ours: Collection[str] | None = None,
) -> None:
    """Make sure that a directory may be written into, before any work is done; nothing is made.

    Args:
        path: the directory.
        flag: the option that names it, for messages.
        sources: what is read, by what it is called; none of it may be the directory or lie directly in it,
            nor the directory be one that holds such a one.
        ours: patterns of the names that we write there; others in it are somebody else's. None where others
            do not matter.

    Raises:
        ConfigError: it is read from, or holds files that are not ours.
    """
    place = path.resolve()
    for name, source in sources.items():
        if source is not None and source.is_dir() and source.resolve() == place:
            raise ConfigError(
                f"{flag} {path}: is {name}, which is read and would be written into",
                f"{flag} NEW_DIRECTORY",
            )
    if ours is None:
        return
    for name, source in sources.items():
        if source is not None and place in source.resolve().parents:
            raise ConfigError(f"{flag} {path}: holds {name} ({source})", f"{flag} NEW_DIRECTORY")
    foreign = foreign_entries(path, (*ours, *_LOGS))
    if foreign:
        raise ConfigError(
            f"{flag} {path}: is not empty and holds what lawqa does not write there: {few_quoted(foreign)}",
            f"{flag} NEW_DIRECTORY",
        )


def require_directory(path: Path, flag: str) -> None:
    """Make sure that a directory can be there, before any work is done.

    Raises:
        ConfigError: the path, or one above it, is a file.
    """
    for part in (path, *path.parents):
        if part.exists() and not part.is_dir():
            raise ConfigError(f"{flag} {path}: {part} is a file", f"{flag} NEW_DIRECTORY")


def refuse_working_directory(path: Path, flag: str) -> None:
    """Refuse a directory that is replaced as a whole and in which, or below which, the command runs.

    Raises:
        ConfigError: it is.
    """
    place, here = path.resolve(), Path.cwd()
    if place == here or place in here.parents:
        raise ConfigError(
            f"{flag} {path}: is where the command runs, and would be replaced as a whole",
            f"{flag} NEW_DIRECTORY",
        )


def foreign_entries(path: Path, ours: Collection[str]) -> list[str]:
    """Return the names in a directory that match none of the patterns, sorted; none where there is no
    directory.

    Args:
        path: the directory.
        ours: patterns of whole names, as `fnmatch` reads them; of `a/*` the first part counts.
    """
    if not path.is_dir():
        return []
    tops = {pattern.split("/", 1)[0] for pattern in ours}
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read: {problem.strerror}") from None
    return [name for name in names if not any(fnmatch(name, top) for top in tops)]


def few_quoted(names: Sequence[str]) -> str:
    """Return the first few of some names, quoted as a shell wants them."""
    return few_of([*map(shlex.quote, names)])


def remove_empty(*directories: Path) -> None:
    """Remove those of these directories that hold nothing."""
    for directory in directories:
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()


def _require_writable(path: Path) -> None:
    """Try to write where a file is to go; raises OSError.

    Asking for rights is not enough: a file system may be read-only or full.
    """
    above = path.parent
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    if (
        not above.is_dir()
    ):  # also a symbolic link that leads nowhere: no directory is made through it
        raise NotADirectoryError(20, os.strerror(20), str(above))
    with tempfile.TemporaryFile(dir=above):
        pass
    if len(os.fsencode(path.name)) > os.pathconf(above, "PC_NAME_MAX"):
        raise OSError(36, os.strerror(36), str(path))
