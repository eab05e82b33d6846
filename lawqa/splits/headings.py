"""The articles that a context quotes, read from its headings.

A context quotes statutes as Markdown: `## 法令名`, `### 第5条`, `#### 第6項`, `##### 第2号`. The data set is
not strict about it: levels vary, digits are full width or kanji, a title may stand at the articles' level.
So a heading is known by its words, and its level only says what it closes. What no law title stands above,
and headings that merely mention an article (`金商法第2条（定義）関係` in a guideline), give no article.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Article:
    """One paragraph of one article of a statute."""

    law_title: str
    """The statute's title as the context writes it, without its number."""
    article: str
    """The article's number: `2_2` for 第二条の二; `附則3` for 附則第三条."""
    paragraph: int = 1
    """The paragraph; 1 where no heading names one, for statutes do not number a first paragraph."""

    def __str__(self) -> str:
        """As one would cite it: 金融商品取引法 27条の2 1項."""
        number, *branches = self.article.split("_")
        return (
            f"{self.law_title} {number}条{''.join(f'の{b}' for b in branches)} {self.paragraph}項"
        )


@dataclass(frozen=True)
class Quotation:
    """A paragraph and how much of it a context quotes."""

    article: Article
    """Which paragraph."""
    characters: int
    """Characters quoted, white space not counted."""


_NUMBER = "[0-9〇零一二三四五六七八九十百千]+"
_HASHES = re.compile(r"\s*(#+)(.*)")
_ARTICLE = re.compile(
    rf"(?P<title>.*?)(?P<supplement>附則)?第(?P<number>{_NUMBER})条(?P<branches>(?:[のノ]{_NUMBER})*)"
    rf"(?:第(?P<paragraph>{_NUMBER})項)?(?:第{_NUMBER}号)?(?:\(.*\))?"
)
_PARAGRAPH = re.compile(rf"第({_NUMBER})項(?:第{_NUMBER}号)?(?:\(.*\))?")
_ITEM = re.compile(rf"第{_NUMBER}号(?:[のノ]{_NUMBER})*(?:\(.*\))?")
_DIVISION = re.compile(rf"第{_NUMBER}(?:編|章|節|款|目).*")
_LAW_NUMBER = re.compile(r"\([^()]*第[^()]*号\)$")
# 方法 and 用法 end like statutes but are not.
_LAW_TITLE = re.compile(r"(?!第?[0-9(IVX]).+(?:(?<![方用])法|法律|令|規則|条例|憲法)")
_TITLE_LEVEL = 2  # where the data set puts titles of statutes and guidelines
_LOOSE_TITLE_LEVEL = 3  # where it puts one now and then

_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"零": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000}


def gold_articles(context: str) -> tuple[Article, ...]:
    """The paragraphs that a context quotes, each once, in the order of their first quotation."""
    return tuple(quotation.article for quotation in quotations(context))


def quotations(context: str) -> tuple[Quotation, ...]:
    """The paragraphs that a context quotes, each once, with the length of what it quotes of them."""
    reader = _Reader()
    for line in context.split("\n"):
        normalised = unicodedata.normalize("NFKC", line)
        if heading := _HASHES.fullmatch(normalised):
            reader.heading(len(heading[1]), "".join(heading[2].split()), line)
        elif characters := len("".join(normalised.split())):
            reader.text(characters)
    reader.close_article()
    return tuple(Quotation(article, length) for article, length in reader.lengths.items())


def quoted_lines(context: str) -> Iterator[str]:
    """The lines of a context that are not headings."""
    for line in context.split("\n"):
        if not _HASHES.fullmatch(unicodedata.normalize("NFKC", line)):
            yield line


def number(text: str) -> int:
    """The value of a number in Arabic or kanji digits: 27, 二十七, 二七 and 百五十六 alike."""
    if text.isdigit():
        return int(text)
    total, digits = 0, ""
    for char in text:
        if char in _UNITS:
            total += (int(digits) if digits else 1) * _UNITS[char]
            digits = ""
        else:
            digits += char if char.isdigit() else str(_DIGITS[char])
    return total + (int(digits) if digits else 0)


class _Reader:
    """Where one is while reading a context from top to bottom."""

    def __init__(self) -> None:
        self.lengths: dict[Article, int] = {}
        self._title = ""
        self._supplement = False
        self._article = ""
        self._level = 0
        self._paragraph: int | None = None
        self._said = False

    def heading(self, level: int, words: str, line: str) -> None:
        """Take a heading: its level, its words without white space, and the line as written."""
        if (found := _ARTICLE.fullmatch(words)) and self._names_law(found["title"]):
            self._open_article(level, found)
        elif found := _PARAGRAPH.fullmatch(words):
            self._paragraph = number(found[1])
            self.text(0)
        elif _ITEM.fullmatch(words):
            self.text(0)
        elif words == "附則":
            self.close_article()
            self._supplement = True
        elif _DIVISION.fullmatch(words):
            self.close_article()
        elif level <= _TITLE_LEVEL or (level == _LOOSE_TITLE_LEVEL and _LAW_TITLE.fullmatch(words)):
            self.close_article()
            written = line.strip().lstrip("#＃").strip()
            self._title, self._supplement = _without_number(written), False
        elif level <= self._level:
            self.close_article()

    def text(self, characters: int) -> None:
        """Take so many characters of text under the headings so far."""
        if not (self._title and self._article):
            return
        article = Article(self._title, self._article, self._paragraph or 1)
        self.lengths[article] = self.lengths.get(article, 0) + characters
        self._said = True

    def close_article(self) -> None:
        """Leave the article; one of which no text was quoted counts as named."""
        if not self._said:
            self.text(0)
        self._article, self._level, self._paragraph, self._said = "", 0, None, False

    def _names_law(self, title: str) -> bool:
        return not title or _LAW_TITLE.fullmatch(title) is not None

    def _open_article(self, level: int, found: re.Match[str]) -> None:
        self.close_article()
        if found["title"]:
            self._title, self._supplement = found["title"], False
        numbers = [found["number"], *re.findall(_NUMBER, found["branches"])]
        supplement = "附則" if found["supplement"] or self._supplement else ""
        self._article = supplement + "_".join(str(number(text)) for text in numbers)
        self._level = level
        self._paragraph = number(found["paragraph"]) if found["paragraph"] else None


def _without_number(title: str) -> str:
    """The title without a law number in parentheses, such as （昭和二十三年法律第二十五号）."""
    if _LAW_NUMBER.search(unicodedata.normalize("NFKC", title)):
        return re.sub(r"[(（][^()（）]*[)）]$", "", title).strip()
    return title
