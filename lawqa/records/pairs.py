"""Pairs of a right and a wrong answer to one prompt, to learn a preference from.

A line of a file is `{"schema_version": 1, "right": RECORD, "wrong": RECORD}`, with records as in a file of
them. The two show one question in one order of its choices, put in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonValue, json_lines, written_whole
from lawqa.records.files import is_pair, record_from_json, record_to_json
from lawqa.records.record import TrainingRecord

_SCHEMA_VERSION = 1
_HINT = "lawqa pool pairs --pool FILE --output-path FILE  writes them"
_SHARED = (
    ("question_id", "questions"),
    ("fingerprint", "questions"),
    ("order", "orders of the choices"),
    ("prompt_spec", "prompt specs"),
    ("messages", "prompts"),
)
"""What the two of a pair share, and how messages call it."""


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt.

    Raises:
        ValueError: they answer different prompts, or are the same.
    """

    right: TrainingRecord
    """The one to be preferred."""
    wrong: TrainingRecord
    """The other."""

    def __post_init__(self) -> None:
        for name, called in _SHARED:
            if getattr(self.right, name) != getattr(self.wrong, name):
                raise ValueError(
                    f"its two answers are to different {called}: {self.right.key} and {self.wrong.key}"
                )
        if self.right.answer == self.wrong.answer:
            raise ValueError(f"its two answers to {self.right.key} are the same")


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write pairs as JSONL, one a line."""
    with written_whole(path) as file:
        for pair in pairs:
            line = {
                "schema_version": _SCHEMA_VERSION,
                "right": record_to_json(pair.right),
                "wrong": record_to_json(pair.wrong),
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def load_pairs(path: Path) -> tuple[Pair, ...]:
    """Read the pairs of a file.

    Raises:
        DataError: the file cannot be read, is empty, or a line is not a pair.
    """
    pairs = []
    with json_lines(path) as lines:
        for number, line in lines:
            try:
                pairs.append(_pair(line))
            except (KeyError, TypeError, ValueError, ConfigError) as problem:
                why = f"key {problem} is missing" if isinstance(problem, KeyError) else str(problem)
                raise DataError(f"{path}: line {number} is not a pair: {why}", _HINT) from None
    return tuple(pairs)


def _pair(line: JsonValue) -> Pair:
    if not is_pair(line):
        raise ValueError("expected an object with a right and a wrong record")
    version = line.get("schema_version")
    if version != _SCHEMA_VERSION:
        raise ValueError(f"schema_version {version}, expected {_SCHEMA_VERSION}")
    return Pair(record_from_json(line["right"]), record_from_json(line["wrong"]))
