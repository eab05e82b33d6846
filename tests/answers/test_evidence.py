"""The marks of all rules on one page, and what they come to."""

from __future__ import annotations

import pytest

from lawqa.answers.evidence import RULES, find_evidence
from lawqa.answers.text.page import read_page


@pytest.mark.parametrize(
    ("text", "label", "rule"),
    [
        ("c", "c", "sole-label"),
        ("条文を読む。\n最終回答：b", "b", "final-answer"),
        ("最終回答：a\n最終回答：d", "d", "final-answer"),
        ("よくわかりません。", None, ""),
    ],
)
def test_a_page_comes_to_one_label_or_none(text: str, label: str | None, rule: str) -> None:
    mark = find_evidence(read_page(text)).decision.mark
    assert (mark and mark.label, mark.rule if mark else "") == (label, rule)


def test_looking_at_everything_changes_no_label() -> None:
    page = read_page("a は誤り。正解は b かもしれません。\n最終回答：b")
    for complete in (False, True):
        mark = find_evidence(page, complete=complete).decision.mark
        assert mark is not None
        assert mark.label == "b"


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names)) > 15
