"""Audit any two files for leaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa.amounts import counted
from lawqa.augment.reading import holds_readings, read_readings
from lawqa.questions import Question, read_questions
from lawqa.records import holds_records, load_records
from lawqa.retrieval.documents.reading import SUFFIXES, read_documents
from lawqa.splits import (
    LINK_RULES,
    AuditItem,
    Leak,
    Reason,
    find_leaks,
    item_of_question,
    item_of_text,
)
from lawqa.statutes.articles import Article

_RETRIEVED = ", retrieved context"
"""What the name of an item ends in that was made of a record's retrieved context."""
_WITH_CHOICES = ", choices too"


@dataclass(frozen=True)
class AuditResult:
    """What the leak audit of two files found."""

    train: int
    """Items in the first file."""
    test: int
    """Items in the second file."""
    leaks: tuple[Leak, ...]
    """The leaking pairs."""
    notes: tuple[str, ...]
    """What the audit could not see."""


def audit_leaks(train: Path, test: Path) -> AuditResult:
    """Return every pair of an item of one file and an item of the other of which one gives the other away.

    A record is compared by the question it was made of, context and all, and by the text it holds. Of what a
    search put into it only the questions count that are printed there.

    Args:
        train: questions, records from `lawqa records` (also the lab's old ones), readings of statutes; or a
            document such as a guideline, or a directory of them, section by section.
        test: the same.

    Raises:
        DataError: a file cannot be read.
    """
    notes: list[str] = []
    left, right = read_items(train, notes), read_items(test, notes)
    return AuditResult(
        train=len({_name(item) for item in left}),
        test=len({_name(item) for item in right}),
        leaks=leaks_of_items(left, right),
        notes=tuple(notes),
    )


def leaks_of_items(
    train: Sequence[Question | AuditItem], test: Sequence[Question | AuditItem]
) -> tuple[Leak, ...]:
    """Run `find_leaks` on what `read_items` gives: statutes that a search found are no leak."""
    return tuple(leak for leak in find_leaks(train, test) if _counts(leak))


def leaks_of_training(
    trained_on: Iterable[Path], questions: Sequence[Question]
) -> tuple[Leak, ...]:
    """Return the questions that what a model was trained on gives away.

    Statutes that it read are none of it (`adapters.statutes_read`), but a question that is printed there is.

    Raises:
        DataError: a file cannot be read.
    """
    items: list[Question | AuditItem] = []
    printed: tuple[Leak, ...] = ()
    for path in trained_on:
        if holds_readings(path):
            texts = ((f"article {r.article_id}", r.text) for r in read_readings(path))
            printed += questions_printed(texts, questions)
        else:
            items += read_items(path, [])
    return printed + (leaks_of_items(items, questions) if items else ())


def read_items(path: Path, notes: list[str]) -> list[Question | AuditItem]:
    """Return what a file of questions or records holds, for `leaks_of_items`; what cannot be seen goes to
    notes.

    Raises:
        DataError: the file cannot be read.
    """
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        return [_section(article) for article in read_documents(path)]
    if holds_readings(path):
        return [item_of_text(f"article {r.article_id}", r.text) for r in read_readings(path)]
    if not holds_records(path):
        return list(read_questions(path))
    records = load_records(path).records
    items: list[Question | AuditItem] = []
    for number, record in enumerate(records, start=1):
        name = f"record {number} ({record.key})"
        text = "\n".join([*(message.content for message in record.messages), record.answer])
        if record.origin and record.retrieved:
            # What a search found is not what a question is about: questions that have nothing in common
            # are shown the same article, in training as in evaluation.
            text = text.replace(record.retrieved, "")
            items += _retrieved_items(name, record.retrieved)
        items.append(
            item_of_text(
                name, text, question_id=record.question_id, question_print=record.fingerprint
            )
        )
        if record.origin:
            items.append(replace(item_of_question(record.origin), name=name))
    unknown = sum(record.origin is None for record in records)
    if unknown:
        notes.append(
            f"{path}: {counted(unknown, 'record')} without the question behind it, compared "
            "by the text alone, which need not show what the question is about"
        )
    return items


def questions_printed(
    texts: Iterable[tuple[str, str]], questions: Sequence[Question | AuditItem]
) -> tuple[Leak, ...]:
    """Return the questions that texts such as passages of an index print, by their own words or with their
    choices.

    Args:
        texts: each with the name that reports call it.
        questions: the questions, or what `item_of_question` made of them.
    """
    items = [item for name, text in texts for item in _retrieved_items(name, text)]
    pairs = {
        (_name_of(leak.train), leak.test): replace(leak, train=_name_of(leak.train))
        for leak in reversed(leaks_of_items(items, questions))
    }
    return tuple(reversed(pairs.values()))


def _section(article: Article) -> AuditItem:
    text = "\n".join([article.caption, *(paragraph.text for paragraph in article.paragraphs)])
    return item_of_text(article.id, text)


def _retrieved_items(name: str, context: str) -> Iterator[AuditItem]:
    """Yield what a context that a search found can print of a question: its own words, or those with its
    choices.

    One item each, since of two reasons for one pair only the plainer is reported.
    """
    whole = replace(item_of_text(name + _RETRIEVED, context), articles=frozenset())
    yield replace(whole, asked=(), choices=())
    yield replace(whole, name=f"{name}{_WITH_CHOICES}{_RETRIEVED}", passage="")


def _counts(leak: Leak) -> bool:
    """Return whether a leak is one: items may share the statutes that a search found, but not a question
    there.
    """
    retrieved = any(name.endswith(_RETRIEVED) for name in (leak.train, leak.test))
    return not retrieved or any(map(_prints, leak.reasons))


def _prints(reason: Reason) -> bool:
    if reason.kind == "near question":
        return float(reason.detail) >= LINK_RULES.question_text
    return reason.kind == "question text"


def _name(item: Question | AuditItem) -> str:
    return item.key if isinstance(item, Question) else _name_of(item.name)


def _name_of(name: str) -> str:
    """Return what an item is made of, without which part of it."""
    return name.split(_RETRIEVED)[0].split(_WITH_CHOICES)[0]
