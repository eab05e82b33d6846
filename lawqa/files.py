"""Text and JSON files: read whole or refused with what is wrong with them; written whole or not at all."""

from __future__ import annotations

import codecs
import errno
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

from lawqa.errors import ConfigError, DataError

JsonObject = Mapping[str, Any]
"""A JSON object from outside. Any, because each reader checks what it takes from it."""

UNSTORABLE = "backslashreplace"
"""How UTF-8 files hold half a surrogate pair, from a file name that is not UTF-8 or a server's text: as
`\\udc93`, which within JSON is its escape, so it is read back as it was."""

_NOT_OURS = (errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO, errno.EOPNOTSUPP)
"""What opening a link, a directory, a pipe without a reader or a socket for writing gives."""

LARGEST_FILE = 2**30
"""Bytes of the largest file that is read into memory at once."""

LONGEST_LINE = 64 * 2**20
"""Bytes of the longest line; a text of 100,000 tokens has less than a hundredth of them."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """A text file's content as UTF-8.

    Raises:
        DataError: there is no such file, it is a directory, a named pipe, a device, empty, or not UTF-8.
    """
    return decoded(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """A file's content.

    Raises:
        DataError: there is no such file, it cannot be read, or it is larger than `LARGEST_FILE`.
    """
    with _opened(path) as file:
        # A pipe has no size beforehand.
        large = os.fstat(file.fileno()).st_size > LARGEST_FILE
        raw = b"" if large else file.read(LARGEST_FILE + 1)
    if large or len(raw) > LARGEST_FILE:
        raise DataError(f"{path}: is larger than {LARGEST_FILE >> 20:,} MiB")
    return raw


def decoded(raw: bytes, path: Path) -> str:
    """The text of a file's bytes, which are UTF-8, with or without a byte order mark.

    Raises:
        DataError: they are empty, or not UTF-8.
    """
    text = _decoded(raw, path)
    if not text.strip():
        raise DataError(f"{path}: is empty")
    return text


def read_json(path: Path) -> Any:
    """The value of a JSON file; see `parse_json`.

    Raises:
        DataError: the file cannot be read, or is not JSON that can be trusted.
    """
    return parse_json(read_text(path), path)


def json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """The values of a JSONL file with their line numbers from 1, one by one; blank lines are passed over.

    Raises:
        DataError: the file cannot be read, or a line is not JSON.
    """
    empty, start = True, 0
    with _opened(path) as file:
        number = 0
        # Line feeds only: str.splitlines() also splits at U+2028, which JSON strings may hold.
        while raw := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(raw) > LONGEST_LINE:
                raise DataError(
                    f"{path}: line {number} is longer than {LONGEST_LINE >> 20} MiB",
                    "expected one JSON value a line",
                )
            line = _decoded(raw, path, start).removesuffix("\n")
            start += len(raw)
            if line.strip():
                empty = False
                yield number, parse_json(line, path, number, "one JSON value a line")
    if empty:
        raise DataError(f"{path}: is empty")


def parse_json_lines(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    """The values of a JSONL text with their line numbers from 1; see `json_lines`.

    Raises:
        DataError: a line is not JSON.
    """
    # Not splitlines(): it also splits at U+2028, which JSON strings may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, parse_json(line, path, number, "one JSON value a line")


def parse_json(text: str, path: Path, line: int | None = None, expected: str = "JSON") -> Any:
    """The value of a JSON text, by the letter of RFC 8259.

    A key that occurs twice in one object is refused: which of the two was meant is anyone's guess, and
    Python's own reader silently takes the last. So are NaN and Infinity, which are not JSON.

    Args:
        text: the text.
        path: where it comes from, for messages.
        line: the number of its line, where it is one line of several.
        expected: what the file should hold, for the hint.

    Raises:
        DataError: it is broken, nested too deeply, holds a key twice, or a number that cannot be read.
    """
    try:
        return _loads(text)
    except json.JSONDecodeError as problem:
        raise DataError(
            f"{path}: broken JSON at line {line or problem.lineno}, column {problem.colno}: {problem.msg}",
            f"expected {expected}; was the file cut off while it was copied?",
        ) from None
    except RecursionError:
        raise DataError(f"{path}: JSON nested too deeply to be read") from None
    except ValueError as problem:  # ours, or Python's on an integer of thousands of digits
        where = f"{path}" if line is None else f"{path}: line {line}"
        raise DataError(f"{where}: {problem}") from None


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
    """A text file of ours to append to, UTF-8 with line feeds.

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
    """A temporary file to write to, which takes the place of `path` when all of it is on disk.

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
    """A text file to write, UTF-8 with line feeds; it takes the place of `path` as in `replaced_whole`."""
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


def strict_json(text: str | bytes) -> Any:
    """The value of a JSON text that is in no file, by the same letter as `parse_json`.

    Raises:
        ValueError: it is not JSON, nested too deeply, holds a key twice, or a number that cannot be read.
    """
    try:
        return _loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A file to read; raises DataError where it cannot be."""
    try:
        refuse_endless(path)
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file", "paths are relative to the directory the command runs in"
        ) from None
    except OSError as problem:
        raise DataError(f"{path}: cannot be read: {problem.strerror}") from None


def _decoded(raw: bytes, path: Path, start: int = 0) -> str:
    """Bytes of a file, from `start` on, as text; raises DataError where they are not UTF-8."""
    try:
        return raw.decode("utf-8" if start else "utf-8-sig")
    except UnicodeDecodeError as problem:
        at = start + problem.start
        if at and problem.reason == "unexpected end of data":
            raise DataError(
                f"{path}: ends in the middle of a character", "was the copy cut off? copy it again"
            ) from None
        encoding = "utf-16" if raw.startswith(_UTF16) else "cp932"
        raise DataError(
            f"{path}: is not UTF-8 (byte {at})",
            f"convert it first, e.g. iconv -f {encoding} -t utf-8 {path}",
        ) from None


def refuse_endless(path: Path) -> None:
    """Refuse what a read may never come back from: a pipe that nobody writes to, a device without end.

    What the shell hands over (`/dev/stdin`, `<(…)`) is read.

    Raises:
        DataError: it is one of these.
        OSError: there is no such file, or it cannot be looked at.
    """
    mode = path.stat().st_mode
    from_shell = path.as_posix().startswith(("/dev/stdin", "/dev/fd/", "/proc/self/fd/"))
    if stat.S_ISCHR(mode) or (stat.S_ISFIFO(mode) and not from_shell):
        raise DataError(f"{path}: is a pipe or a device, expected a file")


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


def _loads(text: str | bytes) -> Any:
    return json.loads(text, object_pairs_hook=_object, parse_constant=_not_a_number)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice!r} occurs more than once in one object")
    return value


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON so that the file is always whole."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is always whole: to a temporary file beside it, then renamed."""
    with written_whole(path) as file:
        file.write(text)
