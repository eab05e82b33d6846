"""Kanji and Arabic numerals: 二十一, 二一, ２１ and 21 are one number. The only reader of them."""

from __future__ import annotations

import re

NUMERAL = "[0-9〇零一二三四五六七八九十百千]"
"""A digit or unit of a number in Arabic or kanji digits, as a regular expression over NFKC text."""

NUMBER = f"{NUMERAL}{{1,12}}"
"""Such a number; no statute has an article whose number needs more characters."""

ASCII_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
"""For `str.translate`: kanji digits to ASCII ones."""

_ONES = "〇一二三四五六七八九"
_UNITS = (("千", 1000), ("百", 100), ("十", 10))
_LARGE_UNITS = (("兆", 10**12), ("億", 10**8), ("万", 10**4))
# A zero holds the place of a unit that is left out (百〇五, 千〇二十); tables count thousands (三〇〇千円).
_SECTION = re.compile(
    r"(?!0)(?:([1-9][0-9]*)?千)?(?:0?([1-9])百|百)?(?:0?([1-9])十|十)?((?:(?<!十)0{1,2})?[1-9])?"
)
_LONGEST = 40
"""Characters of the longest numeral that is read; longer ones are hostile, and int() refuses 4,301 digits."""

_COUNTED = re.compile(rf"(?<!{NUMERAL}){NUMBER}(?=[条項号章])")
_BRANCHES = re.compile(rf"(?<=[条号])(?:[のノ]{NUMBER}(?!{NUMERAL}))+")
_NUMBER = re.compile(NUMBER)


def to_int(numeral: str) -> int | None:
    """Read a numeral of kanji, ASCII digits or both: 二十一, 二一, 二〇二五, 4千万; None for anything else.

    Units come in falling order (千 百 十 inside 兆 億 万), as in statutes: 十百 is not a numeral, nor is
    one of more than 40 characters.
    """
    digits = numeral.translate(ASCII_DIGITS)
    if not 0 < len(digits) <= _LONGEST:
        return None
    total = 0
    for unit, value in _LARGE_UNITS:
        head, present, tail = digits.partition(unit)
        if present:
            section = _section(head, after_unit=total > 0)
            if not section:
                return None
            total += section * value
            digits = tail
    rest = _section(digits, after_unit=total > 0) if digits else 0
    return None if rest is None else total + rest


def to_kanji(number: int) -> str:
    """Write a number from 0 to 10**16 - 1 as statutes do: 21 is 二十一, 1000 is 千, 10000 is 一万.

    Raises:
        ValueError: the number is out of that range.
    """
    if not 0 <= number < 10**16:
        raise ValueError(f"{number} is out of range, expected 0 to 10**16 - 1")
    if number == 0:
        return "〇"
    parts = []
    for unit, value in (*_LARGE_UNITS, ("", 1)):
        section, number = divmod(number, value)
        if section:
            parts.append(_section_kanji(section) + unit)
    return "".join(parts)


def arabic(text: str) -> str:
    """Write the numbers of articles, branches, paragraphs, items and chapters in Arabic digits.

    Other numbers stay as they are: those of days, shares and sums are what questions ask for. So does what
    is not a number (第十百条).

    Args:
        text: in NFKC and without white space.
    """
    return _BRANCHES.sub(_in_arabic, _COUNTED.sub(_in_arabic, text))


def _in_arabic(numbers: re.Match[str]) -> str:
    return _NUMBER.sub(_digits, numbers[0])


def _digits(numeral: re.Match[str]) -> str:
    value = to_int(numeral[0])
    return numeral[0] if value is None else str(value)


def _section(digits: str, *, after_unit: bool) -> int | None:
    """Read digits, or a numeral whose units are 千, 百 and 十; None for neither.

    Args:
        digits: kanji digits as ASCII ones, between two of 兆, 億 and 万, or beside one.
        after_unit: whether one of those comes before, so that a zero may hold a place (一万〇五百).
    """
    if digits.isascii() and digits.isdigit():
        return int(digits)
    match = _SECTION.fullmatch(digits.removeprefix("0") if after_unit else digits)
    if match is None or not digits:
        return None
    total = int(match[4] or 0)
    for digit, (unit, value) in zip(match.groups()[:3], _UNITS, strict=True):
        if unit in digits:
            total += int(digit or 1) * value
    return total


def _section_kanji(section: int) -> str:
    out = []
    for unit, value in _UNITS:
        digit, section = divmod(section, value)
        if digit:
            out.append((_ONES[digit] if digit > 1 else "") + unit)
    return "".join(out) + (_ONES[section] if section else "")
