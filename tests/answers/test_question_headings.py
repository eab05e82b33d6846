"""Headings of other questions: the quick look at the first sign of a line loses none of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lawqa.answers import parse
from lawqa.answers import question_headings as headings
from lawqa.answers.text.page import plain_characters

GOLDEN = Path(__file__).parents[1] / "golden/answers_unseen.jsonl"
TEXTS = [
    plain_characters("\n" + json.loads(line)["text"])
    for line in GOLDEN.read_text(encoding="utf-8").splitlines()
]


def test_no_heading_begins_with_a_sign_that_is_not_looked_for() -> None:
    whole = re.compile(rf"\n(?:{headings._NEXT_LINE})")
    for text in TEXTS:
        quick = [heading.span() for heading in headings.NEXT.finditer(text)]
        assert quick == [heading.span() for heading in whole.finditer(text)], text


HEADINGS = (
    "\n学生：では第二条はどうか。",
    "\n【演習】\n空欄に入る語句はどれか。",
    "\n過去問（令和2年）：株式の譲渡",
    "\n[Question]\nWho must register?",
    "\nもう1問いきましょう。\n",
    "\nここで類似の問題を考えてみましょう。",
    "\nTry this one: which applies?",
)
NO_HEADINGS = (
    "\n質問：本当にそうか。",
    "\n次に問題となるのは期間である。",
    "\nもう一つの理由は期間である。",
    "\n問題は、届出が要るかどうかである。",
    "\n学生は届出を要しない。",
)


@pytest.mark.parametrize("line", HEADINGS)
def test_what_hands_over_another_question(line: str) -> None:
    assert headings.NEXT.search(plain_characters(line))


@pytest.mark.parametrize("line", NO_HEADINGS)
def test_what_only_speaks_of_questions(line: str) -> None:
    assert not headings.NEXT.search(plain_characters(line))
    assert not headings.ASKS.search(plain_characters(line))


@pytest.mark.parametrize(
    "asks",
    [
        "本当に正しいものはどれか。",
        "では、届出を要するのは誰か。",
        "改めて考えると、正しいのはどれか。",
    ],
)
def test_a_question_asked_once_more_is_no_other_question(asks: str) -> None:
    assert parse(f"正解はbである。\n\n{asks}\n見直すと、正解はaである。").label == "a"
    assert parse("正解はbである。\n\n保険料を払うのは誰か。\n正解はaである。").label == "b"
