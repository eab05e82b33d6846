"""Whether an index gives questions away: it prints one, or holds a copy of their own contexts.

Statutes and guidelines that questions are about are what an index is for, and no leak. A leak is a
passage that prints a question, its text or its choices (by the rules that `lawqa data leaks` has for
retrieved contexts), and a document of which nearly all is quoted in the questions' own contexts: with such a
copy a search finds exactly what is needed and nothing beside it.

The whole index is audited against the questions that its build names; what a search shows for a question is
audited whenever contexts are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from lawqa.amounts import counted
from lawqa.errors import DataError
from lawqa.pipelines.corpus.leaks import questions_printed
from lawqa.questions import Question
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.indexing import DOCUMENT
from lawqa.splits import Leak, Reason, item_of_question, item_of_text
from lawqa.splits.audit_items import MIN_PASSAGE
from lawqa.splits.containment import grams
from lawqa.statutes.articles import Article

COPIED = 0.8
"""A document is a copy if this share of its n-grams is quoted in the questions' own contexts.

Of a guideline that is longer than what a question quotes of it, this share is the part that is quoted."""

LEAK_IN_INDEX = "LEAK IN THE INDEX"
"""What the note of a run begins with whose index gave questions away."""

_AT_ONCE = 500
_SHOWN = 3


@dataclass
class IndexAudit:
    """Compares what an index holds with questions.

    Args:
        questions: those that must not be given away.
        index: the index whose contexts are audited; None to audit what it is made of.
    """

    questions: Sequence[Question]
    index: StatuteIndex | None = None
    _copies: dict[str, Leak | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Gather what the questions' own contexts quote."""
        self._items = [item_of_question(question) for question in self.questions]
        self._quoted = [grams([item.passage]) for item in self._items]
        self._of_all = frozenset[str]().union(*self._quoted)

    def whole(self, articles: Iterator[Article]) -> Iterator[Leak]:
        """Yield all leaks of the articles and documents that an index is made of.

        Args:
            articles: read once.
        """
        documents: dict[str, list[str]] = {}
        while batch := list(islice(articles, _AT_ONCE)):
            texts = [(article.id, _text(article)) for article in batch]
            yield from questions_printed(texts, self._items)
            for article, (_, text) in zip(batch, texts, strict=True):
                if article.law_id.startswith(DOCUMENT):
                    documents.setdefault(article.law_id, []).append(text)
        for name, sections in documents.items():
            copy = self._copy(name, sections)
            if copy is not None:
                yield copy

    def shown(self, question: Question, context: str, laws: Iterable[str]) -> Leak | None:
        """Return the plainest leak of what a search shows for a question; None where there is none.

        Args:
            question: the question.
            context: the context that was made for it.
            laws: the ids of the statutes and documents that it quotes.
        """
        name = f"the context retrieved for {question.key}"
        for leak in questions_printed([(name, context)], [question]):
            return leak
        for law in sorted({law for law in laws if law.startswith(DOCUMENT)}):
            copy = self._copy_in_index(law)
            if copy is not None:
                return copy
        return None

    def _copy_in_index(self, law: str) -> Leak | None:
        index = self.index
        if index is None:
            raise ValueError("what is shown is audited with its index")
        if law not in self._copies:
            positions = np.flatnonzero(index.law_of == index.law_ids.index(law)).tolist()
            sections = [_text(index.article(position)) for position in positions]
            self._copies[law] = self._copy(law, sections)
        return self._copies[law]

    def _copy(self, name: str, sections: Sequence[str]) -> Leak | None:
        passage = item_of_text(name, "\n".join(sections)).passage
        held = grams([passage])
        if len(passage) < MIN_PASSAGE or not held:
            return None
        share = len(held & self._of_all) / len(held)
        if share < COPIED:
            return None
        nearest = max(range(len(self._quoted)), key=lambda i: (len(held & self._quoted[i]), -i))
        reason = Reason("near context", f"{share:.2f} of it quoted")
        return Leak(name, self.questions[nearest].key, (reason,))


def leak_note(leaks: Sequence[Leak], questions: int, *, allow_leak: bool | None) -> str:
    """Return what must be read first of contexts that give questions away.

    Args:
        leaks: one for each question that is given away; at least one.
        questions: how many questions there are.
        allow_leak: whether that is allowed; None where no flag allows it.

    Raises:
        DataError: it is not allowed.
    """
    message = given_away(leaks, questions)
    if not allow_leak:
        flag = "; --allow-leak scores them all the same, and the summary says so"
        raise DataError(
            message,
            "leave such documents out and build the index again; lawqa index build … --audit QUESTIONS  "
            f"names them all{flag if allow_leak is not None else ''}",
        )
    return f"{LEAK_IN_INDEX}: {message}; this accuracy says nothing about new questions"


def given_away(leaks: Sequence[Leak], questions: int) -> str:
    """Return how many questions an index gives away, and the first of them."""
    first = leaks[0]
    return (
        f"the index gives away {len(leaks)} of {counted(questions, 'question')}: {first.train} -> "
        f"{first.test}: "
        f"{reasons_text(first)}"
    )


def refuse(leaks: Sequence[Leak]) -> DataError:
    """Return the error of a build whose sources give questions away."""
    lines = [f"{leak.train} -> {leak.test}: {reasons_text(leak)}" for leak in leaks]
    more = len(lines) - _SHOWN
    shown = [*lines[:_SHOWN], *([f"… and {more} more"] if more > 0 else [])]
    return DataError(
        "\n".join(
            [f"{counted(len(leaks), 'passage gives', 'passages give')} questions away:", *shown]
        ),
        "leave them out of --articles and --documents; --allow-leak indexes them all the same, and the index "
        "and every evaluation with it say so",
    )


def reasons_text(leak: Leak) -> str:
    """Return all reasons of a leak in words."""
    return "; ".join(map(str, leak.reasons))


def _text(article: Article) -> str:
    return "\n".join([article.caption, *(paragraph.text for paragraph in article.paragraphs)])
