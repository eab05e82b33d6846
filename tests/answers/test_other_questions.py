"""Stretches of a text that speak of another question."""

from __future__ import annotations

import pytest

from lawqa.answers.marks import Mark, Strength
from lawqa.answers.other_questions import example_stretches, next_question_at, speaks_of_others
from lawqa.answers.text.page import read_page

MADE_UP = (
    "最終回答：b\n\n## 問題\n民法について正しいものはどれか。\n"
    "a. 甲の説明\nb. 乙の説明\nc. 丙の説明\nd. 丁の説明\n最終回答：d"
)


def test_a_made_up_question_behind_an_answer_is_set_aside_from_its_heading_on() -> None:
    page = read_page(MADE_UP)
    claim = Mark("claim", "b", Strength.CLAIM, page.text.index("b"), (0, 6))
    at = next_question_at(page, [claim])
    assert at is not None
    assert page.text.index("b") < at <= page.text.index("民法")
    assert next_question_at(page, []) is None, "without an answer before it, it may be ours"


@pytest.mark.parametrize(
    ("text", "others"), [(MADE_UP, True), ("例：\n最終回答：a", True), ("正解は b です。", False)]
)
def test_a_text_that_speaks_of_its_own_question_only_is_known(text: str, others: bool) -> None:
    assert speaks_of_others(read_page(text)) is others


def test_an_example_ends_where_its_paragraph_does() -> None:
    page = read_page("例：\n最終回答：a\n\n条文によれば、最終回答：b")
    [(start, end)] = example_stretches(page)
    assert start <= page.text.index("a") < end <= page.text.index("条文")
