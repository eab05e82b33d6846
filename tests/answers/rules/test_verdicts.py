"""Rules that read verdicts on the choices."""

from __future__ import annotations

import pytest

from lawqa.answers.rules.verdicts import elimination, verdict_table, verdicts_summed_up
from lawqa.answers.slots import read_slots
from lawqa.answers.text.page import read_page


@pytest.mark.parametrize(
    ("rule", "text", "label"),
    [
        (verdict_table, "a ×\nb ○\nc ×\nd ×", "b"),
        (verdict_table, "a ○\nb ○\nc ×\nd ×", None),
        (verdict_table, "条文のとおり ○", None),
        (verdicts_summed_up, "a：× b：○ c：× → b", "b"),
        (verdicts_summed_up, "条文 → b", None),
        (elimination, "a、b、d は誤り", "c"),
        (elimination, "a、b は誤り", None),
    ],
)  # fmt: skip
def test_verdicts_that_leave_one_choice_hand_it_in(
    rule: type, text: str, label: str | None
) -> None:
    page = read_page(text)
    marks = list(rule(read_slots(page, page)))
    assert [mark.label for mark in marks if mark.kind == "claim"] == ([label] if label else [])
