"""The quantities of statutes: periods, amounts of money, shares, counts of persons.

Numbers that name something are no quantities: 第三条, 平成五年法律第八十八号, 三月三十一日, 前二項.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from lawqa.statutes.numerals import to_int

LARGE_NUMERAL = "[〇一二三四五六七八九十百千万億兆]"
"""A character of kanji numerals, as a regular expression."""

MAJORITY = "過半数"

# What may follow a number of months, days or years when it is a period and not a date.
_PERIOD = (
    "以内|以上|以下|未満|前|後|間|を経過|を超え|を下らない|ごと|に[一二三]回|が経過|に満たない|とする|とし|の期間"
    "|を限度|（|を加え|内に|の範囲"
)
_QUANTITY = re.compile(
    rf"(?<![第同数翌毎・{LARGE_NUMERAL[1:-1]}])(?:"
    rf"(?P<share>{LARGE_NUMERAL}+分の{LARGE_NUMERAL}+)(?![{LARGE_NUMERAL[1:-1]}・])"
    rf"|(?P<majority>{MAJORITY}(?=の|を|が|に|で))"
    rf"|(?P<number>{LARGE_NUMERAL}+)(?P<unit>年間|箇月間|月間|週間|日間|営業日|時間|分間|平方メートル|パーセント|円|歳|倍"
    rf"|[人名](?=以|未|を|の|に|）)|回(?=以|を|、)|年(?!度|[月法政]|{LARGE_NUMERAL})(?={_PERIOD})"
    rf"|(?:箇月|か月|月)(?={_PERIOD})|日(?={_PERIOD})))"
)
_DATE_BEFORE = re.compile(
    rf"(?:(?:明治|大正|昭和|平成|令和)(?:元|{LARGE_NUMERAL}+)?年?(?:{LARGE_NUMERAL}+月)?|年|月|以後|最初の)$"
)

_DATE_LENGTH = 16  # the longest thing that _DATE_BEFORE needs to see

_DAYS = {"年": 365, "箇月": 30, "か月": 30, "月": 30, "週": 7, "日": 1}


@dataclass(frozen=True)
class Quantity:
    """A quantity and its place in its text."""

    start: int
    """Its first character."""
    text: str
    """As written: 三十年, 五億円, 三分の二, 過半数."""
    unit: str
    """年, 年間, 円, …; 分の for shares and for 過半数."""
    value: Fraction
    """The number; a majority counts as a little more than half."""

    @property
    def end(self) -> int:
        """The first character after it."""
        return self.start + len(self.text)

    @property
    def dimension(self) -> str:
        """`period` for years to days, else the unit."""
        return "period" if self.days is not None else self.unit

    @property
    def days(self) -> Fraction | None:
        """The length of a period in days, a month as 30; None for what is no period of days."""
        days = _DAYS.get(self.unit.removesuffix("間"))
        return None if days is None else self.value * days

    def same_size(self, other: Quantity) -> bool:
        """Return whether both may mean the same: 一年 and 十二月, 七日 and 一週間, 百分の五十
        and 二分の一.
        """
        mine, theirs = self.days, other.days
        if mine is None or theirs is None:
            return self.unit == other.unit and self.value == other.value
        return abs(mine - theirs) <= max(mine, theirs) * Fraction(1, 20)


def quantities(text: str) -> Iterator[Quantity]:
    """Yield the quantities of a text, from left to right."""
    for match in _QUANTITY.finditer(text):
        if _DATE_BEFORE.search(text[max(0, match.start() - _DATE_LENGTH) : match.start()]):
            continue
        if share := match["share"]:
            below, above = share.split("分の")
            whole, part = to_int(below), to_int(above)
            if whole and part is not None:
                yield Quantity(match.start(), share, "分の", Fraction(part, whole))
        elif match["majority"]:
            yield Quantity(match.start(), MAJORITY, "分の", Fraction(501, 1000))
        elif (number := to_int(match["number"])) is not None:
            yield Quantity(match.start(), match[0], match["unit"], Fraction(number))
