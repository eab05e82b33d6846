"""A record as token ids and labels, plain ints; what trains on them only pads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lawqa.errors import DataError
from lawqa.prompting import ChatTokenizer, end_of_turn, render
from lawqa.questions import MAX_REPORTED_ERRORS
from lawqa.records.record import TrainingRecord

IGNORED = -100
"""The label of a position that carries no loss (PyTorch's `ignore_index`)."""


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
