"""lawqa_jp's files: reading, writing, checksums.

The only module that knows the data set's Japanese keys. lawqa_jp comes from the Digital Agency of Japan
(github.com/digital-go-jp/lawqa_jp, Public Data License 1.0).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from lawqa.amounts import counted
from lawqa.choices import (
    LABELS,
    Label,
    order_of,
)
from lawqa.digests import sha256_of
from lawqa.errors import DataError
from lawqa.files import decoded, parse_json, parse_json_lines, read_bytes, written_whole
from lawqa.questions.other_kinds import refuse_other_kind
from lawqa.questions.question import Question, choices_text
from lawqa.settings import StrPath, as_path

_ID, _ORDER, _CONTEXT, _TEXT = "ファイル名", "回答オーダーマップ番号", "コンテキスト", "問題文"

_INSTRUCTION, _CHOICES, _GOLD, _REFERENCES = "指示", "選択肢", "output", "references"

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")

_CHOICE_LINE = re.compile(r"([a-d])[ \u3000]+(\S.*)")

MAX_REPORTED_ERRORS = 20


@dataclass(frozen=True)
class QuestionFile:
    """The questions of a file, and the digest of the file."""

    questions: tuple[Question, ...]
    """In file order."""
    sha256: str
    """Of the very bytes that the questions were read from, in hex."""


def read_questions(path: StrPath) -> tuple[Question, ...]:
    """Return the questions of a file in file order; see `read_question_file`.

    Raises:
        DataError: the file cannot be read, or items are malformed or contradict each other.
    """
    return read_question_file(path).questions


def read_question_file(path: StrPath) -> QuestionFile:
    """Read lawqa_jp JSON (`{"samples": [...]}` or a bare list) or JSONL (one question a line).

    Args:
        path: the file; UTF-8, with or without a byte order mark.

    Raises:
        DataError: the file cannot be read, or items are malformed or contradict each other: all of them are
            named, 20 at most.
    """
    path = as_path(path, "path")
    raw = read_bytes(path)
    errors: list[str] = []
    numbered: list[tuple[int, Question]] = []
    for number, item in _items(decoded(raw, path), path):
        if not numbered and not errors:
            refuse_other_kind(path, item)
        try:
            numbered.append((number, from_sample(item)))
        except ValueError as problem:
            name = item.get(_ID) if isinstance(item, dict) else None
            label = _place(path, number, name if isinstance(name, str) else "")
            errors.extend(f"{label}: {line}" for line in str(problem).split("\n"))
    errors.extend(_contradictions(path, numbered))
    if errors:
        raise DataError(_listed(path, errors), "fix the items named; nothing was read")
    if not numbered:
        raise DataError(f"{path}: holds no question", "give a lawqa_jp file with a samples list")
    questions = _with_permutations([question for _, question in numbered])
    return QuestionFile(questions, hashlib.sha256(raw).hexdigest())


def write_questions(path: StrPath, questions: Iterable[Question]) -> None:
    """Write questions in lawqa_jp's own schema; `read_questions` gives them back."""
    samples = [to_sample(question) for question in questions]
    with written_whole(as_path(path, "path")) as file:
        file.write(json.dumps({"samples": samples}, ensure_ascii=False, indent=1) + "\n")


