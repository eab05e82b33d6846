"""What the words around a label make of it."""

from __future__ import annotations

import pytest

from lawqa.answers.context import (
    conditional,
    doubtful,
    excepting,
    in_example,
    questioned,
    sentence_start,
)


@pytest.mark.parametrize(
    ("behind", "asked", "likely"),
    [
        ("が正しいかどうか", True, False),
        ("?", True, False),
        ("の場合、", True, False),
        ("なら", True, False),
        ("かもしれません", True, True),
        ("ではないでしょうか", False, True),
        ("の可能性が最も高い", False, True),
        ("です。", False, False),
        ("が正しい。", False, False),
    ],
)
def test_what_follows_a_label_may_ask_or_only_think_it_likely(
    behind: str, asked: bool, likely: bool
) -> None:
    text = f"答えは b{behind}"
    at = text.index("b") + 1
    assert (questioned(text, at), doubtful(text, at)) == (asked, likely)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("一つ目。二つ目 b", "二つ目 b"), ("line\nb", "b"), ("first. then b", " then b"), ("b", "b")],
)
def test_a_sentence_begins_behind_a_full_stop_or_line_end(text: str, expected: str) -> None:
    at = text.index("b")
    assert text[sentence_start(text, at) :].strip() == expected.strip()


@pytest.mark.parametrize(
    ("before", "example"),
    [("例えば「", True), ("出力サンプル:", True), ("答えは", False), ("", False)],
)
def test_an_example_of_an_answer_is_none(before: str, example: bool) -> None:
    text = f"{before}b"
    assert in_example(text, len(before)) is example


def test_conditions_and_exceptions_are_seen_in_the_words_before() -> None:
    forced = "強いて選ぶなら b"
    assert conditional(forced, forced.index("b"))
    assert not conditional("正解は b", 4)
    others = "a 以外に適切なものはない"
    assert excepting(others, others.index("適切"))
    assert not excepting("a が適切なもの", 4)
