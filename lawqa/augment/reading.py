"""Statutes as plain text to read: next-token records, and their packing into sequences.

Loss falls on every token. An article is never cut unless it is longer than a sequence; which articles share a
sequence is decided by best-fit decreasing (Ding et al., Fewer Truncations Improve Language Modeling, 2024,
arXiv 2404.10830), which fills sequences almost wholly without cutting what fits.
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lawqa.augment.provisions import deleted, number_in_words, sentences
from lawqa.errors import ConfigError, DataError
from lawqa.files import first_json_line, json_lines
from lawqa.prompting import ChatTokenizer
from lawqa.settings import LawPart
from lawqa.statutes.articles import Article

SOURCE = "reading"
SCHEMA_VERSION = 1
DOCUMENT_END = "<|endoftext|>"
"""What Qwen's models saw between documents when they were pretrained (tokenizer notes of QwenLM/Qwen)."""

MAIN_ONLY: tuple[LawPart, ...] = ("main",)
"""Which parts of a law are read unless kept otherwise: supplementary provisions and forms say little."""

MIN_SEQUENCE = 16
"""The shortest sequence, in tokens, that can hold any character and the end of a document."""


@dataclass(frozen=True)
class ReadingRecord:
    """The text of one article."""

    article_id: str
    law: str
    """The statute's title."""
    text: str
    """All of it under the data set's headings, captions and numbers included."""
    source: str = SOURCE
    """What the record was made from."""


@dataclass(frozen=True)
class Segment:
    """An article, or a piece of a long one, within a sequence."""

    article_id: str
    piece: int
    """Which piece of it, from 0."""
    start: int
    """Where it begins among the sequence's tokens; it ends where the next one begins."""


@dataclass(frozen=True)
class PackedSequence:
    """Articles that are read one after another in one sequence."""

    input_ids: list[int]
    """Shape [tokens]."""
    labels: list[int]
    """The same as `input_ids`: all of it is learnt; shape [tokens]."""
    segments: tuple[Segment, ...]
    """What is where, in order."""


def reading_records(
    articles: Iterable[Article], *, parts: Collection[LawPart] = MAIN_ONLY
) -> Iterator[ReadingRecord]:
    """Yield a record for each article of these parts that is not repealed."""
    for article in articles:
        kept = [p for p in article.paragraphs if not deleted(p.text)]
        if article.part in parts and kept:
            yield ReadingRecord(article.id, article.law_title, _text(article))


