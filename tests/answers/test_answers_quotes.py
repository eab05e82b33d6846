"""Answers that quote a choice without its letter."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

CHOICES = [
    "届出書を提出した会社の取締役は、損害賠償の責任を負わない。",
    "届出書を提出した会社の取締役は、損害賠償の責任を負う。",
    "金融商品取引法施行令第3条の4",
    "金融商品取引法施行令第3条の4第2項",
]

QUOTED: list[tuple[str, Label | None]] = [
    ("届出書を提出した会社の取締役は、損害賠償の責任を負う。", "b"),
    ("回答：届出書を提出した会社の取締役は、損害賠償の責任を負わない。", "a"),
    ("正解は「金融商品取引法施行令第３条の４」です。", "c"),
    ("正解は「金融商品取引法施行令第3条の4第2項」です。", "d"),
    ("**Answer:** 金融商品取引法施行令第3条の4", "c"),
    ("条文を確認しました。\n\n届出書を提出した会社の取締役は、\n損害賠償の責任を負う。", "b"),
    ("根拠は金融商品取引法施行令第3条の4第2項にあります。", "d"),
    ("金融商品取引法施行令第3条の4第2項という記述は誤りです。", None),
    ("金融商品取引法施行令第5条", None),
    ("d 届出書を提出した会社の取締役は、損害賠償の責任を負う。", "d"),
]


@pytest.mark.parametrize(("text", "label"), QUOTED)
def test_a_quoted_choice_is_known_by_its_words(text: str, label: Label | None) -> None:
    assert parse(text, CHOICES).label == label


def test_without_the_choices_a_quotation_says_nothing() -> None:
    assert parse(CHOICES[1]).label is None


def test_two_quoted_choices_are_no_single_choice() -> None:
    assert parse(f"「{CHOICES[0]}」と「{CHOICES[1]}」が考えられる。", CHOICES).label is None


def test_short_and_twin_choices_are_not_guessed_from_prose() -> None:
    assert parse("期間は5年とする法律もある。", ["5年", "3年", "1年", "10年"]).label is None
    assert parse("5年", ["5年", "3年", "1年", "10年"]).label == "a"
    assert parse("回答：3年", ["5年", "3年", "1年", "10年"]).label == "b"
    assert parse("回答：5年", ["5年", "5年", "1年", "10年"]).label is None


@pytest.mark.parametrize("choices", [[], [""], ["", "", "", ""], ["a"], ["(", "[", "\\", "*"]])
def test_odd_choices_do_no_harm(choices: list[str]) -> None:
    assert parse("回答: c", choices).label == "c"
    assert parse("届出をする。", choices).label is None
