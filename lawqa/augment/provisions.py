"""Articles taken apart: paragraphs, items and sentences, their names, and contexts in the data set's form.

Only the main provisions are read. Supplementary provisions repeat article numbers (附則第一条 is once for
each amendment), and appendices are tables and forms: neither can be named in a question without confusion.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lawqa.augment.numerals import LARGE_NUMERAL
from lawqa.statutes.articles import Article
from lawqa.statutes.numerals import to_int

MAX_CONTEXT = 1500
"""The most characters of a context; the data set's own contexts reach 757, but hold excerpts."""

_ARTICLE_NUMBER = re.compile(r"\d+(?:_\d+)*")
_ITEM = re.compile(rf"({LARGE_NUMERAL}+(?:の{LARGE_NUMERAL}+)*)[ \u3000]+(\S.*)")
_SUBITEM = re.compile(
    r"([イロハニホヘトチリヌルヲワカヨタレソツネナラム]|（[０-９ｉｖｘ]+）)[ \u3000]+\S.*"
)
_OPENING, _CLOSING = "（「『〔", "）」』〕"
_BREAK = re.compile(f"[{_OPENING}{_CLOSING}。]")


@dataclass(frozen=True)
class ProvisionItem:
    """One 号 of a paragraph."""

    number: str
    """As articles are numbered: `1`, or `1_2` for 第一号の二."""
    text: str
    """The item's own line, without its number."""
    below: tuple[str, ...] = ()
    """The lines of イ, ロ, ハ and deeper, each with its mark."""

    @property
    def name(self) -> str:
        """Such as 第1号の2."""
        return number_in_words(self.number, "号")


@dataclass(frozen=True)
class Provision:
    """One paragraph (項) of an article of the main provisions."""

    article: Article
    """The article it belongs to."""
    number: int
    """The paragraph's number, from 1."""
    sole: bool
    """Whether it is the article's only paragraph; it is then cited by the article alone."""
    lead: str
    """The text before any item."""
    items: tuple[ProvisionItem, ...] = ()
    """Its items; empty also where the lines below the lead are a table."""
    table: tuple[str, ...] = ()
    """Lines that are neither items nor parts of them."""

    @property
    def law(self) -> str:
        """The statute's title."""
        return self.article.law_title

    @property
    def article_name(self) -> str:
        """Such as 第66条の2."""
        return number_in_words(self.article.article or "", "条")

    @property
    def name(self) -> str:
        """What the paragraph is cited as within its statute, such as 第66条の2第1項."""
        return self.article_name if self.sole else f"{self.article_name}第{self.number}項"

    @property
    def key(self) -> str:
        """What distinguishes it from all other provisions."""
        return f"{self.article.id}#{self.number}"

    @property
    def text(self) -> str:
        """All of its text, a line for each line of the source."""
        below = [line for item in self.items for line in (item.text, *item.below)]
        return "\n".join([self.lead, *below, *self.table])


@dataclass(frozen=True)
class ParsedArticles:
    """The provisions of a file, and what was not taken apart."""

    provisions: tuple[Provision, ...]
    """In file order."""
    left_out: Counter[str]
    """Articles passed over, by reason."""


def parse_articles(articles: Iterable[Article]) -> ParsedArticles:
    """Return the paragraphs of all articles that can be cited and say something."""
    provisions: list[Provision] = []
    left_out: Counter[str] = Counter()
    for article in articles:
        if reason := _unusable(article):
            left_out[reason] += 1
        else:
            provisions.extend(provisions_of(article))
    return ParsedArticles(tuple(provisions), left_out)


def provisions_of(article: Article) -> tuple[Provision, ...]:
    """Return the paragraphs of one article of the main provisions."""
    sole = len(article.paragraphs) == 1
    parsed = []
    for place, paragraph in enumerate(article.paragraphs, start=1):
        lead, *lines = paragraph.text.split("\n")
        items, table = _itemised([line.strip() for line in lines if line.strip()])
        number = place if paragraph.num is None else paragraph.num
        parsed.append(Provision(article, number, sole, lead.strip(), items, table))
    return tuple(parsed)


