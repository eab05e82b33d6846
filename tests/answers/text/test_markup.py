"""Signs that carry no words are taken out; an element named as the answer becomes an answer line."""

from __future__ import annotations

import pytest

from lawqa.answers.text.mapping import edited
from lawqa.answers.text.markup import markup_edits


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("<b>c</b>", "c"),
        ("c\u200bd", "cd"),
        ("<answer>b</answer>", "\nAnswer: b\n"),
        ('<parameter name="choice">b</parameter>', "\nAnswer: b\n"),
        ("a<br>b", "a\nb"),
        ("~~a~~ b", " b"),
        ("<del>a</del>b", "b"),
        ("_b_", "b"),
        ("x < y and <c>", "x < y and <c>"),
        ("a" + 20 * " " + "b", "a   b"),
    ],
)
def test_markup_goes_and_words_stay(text: str, bare: str) -> None:
    odd = "".join(sign for sign in text if not sign.isascii())
    [result], _ = edited([text], markup_edits(text, odd))
    assert result == bare
