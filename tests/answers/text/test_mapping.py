"""Offsets through edits."""

from __future__ import annotations

from lawqa.answers.text.mapping import Edit, back, back_span, edited


def test_every_kept_sign_leads_back_to_where_it_was() -> None:
    raw = "say **bold** and 選択肢3."
    edits = [Edit(4, 12, kept=(6, 10)), Edit(17, 21, text="③")]
    [new], pieces = edited([raw], edits)
    assert new == "say bold and ③."
    for at, sign in enumerate(new):
        if sign != "③":
            assert raw[back(pieces, at)] == sign
    assert back(pieces, new.index("③")) == raw.index("選")
    assert back_span(pieces, (4, 8)) == (6, 10)


def test_equally_long_texts_are_edited_alike_and_an_overlap_is_left_out() -> None:
    (raw, folded), _ = edited(["A**B", "a**b"], [Edit(1, 3), Edit(2, 3, text="x")])
    assert (raw, folded) == ("AB", "ab")


def test_without_an_edit_a_place_is_where_it_was() -> None:
    texts, pieces = edited(["abc"], [])
    assert (texts, back(pieces, 2)) == (["abc"], 2)
