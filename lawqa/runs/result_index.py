"""Where the results of a run are: held by place and state, read when they are asked for."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path

from lawqa.errors import DataError
from lawqa.files import Pieces
from lawqa.files.json_log import Line, parsed_line
from lawqa.runs.result import ItemKey, Result, State
from lawqa.runs.rows import check_row

WORTH: tuple[State, ...] = ("failed", "open", "whole")
"""States, the better ones last."""


class ResultIndex(Mapping[ItemKey, Result]):
    """Results by the answers that they are, each read from its line when it is asked for."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._pieces = Pieces()
        self._numbers, self._states = array("Q"), bytearray()

    def put(self, key: ItemKey, line: Line, state: State) -> None:
        """Set where the result of an answer is, and what is still to be done about it."""
        at = self._places.setdefault(_name(key), len(self._states))
        if at == len(self._states):
            self._pieces.append(line.path, line.start, line.end)
            self._numbers.append(line.number)
            self._states.append(WORTH.index(state))
        else:
            self._pieces.replace(at, line.path, line.start, line.end)
            self._numbers[at], self._states[at] = line.number, WORTH.index(state)

    def state(self, key: ItemKey) -> State:
        """Return what is still to be done about an answer; failed where there is none."""
        at = self._places.get(_name(key))
        return "failed" if at is None else WORTH[self._states[at]]

    def line(self, key: ItemKey) -> Line:
        """Return where the result of an answer is."""
        at = self._places[_name(key)]
        return Line(*self._pieces.place(at), self._numbers[at])

    def read(self, at: int) -> Result:
        """Return the result of a place, in the sequence in which the answers were first met."""
        return result_in(self._pieces.read(at), self._pieces.place(at)[0])

    def __getitem__(self, key: ItemKey) -> Result:
        return self.read(self._places[_name(key)])

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and _name(key) in self._places

    def __iter__(self) -> Iterator[ItemKey]:
        return map(_key, self._places)

    def __len__(self) -> int:
        return len(self._places)


def result_in(raw: bytes, path: Path) -> Result:
    """Return the result that a line holds which was read and checked before.

    Raises:
        DataError: the line is not what it was.
    """
    try:
        result = check_row(parsed_line(raw)).result
    except (ValueError, RecursionError):
        result = None
    if result is None:
        raise DataError(f"{path}: was changed while it was read", "run the command again")
    return result


def _name(key: ItemKey) -> str:
    """Return one text for the two parts of a key; of a prompt's first answer the prompt's own key."""
    return f"{key[0]}\0{key[1]}" if key[1] else key[0]


def _key(name: str) -> ItemKey:
    prompt, _, repeat = name.partition("\0")
    return prompt, int(repeat or 0)
