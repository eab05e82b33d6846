"""Texts, objects and repeated fields as the page's data keeps them: each once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

Fields = Mapping[str, object]


class Texts:
    """Texts by number, each stored as the numbers of its lines.

    Prompts of one question share its choices and its context, and all prompts share their wording: stored
    line by line, twenty runs take a third of the room.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        """Every line that occurs, once."""
        self.all: list[list[int]] = []
        """The texts, each as the numbers of its lines."""
        self._lines: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int | None:
        """Return the number of a text in `all`; None for an empty one."""
        if not text:
            return None
        if text not in self._numbers:
            self._numbers[text] = len(self.all)
            self.all.append([self._line(line) for line in text.split("\n")])
        return self._numbers[text]

    def _line(self, line: str) -> int:
        number = self._lines.setdefault(line, len(self.lines))
        if number == len(self.lines):
            self.lines.append(line)
        return number


class Once:
    """JSON values by number, equal ones once."""

    def __init__(self) -> None:
        self.all: list[object] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: object) -> int:
        """Return the number of a value in `all`."""
        key = json.dumps(value, sort_keys=True)
        number = self._numbers.setdefault(key, len(self.all))
        if number == len(self.all):
            self.all.append(value)
        return number


def usual_fields(rows: Sequence[Fields], names: Sequence[str]) -> dict[str, object]:
    """Return the commonest value of each of these fields, where it saves room.

    Args:
        rows: the fields of each answer of a run; one that is left out has no value.
        names: which fields; their values are texts, numbers or truths.
    """
    usual = {}
    for name in names:
        value, times = (
            Counter(row.get(name) for row in rows).most_common(1)[0] if rows else (None, 0)
        )
        if value is not None and 2 * times > len(rows):
            usual[name] = value
    return usual


def without_usual(row: Fields, usual: Fields) -> dict[str, object]:
    """Return the fields of an answer that differ from the usual ones; one that it lacks is None."""
    lacking = {name: None for name in usual if name not in row}
    return {name: value for name, value in row.items() if usual.get(name) != value} | lacking
