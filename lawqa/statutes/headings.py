"""The articles that a context quotes, read from its headings.

A context quotes statutes as Markdown: `## 法令名`, `### 第5条`, `#### 第6項`, `##### 第2号`. The data set is
not strict about it: levels vary, digits are full width or kanji, a title may be at the articles' level.
So a heading is known by its words, and its level only says what it closes. Where a statute's articles have no
headings, a line that begins with 第140条 opens one. What no law title is above, and headings that merely
mention an article (`金商法第2条（定義）関係` in a guideline), give no article.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lawqa.statutes.article_names import (
    LAW_TITLE,
    ArticleName,
    HeadingName,
    ParagraphName,
    named_articles,
    opened_article,
)
from lawqa.statutes.folding import fold
from lawqa.statutes.numerals import NUMBER, to_int


@dataclass(frozen=True)
class Quotation:
    """A paragraph and how much of it a context quotes."""

    paragraph: ParagraphName
    characters: int
    """Characters quoted, white space not counted."""


_HASHES = re.compile(r"\s*(#+)(.*)")
_PARAGRAPH = re.compile(rf"第({NUMBER})項(?:第{NUMBER}号)?(?:\(.*\))?")
_ITEM = re.compile(rf"第{NUMBER}号(?:[のノ]{NUMBER})*(?:\(.*\))?")
_DIVISION = re.compile(rf"第{NUMBER}(?:編|章|節|款|目).*")
_LAW_NUMBER = re.compile(r"\([^()]*第[^()]*号\)$")
_TITLE_LEVEL = 2  # where the data set puts titles of statutes and guidelines
_LOOSE_TITLE_LEVEL = 3  # where it puts one now and then
_LINE_LEVEL = 7  # of an article that a line of text opens: below all headings of Markdown


def quotations(context: str) -> tuple[Quotation, ...]:
    """Return the paragraphs that a context quotes, each once, in the order of their first quotation."""
    reader = _Reader()
    for _ in reader.lines_of(context):
        pass
    reader.close_article()
    return tuple(Quotation(paragraph, length) for paragraph, length in reader.lengths.items())


def quoted_paragraphs(context: str) -> tuple[ParagraphName, ...]:
    """Return the names of the paragraphs that a context quotes, each once, in order."""
    return tuple(quotation.paragraph for quotation in quotations(context))


def gold_articles(context: str) -> tuple[ArticleName, ...]:
    """Return the articles quoted in a context, each once, in order; none of supplementary provisions.

    No index holds the numbers of supplementary provisions, which repeat with every amendment.
    """
    names = (ArticleName(one.law_title, one.article) for one in quoted_paragraphs(context))
    return tuple(dict.fromkeys(name for name in names if name.article[0].isdigit()))


def article_lines(context: str) -> Iterator[str]:
    """Yield the lines of a context that are under the heading of an article."""
    reader = _Reader()
    for line in reader.lines_of(context):
        if reader.in_article:
            yield line


def article_passages(context: str) -> Iterator[str]:
    """Yield the text of a context under each heading inside an article, line after line,
    headings left out.
    """
    reader = _Reader()
    passage: list[str] = []
    headings = 0
    for line in reader.lines_of(context):
        if not reader.in_article:
            continue
        if reader.headings != headings and passage:
            yield "\n".join(passage)
            passage = []
        headings = reader.headings
        passage.append(line)
    if passage:
        yield "\n".join(passage)


def quoted_lines(context: str) -> Iterator[str]:
    """Yield the lines of a context that are not headings."""
    for line in context.split("\n"):
        if not _HASHES.fullmatch(unicodedata.normalize("NFKC", line)):
            yield line


class _Reader:
    """Where one is while reading a context from top to bottom."""

    def __init__(self) -> None:
        self.lengths: dict[ParagraphName, int] = {}
        self.headings = 0
        self._title = ""
        self._supplement = False
        self._open: list[tuple[str, int | None]] = []  # articles and their paragraphs
        self._level = 0
        self._said = False

    def lines_of(self, context: str) -> Iterator[str]:
        """Take a context line by line; each that is no heading comes back as written."""
        for line in context.split("\n"):
            normalised = unicodedata.normalize("NFKC", line)
            if heading := _HASHES.fullmatch(normalised):
                self.heading(len(heading[1]), heading[2], line)
            else:
                self.line(normalised)
                yield line

    @property
    def in_article(self) -> bool:
        """Whether what comes next belongs to an article of a statute."""
        return bool(self._title) and bool(self._open)

    def heading(self, level: int, heading: str, line: str) -> None:
        """Take a heading: its level, its words in NFKC, and the line as written."""
        self.headings += 1
        words = "".join(heading.split())
        if (named := named_articles(heading)) and self._names_law(named[0].title):
            self._open_articles(level, named)
        elif match := _PARAGRAPH.fullmatch(words):
            self._open = [(article, to_int(match[1])) for article, _ in self._open]
            self.text(0)
        elif _ITEM.fullmatch(words):
            self.text(0)
        elif words == "附則":
            self.close_article()
            self._supplement = True
        elif _DIVISION.fullmatch(words):
            self.close_article()
        elif level <= _TITLE_LEVEL or (level == _LOOSE_TITLE_LEVEL and LAW_TITLE.fullmatch(words)):
            self.close_article()
            written = line.strip().lstrip("#＃").strip()
            self._title, self._supplement = _without_number(written), False
        elif level <= self._level:
            self.close_article()

    def line(self, line: str) -> None:
        """Take a line that is no heading; it opens an article where a statute has no such headings."""
        headed = self._open and self._level < _LINE_LEVEL
        if not headed and (opened := opened_article(line)):
            named, said = opened
            if not named.title and LAW_TITLE.fullmatch(fold(self._title)):
                self._open_articles(_LINE_LEVEL, (named,))
                line = said
        if characters := len("".join(line.split())):
            self.text(characters)

    def text(self, characters: int) -> None:
        """Take N characters of text under the headings so far."""
        if not self._title:
            return
        for name, paragraph in self._open:
            key = ParagraphName(self._title, name, paragraph or 1)
            self.lengths[key] = self.lengths.get(key, 0) + characters
            self._said = True

    def close_article(self) -> None:
        """Leave the article; one of which no text was quoted counts as named."""
        if not self._said:
            self.text(0)
        self._open, self._level, self._said = [], 0, False

    def _names_law(self, title: str) -> bool:
        return not title or LAW_TITLE.fullmatch(title) is not None

    def _open_articles(self, level: int, named: Sequence[HeadingName]) -> None:
        self.close_article()
        if title := named[0].title:
            self._title, self._supplement = title, False
        for one in named:
            supplement = "附則" if one.supplement or self._supplement else ""
            self._open.append((supplement + one.article, one.paragraph))
        self._level = level


def _without_number(title: str) -> str:
    """Return the title without a law number in parentheses, such as （昭和二十三年法律第二十五号）."""
    if _LAW_NUMBER.search(unicodedata.normalize("NFKC", title)):
        return re.sub(r"[(（][^()（）]*[)）]$", "", title).strip()
    return title