def write_readings(path: Path, records: Iterable[ReadingRecord]) -> int:
    """Write records as JSONL, one a line; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(json.dumps(_row(record), ensure_ascii=False) + "\n")
            count += 1
    return count


def holds_readings(path: Path) -> bool:
    """Return whether a file's first line is a reading record.

    Raises:
        DataError: the file cannot be read.
    """
    if path.suffix != ".jsonl":
        return False
    first = first_json_line(path)
    return isinstance(first, dict) and first.get("source") == SOURCE and "article_id" in first


def read_readings(path: Path, first: int | None = None) -> tuple[ReadingRecord, ...]:
    """Return the reading records of a file.

    Args:
        path: the file.
        first: read only the first N; None for all.

    Raises:
        DataError: the file cannot be read, or a line is no reading record.
    """
    records = []
    with json_lines(path) as lines:
        for number, row in islice(lines, first):
            try:
                records.append(_record(row))
            except (KeyError, TypeError, ValueError) as problem:
                raise DataError(
                    f"{path}: line {number} is not a reading record: {problem!s}",
                    "lawqa augment reading  writes them",
                ) from None
    return tuple(records)


def pack_readings(
    records: Sequence[ReadingRecord],
    tokenizer: ChatTokenizer,
    max_seq_length: int,
    *,
    document_end: str = DOCUMENT_END,
) -> list[PackedSequence]:
    """Return all records as sequences of token ids; nothing is lost, nothing appears twice.

    Every article is followed by the token that ends a document. One that is longer than a sequence is cut
    at the ends of lines, then of sentences, and only a longer sentence anywhere.

    Args:
        records: the articles.
        tokenizer: the tokenizer of the model that reads.
        max_seq_length: the most tokens of a sequence.
        document_end: the text of the token that ends a document in the model's pretraining.

    Returns:
        The sequences, fullest first as packed; each at most `max_seq_length` long.

    Raises:
        ConfigError: the sequence is too short, or the tokenizer does not know `document_end` as one token.
    """
    end = tokenizer.encode(document_end, add_special_tokens=False)
    if len(end) != 1:
        raise ConfigError(
            f"{document_end!r} is {len(end)} tokens of this tokenizer, expected one",
            "name the token that ends a document for this model",
        )
    if max_seq_length < MIN_SEQUENCE:
        raise ConfigError(f"max_seq_length {max_seq_length}: expected {MIN_SEQUENCE} or more")
    pieces: list[tuple[str, int, list[int]]] = []
    for record in records:
        cut = list(_cut(record.text, tokenizer, max_seq_length - 1))
        cut[-1] = cut[-1] + end
        pieces += [(record.article_id, number, ids) for number, ids in enumerate(cut)]
    return [_sequence([pieces[i] for i in bin_]) for bin_ in _best_fit(pieces, max_seq_length)]


def _text(article: Article) -> str:
    lines = [f"## {article.law_title}", f"### {_heading(article)}{article.caption}"]
    for place, paragraph in enumerate(article.paragraphs, start=1):
        if len(article.paragraphs) > 1:
            number = place if paragraph.num is None else paragraph.num
            lines.append(f"#### 第{number}項")
        lines.append(paragraph.text)
    return "\n".join(lines)


def _heading(article: Article) -> str:
    """Name articles, such as 第5条, 附則第3条, 第15条及び第16条; empty where an article has no number."""
    number = article.article or ""
    if ":" in number:
        first, last = number.split(":", 1)
        name = f"{number_in_words(first, '条')}から{number_in_words(last, '条')}まで"
    else:
        name = "及び".join(number_in_words(part, "条") for part in number.split(",") if part)
    return f"附則{name}" if article.part == "suppl" else name


def _cut(text: str, tokenizer: ChatTokenizer, limit: int) -> Iterator[list[int]]:
    """Yield the text as pieces of at most `limit` tokens, cut as late and as gently as can be."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    if len(ids) <= limit:
        yield ids
        return
    pending: list[int] = []
    for part in _parts(text):
        for piece in _cut(part, tokenizer, limit):
            if len(pending) + len(piece) > limit:
                yield pending
                pending = []
            pending = pending + piece
    yield pending


def _parts(text: str) -> Sequence[str]:
    """Return a text in smaller parts that join to it again: lines, else sentences, else halves."""
    lines = text.splitlines(keepends=True)
    if len(lines) > 1:
        return lines
    line = text.rstrip("\n")
    of_line = sentences(line)
    if len(of_line) > 1 and "".join(of_line) == line:
        return (*of_line[:-1], of_line[-1] + text[len(line) :])
    middle = len(text) // 2
    return text[:middle], text[middle:]


def _best_fit(pieces: Sequence[tuple[str, int, list[int]]], max_seq_length: int) -> list[list[int]]:
    """Return which pieces go together: each, longest first, where the least room is left that holds it."""
    order = sorted(range(len(pieces)), key=lambda i: (-len(pieces[i][2]), i))
    bins: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (tokens left, bin), sorted
    for index in order:
        size = len(pieces[index][2])
        place = bisect_left(room, (size, -1))
        if place == len(room):
            bins.append([index])
            insort(room, (max_seq_length - size, len(bins) - 1))
        else:
            left, target = room.pop(place)
            bins[target].append(index)
            insort(room, (left - size, target))
    return [sorted(members) for members in bins]


def _sequence(pieces: Iterable[tuple[str, int, list[int]]]) -> PackedSequence:
    ids: list[int] = []
    segments = []
    for article_id, piece, tokens in pieces:
        segments.append(Segment(article_id, piece, len(ids)))
        ids += tokens
    return PackedSequence(ids, list(ids), tuple(segments))


def _row(record: ReadingRecord) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "source": record.source,
        "article_id": record.article_id,
        "law": record.law,
        "text": record.text,
    }


def _record(row: dict[str, object]) -> ReadingRecord:
    if row["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {row['schema_version']}, expected {SCHEMA_VERSION}")
    if row["source"] != SOURCE:
        raise ValueError(f"source {row['source']!r}, expected {SOURCE!r}")
    article_id, law, text = row["article_id"], row["law"], row["text"]
    if not (isinstance(article_id, str) and isinstance(law, str) and isinstance(text, str)):
        raise TypeError("article_id, law and text must be texts")
    return ReadingRecord(article_id, law, text)
