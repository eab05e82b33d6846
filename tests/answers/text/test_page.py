"""Folding: the quick way and the exact one say the same of every sign; what is not seen is taken out."""

from __future__ import annotations

import sys

from lawqa.answers.text import page as pages
from lawqa.answers.text.page import fold, read_page


def test_the_quick_way_to_fold_says_what_the_table_says_or_nothing() -> None:
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        quick = pages._fold_common(sign)
        assert quick is None or quick == pages._FOLD.get(code, sign), hex(code)


def test_folding_keeps_every_sign_in_its_place() -> None:
    for text in (
        "İstanbul（Ａ）ß",
        "①Ⅲ ⅲ ℃ K",
        "回答：Ｃ．\u3000「ｃ」",
        "\ud800a",
        "ﬁ" * 3 + "𝐂" * 3,
    ):
        assert len(fold(text)) == len(text)
        assert fold(text) == "".join(map(fold, text))


def test_signs_that_are_not_seen_are_taken_out_whatever_stands_beside_them() -> None:
    for sign in "\u200b\u2060\ufeff\u00ad\u061c\u3164\uffa0\u180e":
        assert read_page(f"回{sign}答：{sign}c").text == "回答:c"
    assert "   c" in read_page("答え：" + " \u3000\t" * 40 + "c").text
    assert len(read_page("答え：" + " \u3000\t" * 40 + "c").text) < 20
