"""What is announced as the answer, and in which manner."""

from __future__ import annotations

import pytest

from lawqa.answers.slots import read_slots
from lawqa.answers.text.page import read_page


@pytest.mark.parametrize(
    ("text", "manner", "content", "label"),
    [
        ("最終回答：c", "final", "label", "c"),
        (r"\boxed{b}", "boxed", "label", "b"),
        ("答え: d", "line", "label", "d"),
        ("正解は b です。", "sentence", "label", "b"),
        ("正解は a と b です。", "sentence", "several", None),
        ("正解は e です。", "sentence", "outside", None),
        ("正解は b ではありません。", "sentence", "denied", "b"),
    ],
)
def test_an_announced_answer_is_read(
    text: str, manner: str, content: str, label: str | None
) -> None:
    page = read_page(text)
    slot, *more = read_slots(page, page).slots
    assert (slot.manner, slot.content, slot.label) == (manner, content, label)
    assert more == []


def test_a_likely_answer_is_soft_and_none_is_announced_without_a_cue() -> None:
    likely, none = read_page("正解は b かもしれません。"), read_page("b の記述は条文のとおり。")
    assert [slot.soft for slot in read_slots(likely, likely).slots] == [True]
    assert read_slots(none, none).slots == ()
