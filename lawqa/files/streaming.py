"""JSON files whose long lists are read an entry at a time, by the letter of `reading.parse_json`."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, NoReturn

from lawqa.errors import DataError
from lawqa.files.reading import STRICT, Member, decoded, parse_json

_PIECE = 2**20
"""Bytes that are read at a time; a longer entry takes several."""

_SPACE = re.compile(r"[ \t\n\r]*")


def json_members(file: IO[bytes], path: Path, long: Collection[str]) -> Iterator[Member]:
    """Yield the members of the outermost object of a JSON file, entries of long lists one by one.

    A long list begins with a whole value, an empty list; its entries follow with their numbers. No more of
    the file is held than one entry and a piece. A file whose outermost value is a list is one long list
    without a name.

    Args:
        file: the file, open at its start; it can seek.
        path: its path, for messages.
        long: the members that are long lists.

    Raises:
        DataError: the file is empty, not UTF-8, or not JSON; the message is that of `parse_json`.
    """
    text = _Text(file)
    try:
        yield from _outermost(text, long)
    except (ValueError, RecursionError):
        _refuse(file, path)


def _refuse(file: IO[bytes], path: Path) -> NoReturn:
    """Raise what is wrong with a file; only the whole text has its line and column."""
    file.seek(0)
    parse_json(decoded(file.read(), path), path)
    raise DataError(f"{path}: changed while it was read", "run the command again")


def _outermost(text: _Text, long: Collection[str]) -> Iterator[Member]:
    if text.take("{"):
        keys: set[str] = set()
        closed = text.take("}")
        while not closed:
            key = text.value().value
            if not isinstance(key, str) or key in keys:
                raise ValueError("not a new key")
            keys.add(key)
            text.require(":")
            yield from _member(text, key, is_long=key in long)
            closed = text.ends("}")
    else:
        yield from _member(text, "", is_long=True)
    if text.peek():
        raise ValueError("extra data")


def _member(text: _Text, key: str, *, is_long: bool) -> Iterator[Member]:
    if not (is_long and text.take("[")):
        yield text.value()._replace(key=key)
        return
    yield Member(key, 0, [], text.offset, text.offset)
    closed, number = text.take("]"), 0
    while not closed:
        number += 1
        yield text.value()._replace(key=key, number=number)
        closed = text.ends("]")


class _Text:
    """The text of a JSON file from where it was read to; what lies before is dropped."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text, self._at, self._whole = "", 0, False
        self.offset = 0
        """Bytes of the file before what is read next."""
        if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
            self.offset = len(codecs.BOM_UTF8)
        file.seek(self.offset)

    def peek(self) -> str:
        """Return the next character that is not a space; empty at the end."""
        while True:
            end = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # matches the empty text
            self.offset += end - self._at
            self._at = end
            if self._at < len(self._text):
                return self._text[self._at]
            if self._whole:
                return ""
            self._read_on()

    def take(self, char: str) -> bool:
        """Pass over the next character if it is this one."""
        if self.peek() != char:
            return False
        self._at += 1
        self.offset += 1
        return True

    def require(self, char: str) -> None:
        """Pass over the next character; raises ValueError where it is another one."""
        if not self.take(char):
            raise ValueError(f"no {char}")

    def ends(self, closing: str) -> bool:
        """Return whether the list or object ends here; else pass over the comma before its next part."""
        if self.take(closing):
            return True
        self.require(",")
        return False

    def value(self) -> Member:
        """Return the next JSON value; raises ValueError where there is none."""
        self.peek()
        while True:
            try:
                value, end = STRICT.raw_decode(self._text, self._at)
            except json.JSONDecodeError:  # perhaps only cut off where the piece ends
                if self._whole:
                    raise
            else:
                # A number that ends where the piece ends may be longer than it looks.
                if end < len(self._text) or self._whole:
                    break
            self._read_on()
        start = self.offset
        self.offset += len(self._text[self._at : end].encode())
        self._at = end
        return Member("", 0, value, start, self.offset)

    def _read_on(self) -> None:
        raw = self._file.read(max(_PIECE, len(self._text) - self._at))
        self._whole = not raw
        self._text = self._text[self._at :] + self._decode(raw, final=self._whole)
        self._at = 0
