"""What is stored once, and that nothing is lost by it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lawqa.report.page.stored_texts import Once, Texts, usual_fields, without_usual

ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.booleans()))


def test_a_line_that_two_texts_share_is_stored_once() -> None:
    texts = Texts()
    assert [texts.number(text) for text in ("問\na 甲", "問\na 乙", "", "問\na 甲")] == [
        0,
        1,
        None,
        0,
    ]
    assert texts.lines == ["問", "a 甲", "a 乙"]
    assert texts.all == [[0, 1], [0, 2]]


@given(st.lists(st.text("ab\n\r\u2028")))
def test_every_text_comes_back(found: list[str]) -> None:
    texts = Texts()
    for text, number in [(text, texts.number(text)) for text in found]:
        shown = "" if number is None else "\n".join(texts.lines[line] for line in texts.all[number])
        assert shown == text


def test_equal_values_have_one_number() -> None:
    once = Once()
    assert [once.number(value) for value in ({"a": 1}, {"a": 2}, {"a": 1})] == [0, 1, 0]
    assert once.all == [{"a": 1}, {"a": 2}]


@given(ROWS)
def test_what_is_usual_and_what_differs_are_the_row(rows: list[dict[str, object]]) -> None:
    usual = usual_fields(rows, "abc")
    for row in rows:
        whole = {**usual, **without_usual(row, usual)}
        assert {name: value for name, value in whole.items() if value is not None} == row
