"""Choices graded one by one: the last may be meant as the answer; a denial takes one back."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

CLOSING: list[tuple[str, Label]] = [
    ("選択肢 b は正しい。", "b"),
    ("a は誤り。b は誤り。c は誤り。d は正しい。", "d"),
    ("a は誤り。b は誤り。選択肢 c は妥当である。", "c"),
    ("a は正しい。b は正しい。c は誤りである。", "c"),
    ("a は正しい。b は適切。\nd は、正しくない。", "d"),
    ("a is wrong. b is wrong. c is correct.", "c"),
    ("Statement a is accurate. Statement b is accurate. Statement d is incorrect.", "d"),
    # The same grade said twice of the same choice is still one choice.
    ("b は正しい。届出は要らない。b は正しい。", "b"),
    ("a は正しい。b は正しい。c は誤り。届出が要る。c は誤り。", "c"),
    # What follows the grade in its sentence may explain it.
    ("ア は誤り。イ は正しく、届出は要らない。", "b"),
]


@pytest.mark.parametrize(("text", "label"), CLOSING)
def test_the_one_choice_graded_unlike_the_others_at_the_end_is_the_answer(
    text: str, label: Label
) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.rule) == (label, "closing-grade")


NO_CLOSING = {
    "a bad grade beside one good one: c and d were not looked at": "a は正しい。c は誤りである。",
    "a bad grade alone": "c は誤りである。",
    "two good ones": "a は正しい。b は正しい。",
    "two good ones, the last after bad ones": "a は正しい。c は誤り。d は誤り。b は正しい。",
    "two bad ones beside two good ones": "a は正しい。b は正しい。c は誤り。d は誤り。",
    "cut off behind the grade": "a は正しい。b は正しい。c は誤りである",
    "cut off in the explanation": "選択肢 b は正しいが、第3条の",
    "the text goes on": "選択肢 b は正しい。次に第4条を検討する。",
    "the text goes on in a new line": "Option b is correct\nNow to the next one.",
    "a member of a list": "選択肢 a と b は正しい。",
    "a letter in a word": "選択肢のうちイタリアは正しい。",
}


@pytest.mark.parametrize("text", NO_CLOSING.values(), ids=NO_CLOSING)
def test_other_grades_are_an_analysis_not_an_answer(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.rule) == (None, "no-rule")


def test_a_grade_at_the_end_does_not_unsay_an_answer() -> None:
    assert parse("正解は b です。c は誤り。d は正しい。").label == "b"


DENIED = [
    "正解は b です。しかし b は正解ではない。",
    "正解は b です。改めて検討すると「b」は、正答ではありません。",
    "The answer is b. Wait, option b is not the correct answer.",
    "The answer is b. Actually, b isn't the right choice.",
]


@pytest.mark.parametrize("text", DENIED)
def test_a_denial_takes_back_what_was_said(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.status, parsed.rule) == (None, "unanswered", "denial")


@pytest.mark.parametrize(
    "text",
    [
        "正解は b です。c は正解ではない。",
        "The answer is b. Option c is not the correct answer.",
        "正解は イ です。スイスのアイは正解ではない。",
    ],
)
def test_a_denial_of_something_else_takes_nothing_back(text: str) -> None:
    assert parse(text).label == "b"


def test_an_answer_after_a_denial_stands() -> None:
    assert parse("正解は b です。いや、b は正解ではない。正解は c です。").label == "c"


INLINE = [
    "A：誤り、B：正しい、C：誤り、D：誤り。",
    "a：正しい。b：誤り。c：誤り。d：誤り。",
    "a: ×、b: ○、c: ×、d: ×",
    "a ×　b ○　c ×　d ×",
    "a=誤り、b=正しい、c=誤り、d=誤り",
    "a）誤り b）正しい c）誤り d）誤り",
    "(a)誤り(b)正しい(c)誤り(d)誤り",
    "a→誤り b→正しい c→誤り d→誤り",
    "a.誤り b.正しい c.誤り d.誤り",
    "a 誤り、b 正しい、c 誤り、d 誤り",
    "aが誤り、bが正しい、cが誤り、dが誤り。",
    "ア：誤り、イ：正しい、ウ：誤り、エ：誤り",
    "①：誤り、②：正しい、③：誤り、④：誤り",
    "選択肢a：誤り、選択肢b：正しい、選択肢c：誤り、選択肢d：誤り",
    "A - incorrect, B - correct, C - incorrect, D - incorrect",
    "A: False; B: True; C: False; D: False",
    "A. Incorrect. B. Correct. C. Incorrect. D. Incorrect.",
    "Option A: incorrect. Option B: correct. Option C: incorrect. Option D: incorrect.",
    "回答：a：誤り、b：正しい、c：誤り、d：誤り。",
    "最終回答：a：誤り b：正しい c：誤り d：誤り",
]


@pytest.mark.parametrize("text", INLINE)
def test_verdicts_on_one_line_are_no_answer_just_as_on_several(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.status) == (None, "unanswered"), parsed
    assert parse(f"{text}\nよって正解は b です。").label == "b"


OPENING: list[tuple[str, Label]] = [
    ("a：届出が要るため。", "a"),
    ("a: 第3条が定める。b、c、dは誤り。", "a"),
    ("a（第3条）。選択肢(b)は誤り。", "a"),
    ("a. 届出を要する。bは許可の話である。", "a"),
    ("aです。bは期間を誤る。", "a"),
    ("a が正しい。b は誤り。", "a"),
    ("a - the landlord's consent. Option b is wrong.", "a"),
    ("回答：a 正しい。b は誤り。", "a"),
]


@pytest.mark.parametrize(("text", "label"), OPENING)
def test_a_letter_before_its_reason_is_not_the_first_of_a_list(text: str, label: Label) -> None:
    assert parse(text).label == label
