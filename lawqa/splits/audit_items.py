"""What a question or a training text holds that could give away another question.

Texts are compared after NFKC, without white space, and with the numbers of articles in Arabic digits, so that
full-width digits, kanji numerals and line breaks hide nothing. Nearness is containment: the share of the
shorter text's character n-grams that the longer one holds (Broder, On the resemblance and containment of
documents, 1997). A paragraph quoted inside a longer excerpt is found that way, which resemblance (Jaccard)
would miss.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lawqa.choices import LABELS
from lawqa.questions import Question, fingerprint
from lawqa.splits.containment import NGRAM
from lawqa.statutes.article_names import ParagraphName
from lawqa.statutes.folding import fold
from lawqa.statutes.headings import quotations, quoted_lines
from lawqa.statutes.law_names import canonical_title
from lawqa.statutes.normalise import canonical

MAIN_SHARE = 0.1
"""A paragraph is a main one of a context where it holds at least this share of the quoted text …"""

FEW_PARAGRAPHS = 6
"""… or where the context quotes no more paragraphs than this (lawqa_jp's quote 1 to 5).

A question on a long list of articles could be answered wrongly with any one of them known; it must not pull
together all questions on each of them.
"""

MIN_PASSAGE = 40
"""A context shorter than this, in characters, is compared word for word only: it may be a stock clause."""

_CHOICE_LABEL = re.compile(r"[a-d][ \u3000]+")


@dataclass(frozen=True)
class AuditItem:
    """Everything by which one item can give another away; all texts canonical."""

    name: str
    """What reports call the item."""
    id: str = ""
    """The question's id; empty where it is not known."""
    fingerprint: str = ""
    """`questions.fingerprint`; empty where it is not known."""
    context: str = ""
    """The context with its headings; empty for a training text, whose context has no known borders."""
    passage: str = ""
    """What is searched for near-same statute text: the context without headings, or the whole text."""
    asked: tuple[str, ...] = ()
    """What is searched for near-same questions: text and choices, or the whole text and its lines."""
    choices: tuple[str, ...] = ()
    """The choices alone, or the same as `asked`."""
    stem: str = ""
    """The question's text alone; empty for a training text."""
    right: str = ""
    """The right choice; empty for a training text."""
    articles: frozenset[ParagraphName] = frozenset()
    """The main paragraphs that are quoted, each under its statute's canonical title."""
    loose: bool = False
    """Whether this is a training text: where context, question and choices begin and end is not known."""


def item_of_question(question: Question) -> AuditItem:
    """Return what a question holds."""
    choices = tuple(sorted(map(canonical, question.choices)))
    stem = canonical(question.text)
    return AuditItem(
        name=question.key,
        id=question.id,
        fingerprint=fingerprint(question),
        context=canonical(question.context),
        passage=canonical("\n".join(quoted_lines(question.context))),
        asked=(stem, *choices),
        choices=choices,
        stem=stem,
        right=canonical(question.choices[LABELS.index(question.gold)]),
        articles=main_articles(question.context),
    )


def item_of_text(
    name: str, text: str, *, question_id: str = "", question_print: str = ""
) -> AuditItem:
    """Return what a training text holds, such as the messages and the answer of a record.

    Args:
        name: what reports call it.
        text: all of it.
        question_id: the id of the question it was made of, if any.
        question_print: the fingerprint of that question, if any.
    """
    whole = canonical("\n".join(quoted_lines(text)))
    lines = (_CHOICE_LABEL.sub("", line.strip(), count=1) for line in text.split("\n"))
    short = {line for line in map(canonical, lines) if 0 < len(line) < NGRAM}
    segments = (whole, *sorted(short)) if whole else ()
    return AuditItem(
        name=name,
        id=question_id,
        fingerprint=question_print,
        passage=whole,
        asked=segments,
        choices=segments,
        articles=main_articles(text),
        loose=True,
    )


def main_articles(context: str) -> frozenset[ParagraphName]:
    """Return the paragraphs that a context is about: all where it quotes few, else those with a
    real share.
    """
    quoted = quotations(context)
    total = sum(len(fold(line)) for line in quoted_lines(context))
    return frozenset(
        replace(q.paragraph, law_title=canonical_title(q.paragraph.law_title))
        for q in quoted
        if len(quoted) <= FEW_PARAGRAPHS or q.characters >= MAIN_SHARE * total
    )
