"""Folding: every sign as the table says, however it is looked up; what is not seen is taken out."""

from __future__ import annotations

from lawqa.answers.text import page as pages
from lawqa.answers.text.page import plain_characters, read_page


def test_every_sign_is_folded_as_the_table_says_alone_and_beside_a_rare_one() -> None:
    for code in (*range(0x10000), *(code for code in pages._FOLD if code > 0xFFFF)):
        sign, plain = chr(code), pages._FOLD.get(code, chr(code))
        assert plain_characters(sign) == plain, hex(code)
        known = pages._ODD.match(sign) or sign in pages._CAPITALS
        assert known or sign.lower() == sign == plain, hex(code)
    assert plain_characters("Ａnswer\u200b：B") == "answer :b"


def test_folding_keeps_every_sign_in_its_place() -> None:
    for text in (
        "İstanbul（Ａ）ß",
        "①Ⅲ ⅲ ℃ K",
        "回答：Ｃ．\u3000「ｃ」",
        "\ud800a",
        "ﬁ" * 3 + "𝐂" * 3,
    ):
        assert len(plain_characters(text)) == len(text)
        assert plain_characters(text) == "".join(map(plain_characters, text))


def test_signs_that_are_not_seen_are_taken_out_whatever_stands_beside_them() -> None:
    for sign in "\u200b\u2060\ufeff\u00ad\u061c\u3164\uffa0\u180e":
        assert read_page(f"回{sign}答：{sign}c").text == "回答:c"
    assert "   c" in read_page("答え：" + " \u3000\t" * 40 + "c").text
    assert len(read_page("答え：" + " \u3000\t" * 40 + "c").text) < 20
