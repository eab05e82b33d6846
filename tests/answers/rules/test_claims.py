"""A claim in words, and what the words around it leave of it."""

from __future__ import annotations

import re

import pytest

from lawqa.answers.marks import Strength
from lawqa.answers.rules.claims import last_label_in, read_claims
from lawqa.answers.text.page import read_page
from lawqa.answers.wording import family, wording

CHOSEN = family(wording("を選ぶ", r"[a-de](?:と[a-de])?を選ぶ"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("bを選ぶ。", [("claim", "b", Strength.CLAIM)]),
        ("強いて答えるなら bを選ぶ。", [("claim", "b", Strength.FORCED)]),
        ("eを選ぶ。", [("void", None, Strength.CLAIM)]),
        ("aとbを選ぶ。", []),
        ("条文を読む。", []),
    ],
)
def test_a_wording_claims_the_label_it_singles_out(
    text: str, read: list[tuple[str, str | None, Strength]]
) -> None:
    marks = read_claims(read_page(text), CHOSEN)
    assert [(mark.kind, mark.label, mark.strength) for mark in marks] == read


def test_the_last_label_of_a_match_counts() -> None:
    page = read_page("a より b")
    match = re.compile(".+").match(page.text)
    assert match is not None
    assert page.text[last_label_in(page, match)] == "b"
