"""A record as token ids and labels, plain ints; what trains on them only pads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lawqa.amounts import counted
from lawqa.errors import ConfigError, DataError
from lawqa.prompting import (
    ChatTokenizer,
    PromptSpec,
    build_prompt,
    end_of_turn,
    prompt_thought,
    render,
    spoken_after,
)
from lawqa.questions import MAX_REPORTED_ERRORS
from lawqa.records.record import FOREIGN_SPECS, TrainingRecord

IGNORED = -100
"""The label of a position that carries no loss (PyTorch's `ignore_index`)."""

_SENTENCE = re.compile(r"[^。\n]*(?:。|\n|$)(?<=.)", re.DOTALL)


@dataclass(frozen=True)
class TokenizedRecord:
    """A record as a model is trained on it."""

    key: str
    """`TrainingRecord.key`, for messages."""
    input_ids: list[int]
    """Prompt, answer and end-of-turn token; shape [tokens]."""
    labels: list[int]
    """`IGNORED` on the prompt, the input ids on answer and end of turn; shape [tokens]."""
    lost_tokens: int = 0
    """Tokens at the end of the context that were left out to fit."""
    reading: bool = False
    """Whether it is plain text to read, without prompt and turns."""

    @property
    def shortened(self) -> bool:
        """Whether the context was shortened to fit."""
        return self.lost_tokens > 0

    @property
    def answer_tokens(self) -> int:
        """How many positions carry loss."""
        return sum(label != IGNORED for label in self.labels)


def tokenize_record(
    record: TrainingRecord, tokenizer: ChatTokenizer, max_seq_length: int
) -> TokenizedRecord:
    """Return token ids and labels of one record.

    A record that is too long loses the end of its context, sentence by sentence, so that what comes first
    stays; never a word of the question, the choices or the answer.

    Args:
        record: the record.
        tokenizer: the tokenizer of the model that is trained.
        max_seq_length: the most tokens that prompt, answer and end token may have together; 0 for no limit.

    Raises:
        DataError: the prompt's tokens are not an exact prefix of all tokens, the answer is empty, or the
            record is too long even with the shortest context.
        ConfigError: the chat template gives no text, or ends the prompt inside an open think block and the
            record has no thinking.
    """
    whole = _tokenized(record, tokenizer)
    if max_seq_length == 0 or len(whole.input_ids) <= max_seq_length:
        return whole
    shorter = _with_shorter_context(record, tokenizer, max_seq_length)
    if shorter is None:
        raise DataError(
            f"{record.key}: {len(whole.input_ids)} tokens, more than --max-seq-length {max_seq_length}",
            f"--max-seq-length {len(whole.input_ids)} or more; questions and answers are never cut",
        )
    return replace(shorter, lost_tokens=len(whole.input_ids) - len(shorter.input_ids))


def _with_shorter_context(
    record: TrainingRecord, tokenizer: ChatTokenizer, max_seq_length: int
) -> TokenizedRecord | None:
    """Return the record with as many of its context's first sentences as fit; None where not
    even one does.
    """
    if record.origin is None or record.prompt_spec in FOREIGN_SPECS:
        return None
    spec = PromptSpec.from_id(record.prompt_spec)
    if spec.condition == "closed":
        return None
    retrieved = spec.condition == "rag"
    sentences = _SENTENCE.findall(record.retrieved if retrieved else record.origin.context)
    best: TokenizedRecord | None = None
    low, high = (
        1,
        len(sentences) - 1,
    )  # how many sentences stay: bisected, since tokens only grow with them
    while low <= high:
        middle = (low + high) // 2
        context = "".join(sentences[:middle]).rstrip()
        shorter = replace(record.origin, context=context)
        prompt = build_prompt(shorter, spec, retrieved=context if retrieved else "")
        tokenized = _tokenized(replace(record, messages=prompt.messages), tokenizer)
        if len(tokenized.input_ids) <= max_seq_length:
            best, low = tokenized, middle + 1
        else:
            high = middle - 1
    return best


def _tokenized(record: TrainingRecord, tokenizer: ChatTokenizer) -> TokenizedRecord:
    prompt = render(record.messages, tokenizer, thinking=record.thinking)
    if not record.answer.strip():
        raise DataError(f"{record.key}: the answer is empty")
    thought = prompt_thought(prompt)
    if thought is not None and not record.thinking:
        raise ConfigError(
            f"{record.key}: this model's chat template ends the prompt inside an open think block "
            f"({thought.opening}), and a {record.prompt_spec} record would teach the answer as a thought",
            "train on records with thinking (lawqa distill --thinking), or over a model whose template can "
            "leave the thinking out, such as Qwen/Qwen3-8B",
        )
    answer = spoken_after(prompt, record.answer)
    end = tokenizer.encode(end_of_turn(tokenizer), add_special_tokens=False)
    if len(end) != 1:
        raise DataError(f"{record.key}: the end of a turn is {len(end)} tokens, expected one")
    prompt_ids = tokenizer.encode(prompt, add_special_tokens=False)
    answered = tokenizer.encode(prompt + answer, add_special_tokens=False)
    input_ids = answered + end
    start = len(prompt_ids)
    if answered[:start] != prompt_ids or len(answered) == start:
        raise DataError(
            f"{record.key}: the prompt's tokens are not a prefix of the prompt with its answer",
            "the tokenizer merges across the border; begin the answer with another character",
        )
    return TokenizedRecord(record.key, input_ids, [IGNORED] * start + input_ids[start:])


def reading_record(key: str, input_ids: list[int]) -> TokenizedRecord:
    """Return plain text to read: everything is learnt but the first token, which nothing predicts."""
    return TokenizedRecord(key, input_ids, [IGNORED, *input_ids[1:]], reading=True)


def tokenize_records(
    records: Sequence[TrainingRecord], tokenizer: ChatTokenizer, max_seq_length: int
) -> list[TokenizedRecord]:
    """Return all records as token ids and labels.

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
            "\n".join(
                [
                    f"{len(problems)} of {counted(len(records), 'record')} cannot be trained on",
                    *lines,
                ]
            ),
            problems[-1].hint,
        )
    return tokenized


def shortened_note(records: Sequence[TokenizedRecord], max_seq_length: int) -> str:
    """Return how many records lost how much of their context to this limit, and what fixes it; empty for
    none.
    """
    lost = [record.lost_tokens for record in records if record.shortened]
    if not lost:
        return ""
    longest = max(len(record.input_ids) + record.lost_tokens for record in records)
    return (
        f"SHORTENED CONTEXTS: {len(lost)} of {counted(len(records), 'record')} lost {min(lost)} "
        f"to {max(lost)} tokens "
        f"at the end of their context to fit --max-seq-length {max_seq_length}; evaluation shows whole "
        f"contexts. --max-seq-length {longest}, or none, keeps all whole"
    )


def masked_text(
    record: TokenizedRecord, tokenizer: ChatTokenizer, colour: Callable[[str], str] = str
) -> str:
    """Return a record token by token; what carries loss is kept apart.

    A character that takes several tokens is shown once, with their number.

    Args:
        record: the record.
        tokenizer: the tokenizer that made it.
        colour: marks the text that carries loss.
    """
    start = len(record.input_ids) - record.answer_tokens
    parts = {"no loss": record.input_ids[:start], "loss": record.input_ids[start:]}
    lines = [record.key]
    for name, ids in parts.items():
        shown = "│".join(_pieces(ids, tokenizer))
        counted = "1 token" if len(ids) == 1 else f"{len(ids)} tokens"
        lines += [f"  {name}, {counted}:", f"    {colour(shown) if name == 'loss' else shown}"]
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
