"""What a manifest keeps of the questions, however many they are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from lawqa.files import JsonObject
from lawqa.questions import Question, fingerprint

_KEYS = {"id", "order", "fingerprint"}
_PRINT = re.compile("[0-9a-f]{16}")


class QuestionEntries(Sequence[JsonObject]):
    """Id, order and fingerprint of each question, as JSON objects that are made as they are asked for.

    Args:
        entries: the objects; those that say anything else are kept as they are.
    """

    def __init__(self, entries: Iterable[JsonObject] = ()) -> None:
        self._ids: list[str] = []
        self._orders, self._prints = bytearray(), bytearray()
        self._others: dict[int, JsonObject] = {}
        for entry in entries:
            self.append(entry)

    def append(self, entry: JsonObject) -> None:
        """Add an object."""
        if _is_usual(entry):
            name, order, print_ = entry["id"], entry["order"], entry["fingerprint"]
        else:
            self._others[len(self._ids)] = entry
            name, order, print_ = "", 0, "0" * 16
        last = self._ids[-1] if self._ids else ""
        self._ids.append(last if last == name else name)  # the orders of a question share its id
        self._orders.append(order)
        self._prints += bytes.fromhex(print_)

    def key(self, at: int) -> str:
        """Return the key of the question at a place: `id#order`."""
        return f"{self._ids[at]}#{self._orders[at]}"

    def question_id(self, at: int) -> str:
        """Return the id of the question at a place."""
        return self._ids[at]

    @property
    def digest(self) -> str:
        """A digest of all that the entries say."""
        digest = hashlib.sha256()
        for entry in self:
            digest.update(json.dumps(entry, sort_keys=True).encode())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, at: int) -> JsonObject: ...

    @overload
    def __getitem__(self, at: slice) -> list[JsonObject]: ...

    def __getitem__(self, at: int | slice) -> JsonObject | list[JsonObject]:
        if isinstance(at, slice):
            return [self._entry(place) for place in range(len(self))[at]]
        return self._entry(range(len(self))[at])

    def __iter__(self) -> Iterator[JsonObject]:
        return map(self._entry, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, QuestionEntries):
            return vars(self) == vars(other)
        return list(self) == other

    __hash__ = None  # type: ignore[assignment]  # it can be added to

    def _entry(self, at: int) -> JsonObject:
        if at in self._others:
            return self._others[at]
        fingerprint_ = self._prints[8 * at : 8 * at + 8].hex()
        return {"id": self._ids[at], "order": self._orders[at], "fingerprint": fingerprint_}


def entry_of(question: Question) -> JsonObject:
    """Return what a manifest says of a question."""
    return {"id": question.id, "order": question.order, "fingerprint": fingerprint(question)}


def _is_usual(entry: object) -> bool:
    """Return whether an entry says the three things in their usual form, and nothing else."""
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        return False
    name, order, print_ = entry["id"], entry["order"], entry["fingerprint"]
    return (
        isinstance(name, str)
        and type(order) is int
        and 0 < order < 256
        and isinstance(print_, str)
        and _PRINT.fullmatch(print_) is not None
    )
