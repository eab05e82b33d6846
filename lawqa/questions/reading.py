"""Files of questions, checked from end to end and then read a question at a time."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from weakref import finalize

from lawqa.choices import ORIGINAL_ORDER, Order, order_of
from lawqa.errors import DataError
from lawqa.files import Member, json_members, line_members, seekable, strict_json
from lawqa.made import Made
from lawqa.questions.lawqa_jp import disagreements, from_sample, name_in
from lawqa.questions.other_kinds import refuse_other_kind
from lawqa.questions.question import Question
from lawqa.settings import StrPath, as_path

MAX_REPORTED_ERRORS = 20

_SAMPLES = "samples"
_PIECE = 2**20
_KEPT = 256
"""Questions that are kept once they were read: the orders of one are asked one after the other, and an answer
is stored soon after it was asked for."""


@dataclass(frozen=True)
class QuestionFile:
    """The questions of a file, and the digest of the file."""

    questions: Sequence[Question]
    """In file order; each is read from the file when it is asked for."""
    sha256: str
    """Of the very bytes that the questions were read from, in hex."""


def read_questions(path: StrPath) -> tuple[Question, ...]:
    """Return the questions of a file in file order; see `read_question_file`.

    Raises:
        DataError: the file cannot be read, or items are malformed or contradict each other.
    """
    return tuple(read_question_file(path).questions)


def read_question_file(path: StrPath) -> QuestionFile:
    """Read lawqa_jp JSON (`{"samples": [...]}` or a bare list) or JSONL (one question a line).

    Args:
        path: the file; UTF-8, with or without a byte order mark. It stays open as long as its questions are
            held.

    Raises:
        DataError: the file cannot be read, or items are malformed or contradict each other: all of them are
            named, 20 at most. Asking for a question raises it where the file was changed meanwhile.
    """
    path = as_path(path, "path")
    with seekable(path) as file:
        stored, errors = _Stored(file, path), list[str]()
        for item in _items(file, path):
            if not stored.numbers and not errors:
                refuse_other_kind(path, item.value)
            try:
                stored.add(item, from_sample(item.value))
            except ValueError as problem:
                label = _place(path, item.number, name_in(item.value))
                errors.extend(f"{label}: {line}" for line in str(problem).split("\n"))
        errors.extend(stored.contradictions())
        if errors:
            raise DataError(_listed(path, errors), "fix the items named; nothing was read")
        if not stored.numbers:
            raise DataError(
                f"{path}: holds no question", "give a lawqa_jp file with a samples list"
            )
        stored.name_orders()
    return QuestionFile(Made(stored.question, range(len(stored.numbers))), stored.sha256)


def _items(file: IO[bytes], path: Path) -> Iterator[Member]:
    if path.suffix == ".jsonl":
        yield from line_members(file, path)
        return
    wholes: dict[str, object] = {}
    for member in json_members(file, path, (_SAMPLES,)):
        if member.number:
            yield member
        else:
            wholes[member.key] = member.value
    _require_list(path, wholes)


def _require_list(path: Path, wholes: dict[str, object]) -> None:
    """Make sure that the outermost value, or its samples, were a list; raises DataError."""
    samples = wholes.get(_SAMPLES, wholes.get(""))
    if isinstance(samples, list):
        return
    if "" in wholes or _SAMPLES in wholes:
        raise DataError(f"{path}: 'samples' is not a list but {type(samples).__name__}")
    refuse_other_kind(path, wholes)
    keys = ", ".join(sorted(wholes)[:5])
    raise DataError(
        f"{path}: has no key 'samples' (found: {keys or 'nothing'})",
        'expected lawqa_jp\'s JSON: {"samples": [...]}',
    )


class _Stored:
    """Where each question of a file is, and what distinguishes it from others of its id.

    Args:
        file: the file, which can seek; it may be closed before the questions are read.
        path: its path.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._path = path
        self._handle = os.dup(file.fileno())
        finalize(self, os.close, self._handle)
        self._state = self._looked_at()
        self.sha256 = self._digest()
        """Of the file, in hex."""
        self.numbers = array("Q")
        """The number of each question's item or line."""
        self._starts, self._ends = array("Q"), array("Q")
        self._first: dict[str, int] = {}
        self._orders: dict[str, list[int]] = {}
        self._named: dict[int, Order] = {}
        self._errors: list[str] = []
        self._kept: dict[int, Question] = {}

    def add(self, item: Member, question: Question) -> None:
        """Take a question, and compare it with the first of its id."""
        place = len(self.numbers)
        self.numbers.append(item.number)
        self._starts.append(item.start)
        self._ends.append(item.end)
        first = self._first.setdefault(question.id, place)
        if first == place:
            return
        self._orders.setdefault(question.id, [first]).append(place)
        other = self.question(first)
        label = _place(self._path, item.number, question.id)
        before = _place(self._path, self.numbers[first])
        for what in disagreements(question, other):
            self._errors.append(f"{label}: {what} {other.key} ({before})")

    def contradictions(self) -> Iterator[str]:
        """Yield what items of one id contradict each other in, being one question in several orders."""
        yield from self._errors
        for places in self._orders.values():
            where: dict[str, list[str]] = {}
            for place in places:
                at = _place(self._path, self.numbers[place])
                where.setdefault(self.question(place).key, []).append(at)
            for key, occurs in where.items():
                if len(occurs) > 1:
                    yield f"{key}: occurs {len(occurs)} times ({', '.join(occurs)})"

    def name_orders(self) -> None:
        """Name the order of each question relative to the lowest order number of its id."""
        for places in self._orders.values():
            questions = {place: self.question(place) for place in places}
            original = min(questions.values(), key=lambda question: question.order)
            for place, question in questions.items():
                order = order_of(original.choices, question.choices)
                if order != ORIGINAL_ORDER:
                    self._named[place] = order
        self._first, self._orders, self._kept = {}, {}, {}

    def question(self, place: int) -> Question:
        """Return the question of a place, read unless it was just now."""
        question = self._kept.get(place)
        if question is None:
            question = self._kept[place] = self._read(place)
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return question

    def _read(self, place: int) -> Question:
        start, end = self._starts[place], self._ends[place]
        raw = os.pread(self._handle, end - start, start)
        self._require_unchanged()
        question = from_sample(strict_json(raw))
        order = self._named.get(place)
        return question if order is None else replace(question, permutation=order)

    def _require_unchanged(self) -> None:
        state = self._looked_at()
        if state == self._state:
            return
        if self._digest() != self.sha256:
            raise DataError(
                f"{self._path}: was changed while its questions were asked",
                "put back what it was; --resume then asks those that are left",
            )
        self._state = state

    def _looked_at(self) -> tuple[int, int]:
        state = os.fstat(self._handle)
        return state.st_size, state.st_mtime_ns

    def _digest(self) -> str:
        digest, at = hashlib.sha256(), 0
        while piece := os.pread(self._handle, _PIECE, at):
            digest.update(piece)
            at += len(piece)
        return digest.hexdigest()


def _place(path: Path, number: int, name: str = "") -> str:
    """Return where an item is: a line of a JSONL file, else its number in the list."""
    where = f"{'line' if path.suffix == '.jsonl' else 'item'} {number}"
    return f"{where} ({name})" if name else where


def _listed(path: Path, errors: Sequence[str]) -> str:
    shown = [f"  {error}" for error in errors[:MAX_REPORTED_ERRORS]]
    if len(errors) > MAX_REPORTED_ERRORS:
        shown.append(f"  … and {len(errors) - MAX_REPORTED_ERRORS} more")
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    return "\n".join([f"{path}: {count}", *shown])
