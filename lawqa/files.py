"""Text and JSON files: read whole or refused with what is wrong with them; written whole or not at all."""

from __future__ import annotations

import codecs
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

from lawqa.errors import DataError

UNSTORABLE = "backslashreplace"
"""How UTF-8 files hold half a surrogate pair, from a file name that is not UTF-8 or a server's text: as
`\\udc93`, which within JSON is its escape, so it is read back as it was."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """A text file's content as UTF-8.

    Raises:
        DataError: there is no such file, it is a directory, empty, or not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file", "paths are relative to the directory the command runs in"
        ) from None
    except OSError as problem:
        raise DataError(f"{path}: cannot be read: {problem.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        if problem.start and problem.reason == "unexpected end of data":
            raise DataError(
                f"{path}: ends in the middle of a character", "was the copy cut off? copy it again"
            ) from None
        encoding = "utf-16" if raw.startswith(_UTF16) else "cp932"
        raise DataError(
            f"{path}: is not UTF-8 (byte {problem.start})",
            f"convert it first, e.g. iconv -f {encoding} -t utf-8 {path}",
        ) from None
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
    """The values of a JSONL file with their line numbers from 1; blank lines are passed over.

    Raises:
        DataError: the file cannot be read, or a line is not JSON.
    """
    # Not splitlines(): it also splits at U+2028, which JSON strings may hold.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, parse_json(line, path, number, "one JSON value a line")


def parse_json(text: str, path: Path, line: int | None = None, expected: str = "JSON") -> Any:
    """The value of a JSON text, by the letter of RFC 8259.

    A key that stands twice in one object is refused: which of the two was meant is anyone's guess, and
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


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """A text file to write, UTF-8 with line feeds; it takes the place of `path` when all is on disk.

    A reader sees the old file or the new one, never half of it, whenever the process or machine dies.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors=UNSTORABLE, newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def strict_json(text: str) -> object:
    """The value of a JSON text that is in no file, by the same letter as `parse_json`.

    Raises:
        ValueError: it is not JSON, nested too deeply, holds a key twice, or a number that cannot be read.
    """
    try:
        return _loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _loads(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object, parse_constant=_not_a_number)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice!r} stands more than once in one object")
    return value


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number that JSON knows")
