"""Files that are written whole or not at all, and appended to only where they are lawqa's own."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lawqa.errors import ConfigError

UNSTORABLE = "backslashreplace"
"""How UTF-8 files hold half a surrogate pair, from a file name that is not UTF-8 or a server's text: as
`\\udc93`, which within JSON is its escape, so it is read back as it was."""

_NOT_OURS = (errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO, errno.EOPNOTSUPP)
"""What opening a link, a directory, a pipe without a reader or a socket for writing gives."""


def open_own(path: Path, flags: int) -> int:
    """Open a file that lawqa writes itself, creating it, and only if it is that.

    A run directory may be a copy, or in a directory where others write. A link in it would lead the writing
    to a file elsewhere, a pipe would wait for a reader.

    Args:
        path: the file.
        flags: as of `os.open`; without `O_TRUNC` nothing in the file changes.

    Returns:
        A file descriptor.

    Raises:
        ConfigError: it is a link, a directory, a pipe or a device.
        OSError: it cannot be opened.
    """
    own = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags | own, 0o644)
    except OSError as problem:
        if problem.errno in _NOT_OURS:
            raise _not_a_file(path) from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _not_a_file(path)
    return handle


def append_to_own(path: Path) -> IO[str]:
    """Return a text file of ours to append to, UTF-8 with line feeds.

    Raises:
        ConfigError: as `open_own`.
        OSError: it cannot be opened.
    """
    handle = open_own(path, os.O_WRONLY | os.O_APPEND)
    return os.fdopen(handle, "a", encoding="utf-8", errors=UNSTORABLE, newline="\n")


def make_own_directory(path: Path) -> None:
    """Make a directory inside one of ours; one that is there is used, unless it is a link to elsewhere.

    Raises:
        ConfigError: it is a link.
        OSError: it cannot be made.
    """
    if path.is_symlink():
        raise ConfigError(
            f"{path}: is a symbolic link, expected a directory of the run itself", "remove the link"
        )
    path.mkdir(parents=True, exist_ok=True)


def require_replaceable(path: Path) -> None:
    """Make sure that putting a file at this path replaces nothing but a file.

    As root a rename onto /dev/null or /dev/stdout would take it from everybody.

    Raises:
        ConfigError: there is a link, a directory, a pipe or a device.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:  # nothing is there; a path that cannot be is explained where it is written
        return
    if not stat.S_ISREG(mode):
        raise _not_a_file(path)


@contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary file to write to, which takes the place of `path` when all of it is on disk.

    A reader sees the old file or the new one, never half of it, whenever the process or machine dies.
    """
    require_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        try:
            yield temporary
            os.fsync(handle)  # of the file, through whichever handle it was written
        finally:
            os.close(handle)
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
        flush_directory(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """Open a text file to write, UTF-8 with line feeds; it takes the place of `path` as in
    `replaced_whole`.
    """
    with (
        replaced_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", errors=UNSTORABLE, newline="\n") as file,
    ):
        yield file


def flush_directory(path: Path) -> None:
    """Make the names in a directory last: without this a rename can be lost in a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as problem:
        # Some network file systems cannot; what they hold is as safe as they make it.
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise
    finally:
        os.close(handle)


def _not_a_file(path: Path) -> ConfigError:
    if path.is_symlink():
        return ConfigError(
            f"{path}: is a symbolic link, nothing is written through it",
            "remove the link, or put the file itself there",
        )
    return ConfigError(
        f"{path}: is a directory, a pipe or a device, expected a file to write",
        "remove it, or name another path",
    )


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Write JSON so that the file is always whole; see `json_pieces`."""
    with written_whole(path) as file:
        file.writelines(json_pieces(value))


def json_pieces(value: Mapping[str, object]) -> Iterator[str]:
    """Yield the text of a JSON object with a line end behind it, indented as `json.dumps(value, indent=1)`.

    A member that is a sequence or iterator, but neither a list nor a tuple, becomes a list of which one entry
    at a time is held.
    """
    opening = "{"
    for key, member in value.items():
        yield f"{opening}\n {json.dumps(key, ensure_ascii=False)}: "
        if isinstance(member, (Iterator, Sequence)) and not isinstance(member, (str, list, tuple)):
            yield from _list_pieces(member)
        else:
            yield _indented(member, 1)
        opening = ","
    yield "{}\n" if opening == "{" else "\n}\n"


def _list_pieces(entries: Iterable[object]) -> Iterator[str]:
    opening = "["
    for entry in entries:
        yield f"{opening}\n  {_indented(entry, 2)}"
        opening = ","
    yield "[]" if opening == "[" else "\n ]"


def _indented(value: object, depth: int) -> str:
    """Return the JSON text of a value this deep in another; raw line ends occur between values only."""
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False, default=_listed)
    return text.replace("\n", "\n" + " " * depth)


def _listed(value: object) -> list[object]:
    """Return a sequence of another kind as a list; raises TypeError for anything else."""
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is always whole: to a temporary file beside it, then renamed."""
    with written_whole(path) as file:
        file.write(text)