def to_sample(question: Question) -> dict[str, object]:
    """Return the question as an item of lawqa_jp's JSON; the order number only where it is not 1."""
    sample: dict[str, object] = {_ID: question.id}
    if question.order != 1:
        sample[_ORDER] = str(question.order)
    sample[_CONTEXT] = question.context
    sample[_TEXT] = question.text
    sample[_INSTRUCTION] = question.instruction
    sample[_CHOICES] = choices_text(question.choices)
    sample[_GOLD] = question.gold
    sample[_REFERENCES] = list(question.references)
    return sample


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex.

    Raises:
        DataError: there is no such file, or it is not an ordinary one.
    """
    if not path.is_file():
        problem = "is not an ordinary file" if path.exists() else "is missing"
        raise DataError(
            f"{path}: {problem}, expected a file of questions or records",
            "paths are relative to the directory the command runs in",
        )
    return sha256_of(path)


def _items(text: str, path: Path) -> Iterator[tuple[int, object]]:
    if path.suffix == ".jsonl":
        yield from parse_json_lines(text, path)
        return
    data = parse_json(text, path)
    if isinstance(data, dict):
        if "samples" not in data:
            refuse_other_kind(path, data)
            keys = ", ".join(sorted(data)[:5])
            raise DataError(
                f"{path}: has no key 'samples' (found: {keys or 'nothing'})",
                'expected lawqa_jp\'s JSON: {"samples": [...]}',
            )
        data = data["samples"]
    if not isinstance(data, list):
        raise DataError(f"{path}: 'samples' is not a list but {type(data).__name__}")
    yield from enumerate(data, start=1)


def from_sample(item: object) -> Question:
    """Return one item of lawqa_jp's JSON as a validated question.

    Raises:
        ValueError: with a line for every field at fault.
    """
    if not isinstance(item, dict):
        raise ValueError(f"is not an object but {type(item).__name__}")  # noqa: TRY004 - caught as one
    problems: list[str] = []
    fields = {key: _string(item, key, problems) for key in (_ID, _TEXT, _CHOICES, _GOLD)}
    optional = {
        key: _string(item, key, problems, required=False) for key in (_CONTEXT, _INSTRUCTION)
    }
    choices = _choices(fields[_CHOICES], problems) if fields[_CHOICES] else ()
    if fields[_GOLD] and fields[_GOLD] not in LABELS:
        problems.append(f"field {_GOLD}: gold label is {fields[_GOLD]!r}, expected one of a b c d")
    order = _order_number(item.get(_ORDER, 1), problems)
    references = item.get(_REFERENCES, [])
    if not isinstance(references, list) or not all(isinstance(ref, str) for ref in references):
        problems.append(f"field {_REFERENCES}: expected a list of strings")
    if problems:
        raise ValueError("\n".join(problems))
    return Question(
        id=fields[_ID],
        text=fields[_TEXT],
        choices=cast("tuple[str, str, str, str]", choices),
        gold=cast("Label", fields[_GOLD]),
        context=optional[_CONTEXT],
        instruction=optional[_INSTRUCTION],
        references=tuple(references),
        order=order,
    )


def _string(
    item: dict[str, object], key: str, problems: list[str], *, required: bool = True
) -> str:
    if key not in item:
        if required:
            problems.append(f"field {key}: is missing")
        return ""
    value = item[key]
    if not isinstance(value, str):
        problems.append(f"field {key}: expected text, found {type(value).__name__}")
        return ""
    if required and not value.strip():
        problems.append(f"field {key}: is empty")
    if _HALF_A_PAIR.search(value):
        problems.append(f"field {key}: holds half a surrogate pair, which no file can store")
    return value.strip() if required else value


def _choices(text: str, problems: list[str]) -> tuple[str, ...]:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    matches = [_CHOICE_LINE.fullmatch(line) for line in lines]
    for line, match in zip(lines, matches, strict=True):
        if match is None:
            problems.append(
                f"field {_CHOICES}: line {line[:30]!r} does not start with a-d and a space"
            )
    labels = [match[1] for match in matches if match]
    counts = Counter(labels)
    problems.extend(
        f"field {_CHOICES}: label {label} occurs {times} times"
        for label, times in counts.items()
        if times > 1
    )
    if len(lines) != len(LABELS):
        problems.append(f"field {_CHOICES}: {counted(len(lines), 'choice')}, expected 4")
    elif len(counts) == len(LABELS) and tuple(labels) != LABELS:
        problems.append(
            f"field {_CHOICES}: labels are in the order {' '.join(labels)}, not a b c d"
        )
    texts = tuple(match[2].strip() for match in matches if match)
    if len(set(texts)) < len(texts):
        problems.append(f"field {_CHOICES}: two choices have the same text")
    return texts


def _order_number(value: object, problems: list[str]) -> int:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        text = str(value)
        if text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= 24:
            return int(text)
    problems.append(f"field {_ORDER}: order number is {value!r}, expected 1 to 24")
    return 1


def _contradictions(path: Path, numbered: Sequence[tuple[int, Question]]) -> Iterator[str]:
    """Yield what items of one id do not agree in: they are the same question with its choices in other
    orders.
    """
    first: dict[str, tuple[int, Question]] = {}
    places: dict[str, list[str]] = {}
    for number, question in numbered:
        other_number, other = first.setdefault(question.id, (number, question))
        places.setdefault(question.key, []).append(_place(path, number))
        label, before = _place(path, number, question.id), _place(path, other_number)
        for what in _disagreements(question, other):
            yield f"{label}: {what} {other.key} ({before})"
    for key, where in places.items():
        if len(where) > 1:
            yield f"{key}: occurs {len(where)} times ({', '.join(where)})"


def _disagreements(question: Question, other: Question) -> Iterator[str]:
    for field, one, two in (
        (_TEXT, question.text, other.text),
        (_CONTEXT, question.context, other.context),
    ):
        if one != two:
            yield f"field {field}: the id is the same, the text is not that of"
    if sorted(question.choices) != sorted(other.choices):
        yield f"field {_CHOICES}: {question.key} does not have the same choices as"
    elif _gold_text(question) != _gold_text(other):
        yield f"field {_GOLD}: the right choice is not the text that is right in"


def _gold_text(question: Question) -> str:
    return question.choices[LABELS.index(question.gold)]


def _place(path: Path, number: int, name: str = "") -> str:
    """Return where an item is: a line of a JSONL file, else its number in the list."""
    where = f"{'line' if path.suffix == '.jsonl' else 'item'} {number}"
    return f"{where} ({name})" if name else where


def _with_permutations(questions: Sequence[Question]) -> tuple[Question, ...]:
    """Return the questions, each with its permutation relative to the lowest order number of its id."""
    originals: dict[str, Question] = {}
    for question in sorted(questions, key=lambda q: q.order):
        originals.setdefault(question.id, question)
    placed = []
    for question in questions:
        permutation = order_of(originals[question.id].choices, question.choices)
        placed.append(replace(question, permutation=permutation))
    return tuple(placed)


def _listed(path: Path, errors: Sequence[str]) -> str:
    shown = [f"  {error}" for error in errors[:MAX_REPORTED_ERRORS]]
    if len(errors) > MAX_REPORTED_ERRORS:
        shown.append(f"  … and {len(errors) - MAX_REPORTED_ERRORS} more")
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    return "\n".join([f"{path}: {count}", *shown])
