"""Numbers of articles, paragraphs and items: 第二十一条, 第二一条 and 第２１条 are one."""

from __future__ import annotations

import re

NUMERAL = "[0-9〇零一二三四五六七八九十百千]"
"""A digit or unit of a number in Arabic or kanji digits, as a regular expression over NFKC text."""

NUMBER = f"{NUMERAL}{{1,12}}"
"""Such a number; no statute has an article whose number needs more characters."""

_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"零": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000}

_COUNTED = re.compile(rf"(?<!{NUMERAL}){NUMBER}(?=[条項号章])")
_BRANCHES = re.compile(rf"(?<=[条号])(?:[のノ]{NUMBER}(?!{NUMERAL}))+")
_NUMBER = re.compile(NUMBER)


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


def arabic(text: str) -> str:
    """The text with the numbers of its articles, branches, paragraphs and items in Arabic digits.

    Other numbers stay as they are: those of days, shares and sums are what questions ask for.

    Args:
        text: in NFKC and without white space.
    """
    return _BRANCHES.sub(_in_arabic, _COUNTED.sub(_in_arabic, text))


def _in_arabic(found: re.Match[str]) -> str:
    return _NUMBER.sub(lambda digits: str(number(digits[0])), found[0])
