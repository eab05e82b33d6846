"""Pieces of files, known by their places and read when they are asked for."""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from typing import IO
from weakref import finalize

from lawqa.errors import DataError


class Pieces:
    """Where many pieces of a few files are, in seventeen bytes each.

    A file is opened when the first of its pieces is read, and stays open: it may be removed or replaced then.
    """

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._handles: dict[int, int] = {}
        self._files, self._starts, self._ends = bytearray(), array("Q"), array("Q")

    def hold(self, path: Path, file: IO[bytes]) -> None:
        """Read the pieces of a path from this open file, which may be closed then: the path may be a pipe."""
        self._keep(self._file(path), os.dup(file.fileno()))

    def __len__(self) -> int:
        return len(self._starts)

    def append(self, path: Path, start: int, end: int) -> None:
        """Add a piece: from its first byte to that behind its last."""
        self._files.append(self._file(path))
        self._starts.append(start)
        self._ends.append(end)

    def replace(self, at: int, path: Path, start: int, end: int) -> None:
        """Put a piece in the place of another."""
        self._files[at] = self._file(path)
        self._starts[at], self._ends[at] = start, end

    def place(self, at: int) -> tuple[Path, int, int]:
        """Return the file of a piece, and its first byte and that behind its last."""
        return self._paths[self._files[at]], self._starts[at], self._ends[at]

    def read(self, at: int) -> bytes:
        """Return the content of a piece.

        Raises:
            DataError: the file was removed before the first of its pieces was read, or cut.
        """
        path, start, end = self.place(at)
        try:
            raw = os.pread(self._handle(self._files[at]), end - start, start)
        except OSError as problem:
            raise DataError(f"{path}: cannot be read: {problem.strerror}") from None
        if len(raw) < end - start:
            raise DataError(f"{path}: was cut while it was read", "run the command again")
        return raw

    def _file(self, path: Path) -> int:
        if path not in self._paths:
            self._paths.append(path)
        return self._paths.index(path)

    def _handle(self, file: int) -> int:
        if file not in self._handles:
            self._keep(file, os.open(self._paths[file], os.O_RDONLY | os.O_CLOEXEC))
        return self._handles[file]

    def _keep(self, file: int, handle: int) -> None:
        self._handles[file] = handle
        finalize(self, os.close, handle)
