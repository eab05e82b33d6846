"""The journal of a parse that is not done: what was asked for, and which laws are written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from lawqa.errors import DataError
from lawqa.files import JsonDict, append_to_own, open_own, strict_json
from lawqa.runs.manifest import SCHEMA_VERSION

Record = TypeVar("Record", "ParseJob", "Done")


@dataclass(frozen=True)
class ParseJob:
    """What a parse reads; two parses of the same job write the same file."""

    input: str
    """The folder or zip, as it was given."""
    as_of: str
    """The day whose revisions are chosen, ISO 8601."""
    files_sha256: str
    """Over the paths and sizes of the chosen files, in order."""
    schema_version: int = SCHEMA_VERSION
    """The version of the journal's layout."""


@dataclass(frozen=True)
class Done:
    """One law that needs no more work."""

    path: str
    """Its file."""
    articles: int
    """How many lines it gave."""
    end: int
    """Bytes of the partial file up to its last line's end."""
    error: str = ""
    """Why it could not be read; empty if it could."""


class Journal:
    """A JSONL file: the job, then every law that is done, appended as it is.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, job: ParseJob) -> None:
        """Write a new journal; an earlier one is replaced."""
        with os.fdopen(
            open_own(self.path, os.O_WRONLY | os.O_TRUNC), "w", encoding="ascii"
        ) as file:
            file.write(_line(job))

    def restart(self, job: ParseJob, done: list[Done]) -> None:
        """Rewrite the journal with the laws that the partial file really holds."""
        text = "".join([_line(job), *map(_line, done)])
        temporary = self.path.with_name(self.path.name + ".new")
        with os.fdopen(
            open_own(temporary, os.O_WRONLY | os.O_TRUNC), "w", encoding="ascii"
        ) as file:
            file.write(text)
        temporary.replace(self.path)

    def append(self, done: Done) -> None:
        """Add a law; call it when its lines have been handed to the operating system."""
        with append_to_own(self.path) as file:
            file.write(_line(done))

    def read(self) -> tuple[ParseJob, list[Done]]:
        """Return the job and the laws that are done; a line that was cut off while it was written is not one.

        Raises:
            DataError: it is not a journal, or of another version.
        """
        first, *rest = [*self._rows(), {}] if self.path.exists() else [{}]
        foreign = DataError(
            f"{self.path}: is not a journal of this version", "--fresh parses everything again"
        )
        if first.get("schema_version") != SCHEMA_VERSION:
            raise foreign
        try:
            return ParseJob(**first), [Done(**row) for row in rest[:-1]]
        except TypeError:
            raise foreign from None

    def remove(self) -> None:
        """Remove the file, if there is one."""
        self.path.unlink(missing_ok=True)

    def _rows(self) -> Iterator[JsonDict]:
        for line in self.path.read_bytes().split(b"\n")[:-1]:
            try:
                row = strict_json(line)
            except ValueError:
                return
            if not isinstance(row, dict):
                return
            yield row


def _line(record: Record) -> str:
    return json.dumps(asdict(record)) + "\n"  # ASCII: a file's name may hold what UTF-8 cannot
