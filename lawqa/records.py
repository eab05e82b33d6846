"""Training records: a question with its answer as chat text, then as token ids and labels.

The prompt part comes from `lawqa.prompting`, as in evaluation. Labels are built here, once, as plain ints;
what trains on them only pads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lawqa.errors import ConfigError, DataError
from lawqa.prompting import (
    ChatTokenizer,
    Message,
    PromptSpec,
    answer_text,
    build_prompt,
    end_of_turn,
    render,
)
from lawqa.questions import MAX_REPORTED_ERRORS, Question, fingerprint, json_lines, read_questions

IGNORED = -100
"""The label of a position that carries no loss (PyTorch's `ignore_index`)."""

SCHEMA_VERSION = 1
LEGACY_SPEC = "lab-legacy"
"""The prompt spec id of the lab's old records, whose prompts lawqa did not write."""


@dataclass(frozen=True)
class TrainingRecord:
    """One prompt with the answer that is to be learnt."""

    messages: tuple[Message, ...]
    """The chat up to and including the user's turn."""
    answer: str
    """The assistant's turn, without any end token."""
    question_id: str
    """The id of the question; empty where it is not known (the lab's old records)."""
    order: int
    """The number of the choice order shown."""
    prompt_spec: str
    """The id of the prompt spec that made the messages."""
    fingerprint: str = ""
    """`questions.fingerprint` of the question; empty where it is not known."""
    source: str = "question"
    """What the record was made from."""

    @property
    def key(self) -> str:
        """What error messages call this record."""
        return f"{self.question_id or 'unknown question'}#{self.order}"

    @property
    def thinking(self) -> bool:
        """Whether the prompt leaves the think block open."""
        return self.prompt_spec != LEGACY_SPEC and PromptSpec.from_id(self.prompt_spec).thinking


@dataclass(frozen=True)
class TokenizedRecord:
    """A record as a model is trained on it."""

    key: str
    """`TrainingRecord.key`, for messages."""
    input_ids: list[int]
    """Prompt, answer and end-of-turn token; shape [tokens]."""
    labels: list[int]
    """`IGNORED` on the prompt, the input ids on answer and end of turn; shape [tokens]."""

    @property
    def answer_tokens(self) -> int:
        """How many positions carry loss."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True)
class LoadedRecords:
    """The records of a file, and what a user should know about them."""

    records: tuple[TrainingRecord, ...]
    """In file order."""
    warnings: tuple[str, ...] = ()
    """What is lost or unknown, a sentence each."""


def make_record(question: Question, spec: PromptSpec, *, reasoning: str = "") -> TrainingRecord:
    """The record that teaches to answer this question as the spec asks.

    Raises:
        ConfigError: the spec wants reasoning and none is given, or wants a context that is not there.
    """
    if spec.thinking or (spec.mode == "cot" and not reasoning.strip()):
        raise ConfigError(
            f"{question.key}: a {spec.id} record needs real reasoning, and there is no source of it",
            "lawqa distill will sample reasoning from the base model; it comes with a later version. "
            "Until then: --mode direct",
        )
    return TrainingRecord(
        messages=build_prompt(question, spec).messages,
        answer=answer_text(question.gold, spec.mode, reasoning),
        question_id=question.id,
        order=question.order,
        prompt_spec=spec.id,
        fingerprint=fingerprint(question),
    )


def write_records(path: Path, records: Iterable[TrainingRecord]) -> None:
    """Write records as JSONL, one a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(json.dumps(_to_json(record), ensure_ascii=False) + "\n")


def load_records(path: Path) -> LoadedRecords:
    """The training records of a file.

    Reads lawqa's records, the lab's old `{"input", "output", "meta"}` records, and question files, from
    which direct closed-book records are made.

    Raises:
        DataError: the file cannot be read or is none of these.
    """
    if path.suffix != ".jsonl":
        return _from_questions(path)
    lines = list(json_lines(path))
    first = lines[0][1]
    if isinstance(first, dict) and "messages" in first:
        return LoadedRecords(_each(path, lines, _from_json))
    if isinstance(first, dict) and {"input", "output"} <= first.keys():
        return LoadedRecords(_each(path, lines, _from_legacy), _LEGACY_WARNINGS)
    return _from_questions(path)


def tokenize_record(
    record: TrainingRecord, tokenizer: ChatTokenizer, max_seq_length: int
) -> TokenizedRecord:
    """Token ids and labels of one record.

    Args:
        record: the record.
        tokenizer: the tokenizer of the model that is trained.
        max_seq_length: the most tokens that prompt, answer and end token may have together.

    Raises:
        DataError: the prompt's tokens are not an exact prefix of all tokens, the answer is empty, or
            the record is too long. Nothing is ever cut off.
    """
    prompt = render(record.messages, tokenizer, thinking=record.thinking)
    if not record.answer.strip():
        raise DataError(f"{record.key}: the answer is empty")
    end = tokenizer.encode(end_of_turn(tokenizer), add_special_tokens=False)
    if len(end) != 1:
        raise DataError(f"{record.key}: the end of a turn is {len(end)} tokens, expected one")
    prompt_ids = tokenizer.encode(prompt, add_special_tokens=False)
    answered = tokenizer.encode(prompt + record.answer, add_special_tokens=False)
    input_ids = answered + end
    start = len(prompt_ids)
    if answered[:start] != prompt_ids or len(answered) == start:
        raise DataError(
            f"{record.key}: the prompt's tokens are not a prefix of the prompt with its answer",
            "the tokenizer merges across the border; begin the answer with another character",
        )
    if len(input_ids) > max_seq_length:
        raise DataError(
            f"{record.key}: {len(input_ids)} tokens, more than --max-seq-length {max_seq_length}",
            f"--max-seq-length {len(input_ids)} or more; questions and answers are never cut",
        )
    return TokenizedRecord(record.key, input_ids, [IGNORED] * start + input_ids[start:])


def tokenize_records(
    records: Sequence[TrainingRecord], tokenizer: ChatTokenizer, max_seq_length: int
) -> list[TokenizedRecord]:
    """All records as token ids and labels.

    Raises:
        DataError: some records cannot be trained on; all of them are named, 20 at most.
    """
    tokenized: list[TokenizedRecord] = []
    problems: list[DataError] = []
    for record in records:
        try:
            tokenized.append(tokenize_record(record, tokenizer, max_seq_length))
        except DataError as problem:
            problems.append(problem)
    if problems:
        lines = [f"  {problem.message}" for problem in problems[:MAX_REPORTED_ERRORS]]
        more = len(problems) - len(lines)
        lines += [f"  … and {more} more"] if more else []
        raise DataError(
            "\n".join([f"{len(problems)} of {len(records)} records cannot be trained on", *lines]),
            problems[-1].hint,
        )
    return tokenized


def masked_text(record: TokenizedRecord, tokenizer: ChatTokenizer) -> str:
    """A record token by token; what carries loss stands apart.

    A character that takes several tokens is shown once, with their number.
    """
    start = len(record.input_ids) - record.answer_tokens
    parts = {"no loss": record.input_ids[:start], "loss": record.input_ids[start:]}
    lines = [record.key]
    for name, ids in parts.items():
        lines += [f"  {name}, {len(ids)} tokens:", f"    {'│'.join(_pieces(ids, tokenizer))}"]
    return "\n".join(lines)


def _pieces(ids: Sequence[int], tokenizer: ChatTokenizer) -> Iterator[str]:
    pending: list[int] = []
    for token in ids:
        pending.append(token)
        text = tokenizer.decode(pending).replace("\n", "⏎")
        if "\ufffd" not in text:
            yield text if len(pending) == 1 else f"{text}×{len(pending)}"
            pending = []
    if pending:
        yield f"{len(pending)} tokens of an unfinished character"


def _from_questions(path: Path) -> LoadedRecords:
    spec = PromptSpec()
    records = tuple(make_record(question, spec) for question in read_questions(path))
    return LoadedRecords(
        records, (f"{path} holds questions: made {len(records)} {spec.id} records of them",)
    )


def _each(
    path: Path,
    lines: Sequence[tuple[int, Any]],
    convert: Callable[[dict[str, Any]], TrainingRecord],
) -> tuple[TrainingRecord, ...]:
    records = []
    for number, item in lines:
        try:
            records.append(convert(item))
        except (KeyError, TypeError, ValueError, ConfigError) as problem:
            raise DataError(
                f"{path}: line {number} is not a training record: {problem!s}",
                "lawqa records  writes them",
            ) from None
    return tuple(records)


def _to_json(record: TrainingRecord) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "messages": [{"role": m.role, "content": m.content} for m in record.messages],
        "answer": record.answer,
        "question_id": record.question_id,
        "order": record.order,
        "prompt_spec": record.prompt_spec,
        "fingerprint": record.fingerprint,
        "source": record.source,
    }


def _from_json(item: dict[str, Any]) -> TrainingRecord:
    if item["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {item['schema_version']}, expected {SCHEMA_VERSION}")
    PromptSpec.from_id(item["prompt_spec"])
    return TrainingRecord(
        messages=tuple(Message(m["role"], _text(m["content"])) for m in item["messages"]),
        answer=_text(item["answer"]),
        question_id=_text(item["question_id"]),
        order=int(item["order"]),
        prompt_spec=item["prompt_spec"],
        fingerprint=_text(item["fingerprint"]),
        source=_text(item["source"]),
    )


_LEGACY_WARNINGS = (
    "the file holds the lab's old input/output records: their prompts were not written by lawqa, so "
    "evaluation will refuse lawqa's prompts for this adapter unless --allow-prompt-mismatch",
    "old records do not say which questions they hold: evaluation cannot refuse trained-on questions",
)


def _from_legacy(item: dict[str, Any]) -> TrainingRecord:
    return TrainingRecord(
        messages=(Message("user", _text(item["input"])),),
        answer=_text(item["output"]).strip(),
        question_id="",
        order=1,
        prompt_spec=LEGACY_SPEC,
        source="lab-legacy",
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {type(value).__name__}")
    return value
