"""One spelling for what means the same: numerals, periods, amounts, ratios, old kana; and what must stay."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.statutes.normalise import normalise
from lawqa.statutes.numerals import to_int, to_kanji

small = st.integers(1, 9_999)
# What the rules look at, so that random strings meet them.
tricky = st.text(
    alphabet="第条項号の一二三十百千万億〇0159,.・分割五年月日か箇円以上人つたてかあやゆよしきじうとツヤユキ%者件パーセント/、\n",
    max_size=14,
)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        # articles, paragraphs, items, with branches and in every width
        ("第二十一条の二第三項第四号", "第21条の2第3項第4号"),
        ("第２１条の２", "第21条の2"),
        ("法第二十七条の三十二の二第一項", "法第27条の32の2第1項"),
        ("第百八十五条の二十二", "第185条の22"),
        ("別表第一の二", "別表第1の2"),
        ("前二項", "前2項"),
        ("第三項の三分の二", "第3項の2/3"),
        ("第二条の二十日前", "第2条の20日前"),
        ("二十七条の三", "27条の3"),
        # periods and dates
        ("六箇月", "6月"),
        ("6か月", "6月"),
        ("６ヶ月", "6月"),
        ("六月", "6月"),
        ("三箇年", "3年"),
        ("令和七年六月一日", "令和7年6月1日"),
        ("二〇二五年", "2025年"),
        ("四箇所", "4か所"),
        # amounts
        ("五千万円", "50000000円"),
        ("5,000万円", "50000000円"),
        ("４千万円", "40000000円"),
        ("2億5000万円", "250000000円"),
        ("一・五倍", "1.5倍"),
        # ratios
        ("百分の五", "5%"),
        ("百分の四・五", "4.5%"),
        ("５パーセント", "5%"),
        ("三分の二", "2/3"),
        ("十分の一", "10%"),
        ("年一割", "年10%"),
        ("一割五分", "15%"),
        # old kana
        ("あつた", "あった"),
        ("行つて", "行って"),
        ("向かつて", "向かって"),
        ("あつせん", "あっせん"),
        ("もつぱら", "もっぱら"),
        ("のつとり", "のっとり"),
        ("きゆう師", "きゅう師"),
        ("薬きよう", "薬きょう"),
        ("マツサージ", "マッサージ"),
        ("シヤツター", "シャッター"),
        ("アマチユア", "アマチュア"),
    ],
)
def test_what_means_the_same_is_spelt_the_same(written: str, normal: str) -> None:
    assert normalise(written) == normal


@pytest.mark.parametrize(
    "word",
    [
        "一般社団法人の一部",
        "第三者",
        "唯一",
        "同一条件",
        "二条例",
        "かつて",
        "しようとする",
        "命じようとする",
        "により",
        "分かりやすい",
        "オホーツク",
        "スポーツカー",
    ],
)
def test_words_that_only_look_like_numerals_or_old_kana_stay(word: str) -> None:
    assert normalise(word) == word


@pytest.mark.slow
@given(st.text(max_size=30) | tricky)
@settings(max_examples=500)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


def test_every_numeral_to_9999_comes_back() -> None:
    assert [to_int(to_kanji(n)) for n in range(10_000)] == list(range(10_000))


@given(st.integers(0, 10**16 - 1))
def test_large_numerals_come_back(number: int) -> None:
    assert to_int(to_kanji(number)) == number


@given(small, small, small)
def test_kanji_and_arabic_citations_are_one(article: int, branch: int, paragraph: int) -> None:
    kanji = f"第{to_kanji(article)}条の{to_kanji(branch)}第{to_kanji(paragraph)}項"
    assert normalise(kanji) == f"第{article}条の{branch}第{paragraph}項"


@given(st.integers(1, 10**12))
def test_kanji_and_grouped_amounts_are_one(amount: int) -> None:
    assert normalise(f"{to_kanji(amount)}円") == normalise(f"{amount:,}円") == f"{amount}円"


@given(small, st.sampled_from("年日週円人回歳"))
def test_kanji_and_arabic_counts_are_one(number: int, counter: str) -> None:
    assert normalise(f"{to_kanji(number)}{counter}以内") == normalise(f"{number}{counter}以内")


@pytest.mark.parametrize("numeral", ["", "十百", "一十千", "二億三兆", "万", "条", "十二三"])
def test_what_is_no_numeral_has_no_value(numeral: str) -> None:
    assert to_int(numeral) is None


@pytest.mark.parametrize("number", [-1, 10**16])
def test_numbers_out_of_range_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        to_kanji(number)
