"""Every way to name a choice becomes its bare label, and the way back is kept."""

from __future__ import annotations

import pytest

from lawqa.answers.naming import name_choices
from lawqa.answers.text.page import fold_choices, read_page

CHOICES = fold_choices(("株主総会の決議", "取締役会の決議", "裁判所の許可", "公証人の認証"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("答えは「裁判所の許可」です", "c"),
        ("正解は選択肢3です", "③"),
        ("the second option is right", "②"),
    ],
)
def test_a_choice_in_other_words_is_named_by_its_label(text: str, named: str) -> None:
    assert named in name_choices(read_page(text, CHOICES)).page.text


def test_a_text_that_names_nothing_is_left_as_it_is() -> None:
    page = read_page("よくわかりません", CHOICES)
    result = name_choices(page)
    assert result.page is page
    assert result.by_text == frozenset()


def test_a_label_that_stands_for_words_is_remembered_as_such() -> None:
    result = name_choices(read_page("答えは「裁判所の許可」です", CHOICES))
    assert [result.page.text[at] for at in result.by_text] == ["c"]
