"""Which texts of questions say by themselves what they ask."""

from __future__ import annotations

import pytest

from lawqa.splits.stems import is_known_with, is_specific
from lawqa.statutes.normalise import canonical


@pytest.mark.parametrize(
    "stem",
    [
        "次の記述のうち、誤っているものを一つ選び、その記号を答えてください。" * 4,
        "次のアからオまでの各記述のうち、判例の趣旨に照らし正しいものを組み合わせたものは、後記１から５までのうちどれか。",
        "占有権に関する次のアからオまでの記述のうち、判例の趣旨に照らし誤っているものを組み合わせたものはどれか。",
        "医薬品、医療機器等の品質、有効性及び安全性の確保等に関する法律の規定の内容として正しいものを教えてください。",
        "海浜の利用の調整及び砂浜の保全に関する法律に関する次の記述のうち、正しいものを教えてください。",
        "海浜保全法施行令第百二十三条の四第一項及び第二項の規定について、次のうち誤っているものを教えてください。",
        "次の文中の空欄に当てはまる語句の組み合わせとして、最も適切なものを一つ選んでください。",
    ],
)
def test_stock_however_long(stem: str) -> None:
    assert len(canonical(stem)) >= 40
    assert not is_specific(canonical(stem))


@pytest.mark.parametrize(
    "stem",
    [
        "海浜保全法第５条により、砂浜の形状を変更しようとする管理者が提出することができる書類を教えてください。",
        "灯台の管理者が堤防の点検の記録を保存しなければならない期間を定めた条文として、正しいものを教えてください。",
    ],
)
def test_a_text_that_says_what_it_asks(stem: str) -> None:
    assert is_specific(canonical(stem))


def test_a_short_text_is_known_by_its_right_answer() -> None:
    stock = "次のうち、正しいものを教えてください。"
    assert not is_specific(stock)
    assert not is_known_with(stock, "三年")
    assert not is_known_with(stock, "第23条の2の15第1項")
    assert is_known_with(stock, "砂浜の管理者は、灯台の点検の記録を五年間保存する。")
    assert is_known_with("海浜保全法第2条の「砂浜」に該当するものはどれか。", "干潟")
