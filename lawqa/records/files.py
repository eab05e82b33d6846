"""Training records on disk: lawqa's JSONL, question files, and the lab's old records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lawqa.amounts import counted
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonDict, first_json_line, json_lines, written_whole
from lawqa.prompting import Message, PromptSpec, spec_hash
from lawqa.prompts import STANDARD, wording_of
from lawqa.questions import from_sample, read_questions, to_sample
from lawqa.records.record import (
    CHAT_SPEC,
    FOREIGN_SPECS,
    LEGACY_SPEC,
    TrainingRecord,
    make_record,
)
from lawqa.templates import Role

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class LoadedRecords:
    """The records of a file, and what a user should know about them."""

    records: tuple[TrainingRecord, ...]
    """In file order."""
    warnings: tuple[str, ...] = ()
    """What is lost or unknown, a sentence each."""


def write_records(path: Path, records: Iterable[TrainingRecord]) -> None:
    """Write records as JSONL, one a line."""
    with written_whole(path) as file:
        for record in records:
            file.write(json.dumps(record_to_json(record), ensure_ascii=False) + "\n")


def load_records(path: Path, first: int | None = None, *, wording: str = STANDARD) -> LoadedRecords:
    """Return the training records of a file.

    Reads lawqa's records, pairs of them (`records.pairs`, of which the right ones are taken), the lab's old
    `{"input", "output", "meta"}` records, chats (`{"messages": [...]}`, of which the last turn, the
    assistant's, is learnt), and question files, from which direct closed-book records are made.

    Args:
        path: the file.
        first: read only the first N records; None for all.
        wording: of the prompts. Records say it themselves; another one than the standard is wanted of them.

    Raises:
        DataError: the file cannot be read or is none of these.
        ConfigError: records are worded in another way than is wanted, or no wording has this id.
    """
    if path.suffix != ".jsonl":
        return _from_questions(path, first, wording)
    head = first_json_line(path)
    if isinstance(head, dict) and "messages" in head and "schema_version" not in head:
        return LoadedRecords(_each(path, first, _from_chat))
    if isinstance(head, dict) and "messages" in head:
        return _worded(path, LoadedRecords(_each(path, first, record_from_json)), wording)
    if is_pair(head):
        right = _each(path, first, lambda line: record_from_json(line["right"]))
        return _worded(path, LoadedRecords(right, (_RIGHT_ONLY.format(path=path),)), wording)
    if isinstance(head, dict) and {"input", "output"} <= head.keys():
        legacy = LoadedRecords(_each(path, first, _from_legacy), _LEGACY_WARNINGS)
        return _worded(path, legacy, wording)
    return _from_questions(path, first, wording)


def holds_records(path: Path) -> bool:
    """Return whether a file holds training records, lawqa's, pairs of them or the lab's old ones, and no
    questions.

    Raises:
        DataError: the file cannot be read.
    """
    if path.suffix != ".jsonl":
        return False
    first = first_json_line(path)
    if is_pair(first):
        return True
    return isinstance(first, dict) and ("messages" in first or {"input", "output"} <= first.keys())


def is_pair(line: object) -> bool:
    """Return whether a line of a file is a pair of records."""
    return isinstance(line, dict) and {"right", "wrong"} <= line.keys()


def _worded(path: Path, loaded: LoadedRecords, wording: str) -> LoadedRecords:
    """Return the records, which are put as asked for: nobody trains on other words than those
    that he named.
    """
    if wording == STANDARD:
        return loaded
    others = {
        r.prompt_spec
        for r in loaded.records
        if r.wording != wording_of(wording).id and r.prompt_spec != CHAT_SPEC
    }
    if others:
        raise ConfigError(
            f"--prompt {wording}: the prompts of {path} are worded otherwise: {', '.join(sorted(others))}",
            f"lawqa records --prompt {wording}  makes records in this wording; or leave --prompt out, as "
            "records say how they are worded",
        )
    return loaded


def _from_questions(path: Path, first: int | None, wording: str) -> LoadedRecords:
    spec = PromptSpec(wording=wording_of(wording).id)
    records = tuple(make_record(question, spec) for question in read_questions(path)[:first])
    return LoadedRecords(
        records,
        (f"{path} holds questions: made {counted(len(records), f'{spec.id} record')} of them",),
    )


def _each(
    path: Path, first: int | None, convert: Callable[[JsonDict], TrainingRecord]
) -> tuple[TrainingRecord, ...]:
    records = []
    with json_lines(path) as lines:
        for number, item in islice(lines, first):
            try:
                records.append(convert(item))
            except (KeyError, TypeError, ValueError, ConfigError) as problem:
                why = f"key {problem} is missing" if isinstance(problem, KeyError) else str(problem)
                raise DataError(
                    f"{path}: line {number} is not a training record: {why}",
                    "lawqa records  writes them",
                ) from None
    return tuple(records)


def record_to_json(record: TrainingRecord) -> JsonDict:
    """Return what a line says of a record."""
    return {
        "schema_version": SCHEMA_VERSION,
        "messages": [{"role": m.role, "content": m.content} for m in record.messages],
        "answer": record.answer,
        "question_id": record.question_id,
        "order": record.order,
        "prompt_spec": record.prompt_spec,
        "prompt_hash": record.prompt_hash,
        "fingerprint": record.fingerprint,
        "source": record.source,
        "group": record.group,
        "retrieved": record.retrieved,
        "origin": to_sample(record.origin) if record.origin else None,
    }


def record_from_json(item: JsonDict) -> TrainingRecord:
    """Return the record that a line holds.

    Raises:
        KeyError: a key is missing.
        TypeError: a value is of another type.
        ValueError: it is of another layout, or its prompt is worded otherwise today.
        ConfigError: no prompt spec has its id.
    """
    if item["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {item['schema_version']}, expected {SCHEMA_VERSION}")
    spec_id, prompt_hash = item["prompt_spec"], item.get("prompt_hash", "")
    if spec_id not in FOREIGN_SPECS and prompt_hash != spec_hash(PromptSpec.from_id(spec_id), ""):
        raise ValueError(
            f"{spec_id} was worded differently when it was written; make the records again"
        )
    return TrainingRecord(
        messages=tuple(Message(m["role"], _text(m["content"])) for m in item["messages"]),
        answer=_text(item["answer"]),
        question_id=_text(item["question_id"]),
        order=int(item["order"]),
        prompt_spec=item["prompt_spec"],
        prompt_hash=prompt_hash,
        fingerprint=_text(item["fingerprint"]),
        source=_text(item["source"]),
        group=_text(item.get("group", "")),
        retrieved=_text(item.get("retrieved", "")),
        origin=from_sample(item["origin"]) if item.get("origin") is not None else None,
    )


_RIGHT_ONLY = (
    "{path} holds pairs: of each only the right answer is taken; lawqa prefer learns from both"
)

_LEGACY_WARNINGS = (
    "the file holds the lab's old input/output records: their prompts were not written by lawqa, so "
    "evaluation will refuse lawqa's prompts for this adapter unless --allow-prompt-mismatch",
    "old records do not say which questions they hold: evaluation cannot refuse trained-on questions",
)


def _from_legacy(item: JsonDict) -> TrainingRecord:
    return TrainingRecord(
        messages=(Message("user", _text(item["input"])),),
        answer=_text(item["output"]).strip(),
        question_id="",
        order=1,
        prompt_spec=LEGACY_SPEC,
        source="lab-legacy",
    )


def _from_chat(item: JsonDict) -> TrainingRecord:
    *before, last = (Message(_role(m["role"]), _text(m["content"])) for m in item["messages"])
    if last.role != "assistant" or not last.content.strip():
        raise ValueError("the last turn of a chat must be the assistant's, with a text")
    if not any(message.role == "user" for message in before):
        raise ValueError("a chat needs a turn of the user before the assistant's")
    return TrainingRecord(
        messages=tuple(before),
        answer=last.content,
        question_id="",
        order=1,
        prompt_spec=CHAT_SPEC,
        source=CHAT_SPEC,
    )


def _role(value: object) -> Role:
    if value == "system" or value == "user" or value == "assistant":
        return value
    raise ValueError(f"role {value!r}, expected system, user or assistant")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {type(value).__name__}")
    return value
