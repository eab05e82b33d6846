"""What can be seen of a choice without understanding it."""

from __future__ import annotations

from lawqa.augment.shortcuts.surface import (
    folded,
    longest_run,
    statements_in,
    surfaces,
    without_name,
)
from lawqa.questions import Question


def test_the_longest_piece_and_its_place_are_those_of_a_search_through_all_pieces() -> None:
    text, context = "取締役は三人以上", "会社の取締役会は、取締役は二人以上"
    pieces = [
        text[i:j]
        for i in range(len(text))
        for j in range(i + 1, len(text) + 1)
        if text[i:j] in context
    ]
    longest = max(map(len, pieces))
    length, place = longest_run(text, context)
    assert length == longest
    assert context[place : place + length] in text
    assert longest_run("abc", "xyz") == (0, -1)


def test_a_choice_is_seen_with_its_context_and_its_rivals() -> None:
    question = Question(
        "民法_1", "いつか。", ("必ず三日以内に届ける", "届けない場合がある", "5日", "届ける"), "a",
        context="第一条　必ず三日以内に届ける。",
    )  # fmt: skip
    first, second, third, _ = surfaces(question)
    assert (first.verbatim, first.run, first.absolutes) == (True, 1.0, 1)
    assert (second.verbatim, second.hedges > 0, second.negations) == (False, True, 1)
    assert third.figures == 1


def test_texts_are_compared_without_signs_width_and_old_spelling() -> None:
    assert folded("「Ａ、Ｂ」であつた。") == folded("AB であった")
    assert without_name("第3条第2項によれば届ける") == "届ける"
    assert statements_in("次の記述\nア　届ける。\nイ．届けない。\nどれか") == (
        "届ける。",
        "届けない。",
    )
