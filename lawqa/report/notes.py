"""Tags and notes that readers set in a report, kept in a file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import DataError
from lawqa.files import JsonObject, read_json

SCHEMA = 1
"""Version of the file."""


@dataclass(frozen=True)
class Note:
    """What a reader noted of a question."""

    tags: tuple[str, ...] = ()
    """Short words to find it by."""
    text: str = ""
    """A note in words."""


def notes_path(report: Path) -> Path:
    """Return the file of a report's notes: `report.notes.json` beside `report.html`."""
    return report.with_suffix(".notes.json")


def read_notes(path: Path) -> dict[str, Note]:
    """Read the notes of a report by question id; an empty dict if the file does not exist.

    Raises:
        DataError: the file is not one that the page saved.
    """
    if not path.is_file():
        return {}
    stored = read_json(path)
    given = stored.get("notes") if isinstance(stored, Mapping) else None
    if given is None or stored.get("schema_version") != SCHEMA or not isinstance(given, Mapping):
        raise DataError(
            f"{path}: expected notes with schema_version {SCHEMA}",
            "save them from the page again, or move the file away",
        )
    return {str(question): _note(path, str(question), note) for question, note in given.items()}


def notes_json(notes: Mapping[str, Note]) -> JsonObject:
    """Return notes as the page is given them."""
    return {
        question: {"tags": list(note.tags), "text": note.text} for question, note in notes.items()
    }


def _note(path: Path, question: str, stored: object) -> Note:
    tags = stored.get("tags", []) if isinstance(stored, Mapping) else None
    text = stored.get("text", "") if isinstance(stored, Mapping) else None
    if (
        not isinstance(tags, list)
        or not all(isinstance(tag, str) for tag in tags)
        or not isinstance(text, str)
    ):
        raise DataError(
            f"{path}: the note of {question} is {stored!r}, expected tags and text",
            "save them from the page again, or move the file away",
        )
    return Note(tuple(tags), text)
