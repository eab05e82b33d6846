"""What an article is called: how it is cited, and how a heading or the beginning of a line names it."""

from __future__ import annotations

import pytest

from lawqa.statutes.article_names import ParagraphName, article_name

pytestmark = pytest.mark.every_python
FIEA, ORDER = "金融商品取引法", "金融商品取引法施行令"


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("5", "第5条"),
        ("27_13_2", "第27条の13の2"),
        ("55:57", "第55条から第57条まで"),
        ("15,16", "第15条及び第16条"),
    ],
)
def test_article_numbers_have_names(number: str, name: str) -> None:
    assert article_name(number) == name


def test_citing() -> None:
    assert str(ParagraphName("甲法", "27_22_2", 3)) == "甲法 27条の22の2 3項"
    assert str(ParagraphName("甲法", "3")) == "甲法 3条 1項", "the first paragraph has no number"
