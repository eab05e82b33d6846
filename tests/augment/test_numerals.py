from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.augment.numerals import Quantity, quantities, to_int


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("〇", 0),
        ("十", 10),
        ("二十五", 25),
        ("百五十", 150),
        ("千万", 10_000_000),
        ("二百二十五万", 2_250_000),
        ("五億", 500_000_000),
        ("一兆千億", 1_100_000_000_000),
        ("二〇", 20),
    ],
)
def test_kanji_numerals(text: str, value: int) -> None:
    assert to_int(text) == value


@given(st.integers(1, 10**12 - 1))
def test_every_number_comes_back(number: int) -> None:
    assert to_int(in_kanji(number)) == number


def in_kanji(number: int) -> str:
    if number == 0:
        return ""
    for size, unit in ((10**8, "億"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if number >= size:
            head, rest = divmod(number, size)
            shown = "" if head == 1 and size < 10**4 else in_kanji(head)
            return shown + unit + in_kanji(rest)
    return "〇一二三四五六七八九"[number]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("存続期間は、三十年とする。", ["三十年"]),
        ("期間の満了の一年前から六月前までの間", ["一年", "六月"]),
        ("二週間以内に、五百万円以下の罰金", ["二週間", "五百万円"]),
        ("議決権の過半数を有し、三分の二以上の多数", ["過半数", "三分の二"]),
        ("三箇月以内ごとに一回、十人以上の委員", ["三箇月", "一回", "十人"]),
        ("第三条第二項の平成五年法律第八十八号", []),
        ("三月三十一日から四月一日までの事業年度", []),
        ("昭和二十三年三月以後に", []),
        ("毎年十二月末日、同年同月同日", []),
        ("一般の一部の者、第三者、二以上の者", []),
        ("翌月二十日までに", []),
        ("百分の五・五以上", []),
        ("令和二年から三年以内", ["三年"]),
        ("譲与税は、三〇〇千円を限度とする", ["三〇〇千円"]),
        ("一、二〇〇、〇〇〇千円を譲与する", []),
    ],
)
def test_what_is_a_quantity(text: str, found: list[str]) -> None:
    assert [quantity.text for quantity in quantities(text)] == found


def test_where_a_quantity_stands() -> None:
    text = "期間は、三十年とする。"
    (quantity,) = quantities(text)
    assert text[quantity.start : quantity.end] == "三十年"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("一年以内", "十二月以内", True),
        ("七日以内", "一週間以内", True),
        ("二年以内", "二年間以内", True),
        ("百分の五十以上", "二分の一以上", True),
        ("一年以内", "二年以内", False),
        ("過半数を", "二分の一以上", False),
        ("五人以上", "五名以上", False),
    ],
)
def test_what_means_the_same(one: str, other: str, same: bool) -> None:
    (first,), (second,) = quantities(one), quantities(other)
    assert first.same_size(second) is same
    assert second.same_size(first) is same


def test_a_period_has_a_length_and_money_has_none() -> None:
    assert Quantity(0, "二年", "年", Fraction(2)).days == 730
    assert Quantity(0, "二円", "円", Fraction(2)).days is None
