"""A label is one only where it is alone."""

from __future__ import annotations

import pytest

from lawqa.answers.labels import foreign_at, in_a_list, label_at, labels_at, next_sign
from lawqa.answers.text.page import read_page


@pytest.mark.parametrize(
    ("text", "sign", "label"),
    [
        ("b", "b", "b"),
        ("Ｂです", "b", "b"),
        ("③が正しい", "③", "c"),
        ("イが正しい", "イ", "b"),
        ("3です", "3", "c"),
        ("3年です", "3", None),
        ("about", "b", None),
        ("a person may", "a", None),
        ("a is right", "a", "a"),
        ("イギリス", "イ", None),
    ],
)
def test_a_label_stands_alone_in_every_script(text: str, sign: str, label: str | None) -> None:
    page = read_page(text)
    assert label_at(page, page.text.index(sign)) == label


@pytest.mark.parametrize(
    ("text", "labels", "foreign"),
    [
        ("b", ("b",), False),
        ("b と d", ("b", "d"), False),
        ("a, b, c or d", ("a", "b", "c", "d"), False),
        ("a-d", ("a", "b", "c", "d"), False),
        ("c、d は誤り", ("c",), False),
        ("b と e", ("b",), True),
    ],
)
def test_a_list_of_labels_is_read_whole(text: str, labels: tuple[str, ...], foreign: bool) -> None:
    read = labels_at(read_page(text), 0)
    assert read is not None
    assert (read.labels, read.foreign) == (labels, foreign)
    assert read.only == (labels[0] if len(labels) == 1 and not foreign else None)


def test_words_are_no_list() -> None:
    assert labels_at(read_page("猫"), 0) is None
    assert foreign_at(read_page("e です"), 0)
    assert not foreign_at(read_page("every"), 0)


@pytest.mark.parametrize(("sign", "following"), [("b", "c"), ("②", "③"), ("ア", "イ")])
def test_the_next_label_is_of_the_same_script(sign: str, following: str) -> None:
    assert next_sign(read_page(sign), 0) == following


def test_a_later_member_of_a_list_is_known_by_what_is_before_it() -> None:
    page = read_page("a と b")
    assert in_a_list(page, page.text.index("b"))
    assert not in_a_list(page, 0)
