"""Thoughts and answer of a server's text."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.backends.remote.text import WrittenText, begins_in_thought

CUT = "選択肢を検討する。\n最終回答：a"


def written(content: str, *, thinking: str = "", hit_limit: bool = True) -> WrittenText:
    return WrittenText(content=content, thinking=thinking, hit_limit=hit_limit, tokens=20)


def test_a_text_without_the_opening_mark_is_a_closed_thought_and_a_reply() -> None:
    assert parse(f"{CUT}\n</think>\n\n最終回答：b").label == "b"
    assert parse(f"{CUT}\n[/THINK]最終回答：b").label == "b"


def test_a_text_that_was_cut_without_any_mark_began_in_a_thought() -> None:
    assert begins_in_thought(written(CUT), thinking=True)
    assert parse(CUT, hit_limit=True, in_thought=True).status == "truncated"


@pytest.mark.parametrize(
    ("text", "thinking"),
    [
        (written(CUT), False),
        (written(CUT, hit_limit=False), True),
        (written(CUT, thinking="検討"), True),
        (written(f"{CUT}\n</think>\n\n最終回答：b"), True),
        (written(f"<think>{CUT}"), True),
    ],
    ids=["thinking off", "not cut", "thinking apart", "closed", "own opening mark"],
)
def test_what_shows_its_thinking_is_read_as_it_stands(text: WrittenText, thinking: bool) -> None:
    assert not begins_in_thought(text, thinking=thinking)
