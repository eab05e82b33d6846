"""What a file is that was given in place of questions: lawqa's other files, known by the keys of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import DataError


@dataclass(frozen=True)
class _Kind:
    """A kind of file that is no question file."""

    keys: frozenset[str]
    """What each of its items has."""
    name: str
    """What it holds."""
    hint: str
    """What to give, or which command reads it."""


_KINDS = (
    _Kind(frozenset({"predicted_answer", "is_correct"}), "the answers of a run",
          "lawqa report RUN, lawqa rescore RUN and lawqa compare RUN RUN read the run's directory"),
    _Kind(frozenset({"right", "wrong"}), "pairs of answers to prefer",
          "lawqa prefer --pairs PAIRS trains on them; give the questions that they answer"),
    _Kind(frozenset({"messages"}), "training records",
          "lawqa train --train-file RECORDS trains on them; give the questions that they were made of"),
    _Kind(frozenset({"input", "output", "meta"}), "training records",
          "lawqa train --train-file RECORDS trains on them; give the questions that they were made of"),
    _Kind(frozenset({"law_title", "article", "paragraphs"}), "articles of statutes",
          "lawqa index build --articles ARTICLES indexes them; give a file of questions"),
    _Kind(frozenset({"config", "results"}), "the results of an evaluation",
          "lawqa report FILE and lawqa rescore FILE read it; give a file of questions"),
    _Kind(frozenset({"kind", "started", "environment"}), "the manifest of a run",
          "lawqa runs show RUN shows it; give a file of questions"),
)  # fmt: skip


def refuse_other_kind(path: Path, item: object) -> None:
    """Make sure that an item is not one of another kind of file.

    Raises:
        DataError: it is; the message says of which, and the hint what reads it.
    """
    if not isinstance(item, Mapping):
        return
    kind = next((one for one in _KINDS if one.keys <= item.keys()), None)
    if kind is not None:
        raise DataError(f"{path}: holds {kind.name}, not questions", kind.hint)
