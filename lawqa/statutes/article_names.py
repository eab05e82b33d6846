"""What an article is called: how it is cited, and how a heading or the beginning of a line names it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lawqa.statutes.numerals import NUMBER, to_int

# 方法 and 用法 end like statutes but are not.
LAW_TITLE = re.compile(r"(?!第?[0-9(IVX]).+(?:(?<![方用])法|法律|令|規則|条例|憲法)")
"""What reads like a statute's title, in NFKC and without white space."""

_BRACKETS = r"\([^()]*(?:\([^()]*\)[^()]*)*\)"
_ONE = (
    rf"第?(?P<number>{NUMBER})条(?P<branches>(?:[のノ]{NUMBER})*)"
    rf"(?:第(?P<paragraph>{NUMBER})項)?(?:第{NUMBER}号)?(?:{_BRACKETS})?"
)
_ARTICLE = re.compile(rf"(?P<title>.*?)(?P<supplement>附則)?{_ONE}")
_UNNAMED = re.sub(r"\?P<\w+>", "?:", _ONE)
_LIST = re.compile(
    rf"(?P<title>.*?)(?P<list>{_UNNAMED}(?:(?:[、,・]|及び|並びに|又は){_UNNAMED})+)"
)
_EACH = re.compile(_ONE)

# What follows a name and makes it part of a sentence, or of a guideline's heading (第4条（届出）関係).
_NO_CAPTION = re.compile(r"[のをにはがでと、,・]|及び|並びに|又は|若しくは|から|.*関係$")
_LONGEST = 12
"""Words of a heading that are tried as its name; a longer text with that many blanks is no name."""


@dataclass(frozen=True)
class ArticleName:
    """An article by the title of its statute and its number."""

    law_title: str
    """As the text at hand writes it."""
    article: str
    """`2_2` for 第二条の二; `附則3` for 附則第三条."""


@dataclass(frozen=True, order=True)
class ParagraphName:
    """A paragraph of an article by the title of its statute and their numbers."""

    law_title: str
    """As the text at hand writes it, without the statute's number."""
    article: str
    """`2_2` for 第二条の二; `附則3` for 附則第三条."""
    paragraph: int = 1
    """1 where no heading names one, for statutes do not number a first paragraph."""

    def __str__(self) -> str:
        """Cite it: 金融商品取引法 27条の2 1項."""
        number, *branches = self.article.split("_")
        return (
            f"{self.law_title} {number}条{''.join(f'の{b}' for b in branches)} {self.paragraph}項"
        )


@dataclass(frozen=True)
class HeadingName:
    """An article as a heading names it."""

    title: str
    """The statute's title in the same heading; empty where there is none."""
    supplement: bool
    """Whether it is of the supplementary provisions."""
    article: str
    """Its number: `2_2` for 第二条の二."""
    paragraph: int | None
    """None where none is named."""


def article_name(number: str) -> str:
    """Return how an article is cited: 27_13_2 is 第27条の13の2.

    A range, 55:63, is 第55条から第63条まで; a pair, 15,16, is 第15条及び第16条.
    """
    if ":" in number:
        first, last = number.split(":", 1)
        return f"{article_name(first)}から{article_name(last)}まで"
    if "," in number:
        return "及び".join(article_name(one) for one in number.split(","))
    main, *branches = number.split("_")
    return f"第{main}条" + "".join(f"の{branch}" for branch in branches)


def named_articles(heading: str) -> tuple[HeadingName, ...]:
    """Return the articles that a heading names and does not merely mention; none where it names none.

    第5条, 5条, 甲法第5条第2項, 第709条、第710条, and with a caption 第5条（定義）, 第5条 定義, 第5条: 定義.

    Args:
        heading: its words in NFKC.
    """
    words = heading.replace(":", " : ").split()
    for end in range(min(len(words), _LONGEST), 0, -1):
        caption = "".join(words[end:]).lstrip(":")
        if named := _read("".join(words[:end])):
            return () if caption and _NO_CAPTION.match(caption) else named
    return ()


def opened_article(line: str) -> tuple[HeadingName, str] | None:
    """Return the article that a line of text opens, and what the line says of it; None for any other line.

    第140条 alone, or 第140条 and a blank before the text, as e-Gov prints it.

    Args:
        line: in NFKC.
    """
    first, _, rest = line.strip().partition(" ")
    named = _read(first) if first.startswith("第") else ()
    said = "".join(rest.split())
    if len(named) != 1 or _NO_CAPTION.match(said):
        return None
    return named[0], said


def _read(words: str) -> tuple[HeadingName, ...]:
    """Return the articles that these words are the name of; none where a number in them is none
    (第十百条).
    """
    if listed := _LIST.fullmatch(words):
        names = [_name(one, listed["title"]) for one in _EACH.finditer(listed["list"])]
    elif single := _ARTICLE.fullmatch(words):
        names = [_name(single, single["title"], supplement=bool(single["supplement"]))]
    else:
        return ()
    return tuple(name for name in names if name) if all(names) else ()


def _name(match: re.Match[str], title: str, *, supplement: bool = False) -> HeadingName | None:
    numbers = [to_int(text) for text in (match["number"], *re.findall(NUMBER, match["branches"]))]
    paragraph = to_int(match["paragraph"]) if match["paragraph"] else None
    if None in numbers or (match["paragraph"] and paragraph is None):
        return None
    return HeadingName(title, supplement, "_".join(map(str, numbers)), paragraph)
