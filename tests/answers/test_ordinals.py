"""Choices named by their number."""

from __future__ import annotations

import pytest

from lawqa.answers.ordinals import numbered
from lawqa.answers.text.page import read_page


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("選択肢3", ["③"]),
        ("3番が正しい", ["③"]),
        ("二番目の選択肢", ["②"]),
        ("the third option", ["③"]),
        ("the last choice", ["④"]),
        ("正解は III です", ["③"]),
        ("選択肢は3つある", []),
        ("第3条", []),
        ("3番地", []),
    ],
)
def test_a_number_that_names_a_choice_becomes_its_sign(text: str, signs: list[str]) -> None:
    assert [edit.text for edit in numbered(read_page(text))] == signs
