"""Text and JSON files, read whole or refused with what is wrong with them."""

from __future__ import annotations

import codecs
import json
import os
import stat
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn, TypeAlias

from lawqa.errors import DataError

JsonValue: TypeAlias = Any
"""A JSON value from outside. Any, because each reader checks what it takes from it."""
JsonObject = Mapping[str, JsonValue]
"""A JSON object from outside."""
JsonDict = dict[str, JsonValue]
"""A JSON object that its reader may change."""

LARGEST_FILE = 2**30
"""Bytes of the largest file that is read into memory at once."""

LONGEST_LINE = 64 * 2**20
"""Bytes of the longest line; a text of 100,000 tokens has less than a hundredth of them."""

_PIECE = 2**20

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Member(NamedTuple):
    """A value of a JSON file that is read one by one, and where it is."""

    key: str
    """The member's name; empty where the outermost value is not an object."""
    number: int
    """The entry's number in its list, or its line's, from 1; 0 for a whole value."""
    value: Any
    """Any, because each reader checks what it takes from it."""
    start: int
    """Where it begins, in bytes of the file."""
    end: int
    """Where it ends."""


def read_text(path: Path) -> str:
    """Return a text file's content as UTF-8.

    Raises:
        DataError: there is no such file, it is a directory, a named pipe, a device, empty, or not UTF-8.
    """
    return decoded(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Return a file's content.

    Raises:
        DataError: there is no such file, it cannot be read, or it is larger than `LARGEST_FILE`.
    """
    with _opened(path) as file:
        # A pipe has no size beforehand.
        large = os.fstat(file.fileno()).st_size > LARGEST_FILE
        raw = b"" if large else file.read(LARGEST_FILE + 1)
    if large or len(raw) > LARGEST_FILE:
        raise _too_large(path)
    return raw


@contextmanager
def seekable(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to read piece by piece and again; what comes through a pipe is kept in a temporary file.

    Raises:
        DataError: as `read_bytes`.
    """
    with _opened(path) as file, ExitStack() as kept:
        if not file.seekable():
            pipe, file = file, kept.enter_context(tempfile.TemporaryFile())
            size = 0
            while piece := pipe.read(_PIECE):
                file.write(piece)
                size += len(piece)
                if size > LARGEST_FILE:
                    raise _too_large(path)
            file.seek(0)
        if os.fstat(file.fileno()).st_size > LARGEST_FILE:
            raise _too_large(path)
        yield file


def decoded(raw: bytes, path: Path) -> str:
    """Return the text of a file's bytes, which are UTF-8, with or without a byte order mark.

    Raises:
        DataError: they are empty, or not UTF-8.
    """
    text = _decoded(raw, path)
    if not text.strip():
        raise DataError(f"{path}: is empty")
    return text


def read_json(path: Path) -> JsonValue:
    """Return the value of a JSON file; see `parse_json`.

    Raises:
        DataError: the file cannot be read, or is not JSON that can be trusted.
    """
    return parse_json(read_text(path), path)


@contextmanager
def json_lines(path: Path) -> Iterator[Iterator[tuple[int, JsonValue]]]:
    """Open a JSONL file and yield its values with their line numbers from 1; blank lines are passed over.

    The file is closed at the end of the block, however those who read it leave.

    Raises:
        DataError: the file cannot be read, or a line is not JSON.
    """
    with closing(_json_lines(path)) as lines:
        yield lines


def first_json_line(path: Path) -> JsonValue:
    """Return the value of the first line of a JSONL file.

    Raises:
        DataError: as in `json_lines`.
    """
    with json_lines(path) as lines:
        return next(lines)[1]


def bounded_lines(file: IO[bytes], path: Path, hint: str) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of an open file with their numbers from 1, none of them longer than `LONGEST_LINE`.

    A packed file of a few kilobytes may hold a line of gigabytes. Lines end at line feeds only:
    `str.splitlines` also splits at U+2028, which JSON strings may hold.

    Raises:
        DataError: a line is longer.
    """
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise DataError(f"{path}: line {number} is longer than {LONGEST_LINE >> 20} MiB", hint)
        yield number, raw


def parse_json(text: str, path: Path, line: int | None = None, expected: str = "JSON") -> JsonValue:
    """Return the value of a JSON text, by the letter of RFC 8259.

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


def strict_json(text: str | bytes) -> JsonValue:
    """Return the value of a JSON text that is in no file, by the same letter as `parse_json`.

    Raises:
        ValueError: it is not JSON, nested too deeply, holds a key twice, or a number that cannot be read.
    """
    try:
        return _loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to read; raises DataError where it cannot be."""
    try:
        refuse_endless(path)
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file", "paths are relative to the directory the command runs in"
        ) from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a directory, expected a file", f"ls {path}") from None
    except OSError as problem:
        raise DataError(f"{path}: cannot be read: {problem.strerror}") from None


def _json_lines(path: Path) -> Generator[tuple[int, Any], None, None]:
    with _opened(path) as file:
        for line in line_members(file, path):
            yield line.number, line.value


def line_members(file: IO[bytes], path: Path) -> Iterator[Member]:
    """Yield the values of an open JSONL file with their lines' numbers from 1; blank lines are passed over.

    Raises:
        DataError: a line is not JSON, or there is none.
    """
    empty, end = True, 0
    for number, raw in bounded_lines(file, path, "expected one JSON value a line"):
        start, end = end, end + len(raw)
        line = _decoded(raw, path, start).removesuffix("\n")
        if line.strip():
            empty = False
            value = parse_json(line, path, number, "one JSON value a line")
            yield Member("", number, value, start, end)
    if empty:
        raise DataError(f"{path}: is empty")


def _decoded(raw: bytes, path: Path, start: int = 0) -> str:
    """Return the bytes of a file, from `start` on, as text; raises DataError where they are not UTF-8."""
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


def _loads(text: str | bytes) -> JsonValue:
    return json.loads(text, object_pairs_hook=_object, parse_constant=_not_a_number)


def _too_large(path: Path) -> DataError:
    return DataError(f"{path}: is larger than {LARGEST_FILE >> 20:,} MiB")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice!r} occurs more than once in one object")
    return value


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_not_a_number)
"""Reads JSON by the letter of `parse_json`."""
