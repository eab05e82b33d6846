"""How an article is named in a heading or at the beginning of a line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lawqa.statutes.numerals import NUMBER, number

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
"""Words of a heading that are tried as its name; a longer name with so many blanks is none."""


@dataclass(frozen=True)
class Named:
    """An article as a heading names it."""

    title: str
    """The statute's title in the same heading; empty where there is none."""
    supplement: bool
    """Whether it is of the supplementary provisions."""
    article: str
    """Its number: `2_2` for 第二条の二."""
    paragraph: int | None
    """The paragraph; None where none is named."""


def named_articles(heading: str) -> tuple[Named, ...]:
    """The articles that a heading names and does not merely mention; none where it names none.

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


def opened_article(line: str) -> tuple[Named, str] | None:
    """The article that a line of text opens, and what the line says of it; None for any other line.

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


def _read(words: str) -> tuple[Named, ...]:
    if listed := _LIST.fullmatch(words):
        each = _EACH.finditer(listed["list"])
        return tuple(_named(one, listed["title"], supplement=False) for one in each)
    if found := _ARTICLE.fullmatch(words):
        return (_named(found, found["title"], supplement=bool(found["supplement"])),)
    return ()


def _named(found: re.Match[str], title: str, *, supplement: bool) -> Named:
    numbers = [found["number"], *re.findall(NUMBER, found["branches"])]
    return Named(
        title=title,
        supplement=supplement,
        article="_".join(str(number(text)) for text in numbers),
        paragraph=number(found["paragraph"]) if found["paragraph"] else None,
    )
