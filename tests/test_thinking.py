"""Whether a text ends inside a thought, for every family of marks."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.thinking import FAMILIES, THINK, ThinkMarks, open_thought

pytestmark = pytest.mark.every_python

each_family = pytest.mark.parametrize("marks", FAMILIES, ids=lambda marks: marks.opening)


@each_family
def test_an_opening_mark_without_its_closing_one_leaves_a_thought_open(marks: ThinkMarks) -> None:
    assert open_thought(f"問\nassistant\n{marks.opening}\n") == marks
    assert open_thought(f"{marks.opening}\n考える\n{marks.closing}\n{marks.opening}") == marks


@each_family
def test_a_closed_thought_is_not_open(marks: ThinkMarks) -> None:
    assert open_thought(f"{marks.opening}\n\n{marks.closing}\n\n") is None
    assert open_thought(f"{marks.opening}\n考える{marks.ending}a") is None


def test_a_text_without_marks_is_outside() -> None:
    assert open_thought("") is None
    assert open_thought("最終回答：a </think>") is None


def test_a_thought_is_closed_by_its_own_mark_only() -> None:
    assert open_thought("<think>\n[/THINK] </thinking>") == THINK


def test_a_completion_that_begins_in_a_thought_is_no_answer_until_the_thought_closes() -> None:
    cut = "選択肢を検討する。\n最終回答：a"
    assert parse(cut).label == "a"
    found = parse(cut, in_thought=True)
    assert (found.label, found.status, found.rule) == (None, "truncated", "unclosed-think")
    closed = parse(f"{cut}\n</think>\n\n最終回答：b", in_thought=True)
    assert (closed.label, closed.status) == ("b", "answered")
