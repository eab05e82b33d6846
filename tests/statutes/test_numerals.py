"""Numbers of articles in one writing."""

from __future__ import annotations

import pytest

from lawqa.statutes.folding import fold
from lawqa.statutes.normalise import canonical, normalise
from lawqa.statutes.numerals import to_int

pytestmark = pytest.mark.every_python


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("27", 27),
        ("五", 5),
        ("十", 10),
        ("二十", 20),
        ("二十七", 27),
        ("百五十六", 156),
        ("百八", 108),
        ("千二百三", 1203),
        ("二七", 27),
        ("一〇", 10),
        # A zero in the place of a unit that is left out, and thousands that are counted in digits.
        ("百〇五", 105),
        ("二百零一", 201),
        ("千〇二十", 1020),
        ("千〇〇五", 1005),
        ("一万〇五百", 10_500),
        ("一億〇五百万", 105_000_000),
        ("三〇〇千", 300_000),
        ("12千", 12_000),
    ],
)
def test_numbers(text: str, value: int) -> None:
    assert to_int(text) == value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("第二十一条第一項第一号", "第21条第1項第1号"),
        ("第二一条第一項第一号", "第21条第1項第1号"),
        ("第２１条 第１項", "第21条第1項"),
        ("第百五十六条の三十八", "第156条の38"),
        ("第二三条の二の一五第三項", "第23条の2の15第3項"),
        ("第五号の二", "第5号の2"),
        ("前二項及び百四十条", "前2項及び140条"),
        ("第二章", "第2章"),
        ("第百〇五条", "第105条"),
    ],
)
def test_numbers_of_articles_in_arabic_digits(written: str, meant: str) -> None:
    assert canonical(written) == canonical(meant) == meant


@pytest.mark.parametrize("text", ["二十五日前", "三分の二", "五億円", "二以上の者", "十四歳"])
def test_what_questions_ask_for_stays_as_it_is(text: str) -> None:
    assert canonical(text) == text


def test_a_number_longer_than_any_is_left_alone() -> None:
    endless = f"第{'9' * 5000}条"
    assert canonical(endless) == endless


@pytest.mark.parametrize(
    "text",
    ["", "十百", "二十三一", "二億三億", "千万億", "〇万", "〇十", "〇五百", "〇〇〇千", "百〇", "二十〇五",
     "十四十一", "条", "9" * 5000],
)  # fmt: skip
def test_what_is_no_numeral(text: str) -> None:
    assert to_int(text) is None


def test_what_is_no_numeral_stays_as_it_is_written() -> None:
    assert canonical("第十百条の二") == "第十百条の2"
    assert normalise("第十百条") == "第十百条"


@pytest.mark.slow
def test_a_numeral_longer_than_python_reads_is_no_numeral() -> None:
    endless = f"第{'9' * 5000}万条"
    assert normalise(endless) == endless


def test_folding_takes_width_and_white_space_away() -> None:
    assert fold("第　１８\n条\tの②") == "第18条の2"
