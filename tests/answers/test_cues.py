"""The places where a text announces its answer."""

from __future__ import annotations

import pytest

from lawqa.answers.cues import MOST_CUES, find_cues, skip_gap
from lawqa.answers.text.page import read_page


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("最終回答：c", [("final", "最終回答")]),
        ("Final answer: c", [("final", "final answer")]),
        ("正解は c", [("line", "正解")]),
        (r"\boxed{c}", [("boxed", r"\boxed")]),
        ('{"selected_option": "b"}', [("line", 'selected_option"')]),
        ("不正解は c", []),
        ("an incorrect answer is b", []),
        ("c", []),
    ],
)
def test_an_announcement_is_found_with_its_manner(text: str, cues: list[tuple[str, str]]) -> None:
    page = read_page(text)
    found = [(cue.manner, page.text[cue.start : cue.end]) for cue in find_cues(page)]
    assert found == cues


def test_of_a_loop_of_cues_the_first_and_the_last_are_read() -> None:
    page = read_page("".join(f"正解は {n}\n" for n in range(2 * MOST_CUES)))
    starts = [cue.start for cue in find_cues(page)]
    assert len(starts) <= MOST_CUES
    assert starts[-1] == page.text.rindex("正解")


@pytest.mark.parametrize(
    ("text", "rest"),
    [(": c", "c"), (" は、\n\n選択肢 c", "c"), ("\n\n\n\n\nc", "\n\n\n\n\nc"), ("猫", "猫")],
)
def test_small_words_and_up_to_three_line_ends_are_stepped_over(text: str, rest: str) -> None:
    assert text[skip_gap(text, 0) :] == rest