def number_in_words(number: str, unit: str) -> str:
    """Return a number of the statute form in words: `2_2` and 条 give 第2条の2."""
    first, *branches = number.split("_")
    return f"第{first}{unit}" + "".join(f"の{branch}" for branch in branches)


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a text; a full stop inside brackets or quotation marks ends none."""
    split, depth, start = [], 0, 0
    for match in _BREAK.finditer(text):
        place, character = match.start(), match[0]
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif depth <= 0:
            split.append(text[start : place + 1].strip())
            start, depth = place + 1, 0
    rest = text[start:].strip()
    return tuple(split) + ((rest,) if rest else ())


def deleted(text: str) -> bool:
    """Return whether a paragraph or item says only that it was repealed."""
    return text.strip(" \u3000。") in ("削除", "")


def context_of(provisions: Sequence[Provision], item: ProvisionItem | None = None) -> str:
    """Return the provisions under headings, as the data set writes its contexts.

    Each is given with its items. Where that is longer than `MAX_CONTEXT` characters, only the leads are
    given, as the data set also does.

    Args:
        provisions: what to show; put into the order of the statute.
        item: an item of theirs that must be shown even when the others are not.
    """
    full = whole_context_of(provisions)
    shown = sorted(set(provisions), key=_place)
    return _context(shown, item, every_item=False) if full is None else full


def whole_context_of(provisions: Sequence[Provision]) -> str | None:
    """Return the provisions with all their items, as `context_of` does; None where that is too long."""
    full = _context(sorted(set(provisions), key=_place), None, every_item=True)
    return full if len(full) <= MAX_CONTEXT else None


def _context(shown: Sequence[Provision], item: ProvisionItem | None, *, every_item: bool) -> str:
    lines: list[str] = []
    law = article = ""
    for provision in shown:
        if provision.law != law:
            law, article = provision.law, ""
            lines.append(f"## {law}")
        if provision.article_name != article:
            article = provision.article_name
            lines.append(f"### {article}")
        if not provision.sole:
            lines.append(f"#### 第{provision.number}項")
        lines.append(provision.lead)
        mark = "####" if provision.sole else "#####"
        for each in provision.items:
            if every_item or each == item:
                lines += [f"{mark} {each.name}", each.text, *(f"- {line}" for line in each.below)]
        if every_item:
            lines += provision.table
    return "\n".join(lines)


def _place(provision: Provision) -> tuple[str, list[int], int]:
    branches = [int(part) for part in (provision.article.article or "0").split("_")]
    return provision.law, branches, provision.number


def _unusable(article: Article) -> str:
    """Return why an article is passed over; empty where it is not."""
    if article.part != "main":
        return f"part {article.part}: cannot be cited without confusion"
    if not _ARTICLE_NUMBER.fullmatch(article.article or ""):
        return "no single article number"
    if all(deleted(paragraph.text) for paragraph in article.paragraphs):
        return "repealed (削除)"
    return ""


def _itemised(lines: Sequence[str]) -> tuple[tuple[ProvisionItem, ...], tuple[str, ...]]:
    """Return items and their parts; if a line is neither, or numbers do not rise, all lines are a table."""
    items: list[ProvisionItem] = []
    for line in lines:
        if match := _ITEM.fullmatch(line):
            numbers = [to_int(part) for part in match[1].split("の")]
            if None in numbers:
                return (), tuple(lines)
            items.append(ProvisionItem("_".join(map(str, numbers)), match[2].strip()))
        elif items and _SUBITEM.fullmatch(line):
            last = items[-1]
            items[-1] = ProvisionItem(last.number, last.text, (*last.below, line))
        else:
            return (), tuple(lines)
    places = [[int(part) for part in item.number.split("_")] for item in items]
    if places != sorted(places) or len(set(map(str, places))) < len(places):
        return (), tuple(lines)
    return tuple(items), ()
