"""lawqa_jp's items: read, written, and the checksums of their files.

The only module that knows the data set's Japanese keys. lawqa_jp comes from the Digital Agency of Japan
(github.com/digital-go-jp/lawqa_jp, Public Data License 1.0).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from lawqa.amounts import counted
from lawqa.choices import LABELS, Label
from lawqa.digests import sha256_of
from lawqa.errors import DataError
from lawqa.files import written_whole
from lawqa.questions.question import Question, choices_text
from lawqa.settings import StrPath, as_path

_ID, _ORDER, _CONTEXT, _TEXT = "ファイル名", "回答オーダーマップ番号", "コンテキスト", "問題文"

_INSTRUCTION, _CHOICES, _GOLD, _REFERENCES = "指示", "選択肢", "output", "references"

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")

_CHOICE_LINE = re.compile(r"([a-d])[ \u3000]+(\S.*)")


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


def name_in(item: object) -> str:
    """Return the id that an item of lawqa_jp's JSON says it has; empty where it says none."""
    name = item.get(_ID) if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""


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


def disagreements(question: Question, other: Question) -> Iterator[str]:
    """Yield in what two items of one id differ that are to be one question with its choices in two orders."""
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
