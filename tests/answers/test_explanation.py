"""`lawqa.answers.explanation`: it says what the parser says, and why."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.answers import parse
from lawqa.answers.explanation import explain

ANSWERS = (
    *("正解は{}です。", "回答：{}", "{}ではないでしょうか。", "故本题选{}。", "\\boxed{{{}}}"),
    *("したがって、時効の援用（{}）が最も適切である。", "The correct answer is {}."),
    *('{{"choice": "{}"}}', "正解は{}ではありません。", "{}とeが正解です。", "判断できません。"),
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from([answer.format(label) for answer in ANSWERS for label in "abcd"]),
        max_size=4,
    )
)
def test_the_explanation_tells_what_the_parser_says(parts: list[str]) -> None:
    text = "\n".join(parts)
    told = explain(text)
    assert told.answer == parse(text)
    decides = [found for found in told.evidence if found.fate == "decides"]
    assert [found.label for found in decides] == [told.answer.label] * len(decides)
    assert len(decides) == (told.answer.rule not in ("no-rule", "empty"))
    for found in told.evidence:
        assert 0 <= found.span[0] < found.span[1] <= len(text)
        assert found.reason


def test_a_bare_letter_is_explained_though_no_rule_has_to_read_it() -> None:
    (found,) = explain(" b\n").evidence
    assert (found.rule, found.label, found.span, found.fate) == (
        "sole-label",
        "b",
        (1, 2),
        "decides",
    )


def test_a_thought_that_never_ends_has_no_evidence() -> None:
    told = explain("<think>正解はaです。")
    assert (told.answer.rule, told.evidence, told.read) == ("unclosed-think", (), 0)
