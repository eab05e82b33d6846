"""Answers that quote a choice without its letter."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

pytestmark = pytest.mark.every_python

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
    ("条文の定めを確かめると、次のことが分かりました。すなわち金融商品取引法施行令第3条の4", "c"),
    (
        "条文の定めを確かめると、次の結論になります。したがって金融商品取引法施行令第3条の4になると考えます。",
        "c",
    ),
    ("金融商品取引法施行令第3条の4。条文の定めを確かめると、届出の期間は別に定めがあります", None),
    ("金融商品取引法施行令第3条の4第2項という記述は誤りです。", None),
    ("金融商品取引法施行令第5条", None),
    ("d 届出書を提出した会社の取締役は、損害賠償の責任を負う。", "d"),
]


@pytest.mark.parametrize(("text", "label"), QUOTED)
def test_a_quoted_choice_is_known_by_its_words(text: str, label: Label | None) -> None:
    assert parse(text, CHOICES).label == label


NOT_MEANT = [
    f"正解は「{CHOICES[0]}」ではない。",
    f"正解は「{CHOICES[0]}」とは言えない。",
    f"正解は「{CHOICES[0]}」であるはずがない。",
    f"正解は「{CHOICES[0]}」だろうか。",
    f"{CHOICES[1]}というのは誤り。",
    f"「{CHOICES[1]}」というのは誤り。",
    f"「{CHOICES[1]}」という見解は誤りである。",
    f"「{CHOICES[1]}」が正しいわけではない。",
    f"「{CHOICES[1]}」とは考えにくい。",
]


@pytest.mark.parametrize("text", NOT_MEANT)
def test_a_choice_quoted_to_be_denied_is_not_meant(text: str) -> None:
    assert parse(text, CHOICES).label is None


def test_a_denied_quotation_takes_back_the_same_choice_only() -> None:
    denied = f"\nいえ、正解は「{CHOICES[0]}」ではない。"
    taken_back = parse(f"正解は a です。{denied}", CHOICES)
    assert (taken_back.label, taken_back.rule) == (None, "quoted-answer")
    assert parse(f"正解は b です。{denied}", CHOICES).label == "b"


def test_without_the_choices_a_quotation_says_nothing() -> None:
    assert parse(CHOICES[1]).label is None


def test_two_quoted_choices_are_no_single_choice() -> None:
    assert parse(f"「{CHOICES[0]}」と「{CHOICES[1]}」が考えられる。", CHOICES).label is None
    assert parse(f"以上から、{CHOICES[1]}{CHOICES[0]}", CHOICES).label is None
    ours = ["会社は損害賠償の責任を負わない", "罰則を受ける", "届出を要する", "登録を要する"]
    assert parse("以上から、会社は損害賠償の責任を負わない、罰則を受ける。", ours).label is None


def test_a_quotation_cut_off_at_the_end_names_its_choice_if_only_one_begins_so() -> None:
    choices = [
        "契約は、書面によらなければ効力を生じない。",
        "契約は、合意のみにより効力を生じる。",
        "x",
        "y",
    ]
    text = "回答：契約は、書面によらなければ効力"
    parsed = parse(text, choices)
    assert (parsed.label, parsed.span) == ("a", (0, len(text)))
    assert parse("回答：契約は、書面によらなければ効力\n以上", choices).label == "a"
    assert parse("回答：契約は、書", choices).label is None, "too short to tell"
    same = [choices[0], choices[0].replace("生じない", "失わない"), "x", "y"]
    assert parse("回答：契約は、書面によらなければ効力", same).label is None


def test_a_choice_that_ends_like_another_is_told_from_it() -> None:
    choices = [
        "会社は、損害賠償の責任を負わない。",
        "損害賠償の責任を負わない。",
        "責任を負う。",
        "その他",
    ]
    assert parse("以上のとおり、会社は、損害賠償の責任を負わない。", choices).label == "a"
    assert parse("以上のとおり、損害賠償の責任を負わない。", choices).label == "b"


def test_the_rule_says_where_a_quotation_stood() -> None:
    assert parse("回答：書面による。", [CHOICES[0], "書面による", "x", "y"]).rule == "quoted-answer"
    long = "条文を一つずつ確かめました。届出の要否が問題です。届出は、期間のうちにしなければなりません。"
    assert parse(f"{long}{long}\n{CHOICES[1]}", CHOICES).rule == "quoted-line"
    assert parse(f"{CHOICES[2]}、以上", CHOICES).rule == "quoted-choice"


def test_short_and_twin_choices_are_not_guessed_from_prose() -> None:
    assert parse("期間は5年とする法律もある。", ["5年", "3年", "1年", "10年"]).label is None
    assert parse("5年", ["5年", "3年", "1年", "10年"]).label == "a"
    assert parse("回答：3年", ["5年", "3年", "1年", "10年"]).label == "b"
    assert parse("回答：5年", ["5年", "5年", "1年", "10年"]).label is None


@pytest.mark.parametrize("choices", [[], [""], ["", "", "", ""], ["a"], ["(", "[", "\\", "*"]])
def test_odd_choices_do_no_harm(choices: list[str]) -> None:
    assert parse("回答: c", choices).label == "c"
    assert parse("届出をする。", choices).label is None
