"""Laws that hold for any text, tried on random text and on texts made of the pieces that matter."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lawqa.answers import VERDICTS, parse
from lawqa.answers.evidence import RULES
from lawqa.choices import LABELS, Label

PIECES = (
    *"abcdABＣｄ1234２①④アイｴ",
    *" \n\t　。、,.:：（）()「」【】[]{}$*#-→？",
    *(
        "回答",
        "答え",
        "正解",
        "最終回答：",
        "回答（1文字のみ）: ",
        "Answer:",
        "the correct answer is ",
        "\\boxed{",
    ),
    *(
        "は",
        "が正しい",
        "です",
        "ではない",
        "ではなく",
        "以外",
        "と",
        "または",
        " and ",
        " is ",
        "選択肢",
        "option ",
    ),
    *(
        "なし",
        "none of the options",
        "判断できません",
        "あえて選ぶなら",
        "if forced to choose",
        "例: ",
        "第2条",
    ),
    *(
        "<think>",
        "</think>",
        "<|im_end|>",
        "したがって、",
        "誤っているのは",
        "質問: ",
        "\na 甲\nb 乙\nc 丙\nd 丁\n",
    ),
    *("İ", "ß", "ﬁ", "\u0000", "\ud800", "🅰️", "㍿"),
)
FRAGMENTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
ANY = st.one_of(
    FRAGMENTS,
    st.text(st.characters(), max_size=200),
    st.lists(FRAGMENTS, max_size=3).map("\n".join),
)
NAMES = {rule.name for rule in RULES} | set(VERDICTS)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(ANY, st.lists(ANY, min_size=4, max_size=4) | st.none(), st.booleans())
@example("\ud800", None, False)
def test_any_text_gives_a_consistent_result(
    text: str, choices: list[str] | None, hit_limit: bool
) -> None:
    parsed = parse(text, choices, hit_limit=hit_limit)
    assert parsed.rule in NAMES
    assert (parsed.label is not None) == (parsed.status == "answered")
    if parsed.label is not None:
        assert parsed.label in LABELS
        assert parsed.span is not None
    if parsed.span is not None:
        start, end = parsed.span
        assert 0 <= start < end <= len(text)
    if parsed.rule != "unclosed-think" and parsed.label is None:
        assert parsed.status == ("truncated" if hit_limit else "unanswered")


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(ANY, st.booleans())
def test_the_limit_never_changes_the_label(text: str, hit_limit: bool) -> None:
    assert parse(text, hit_limit=hit_limit).label == parse(text).label


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(ANY, st.text(" \n\t\u3000\r", max_size=30))
def test_trailing_space_changes_nothing(text: str, space: str) -> None:
    assert parse(text + space) == parse(text)


LINES = (
    "回答（1文字のみ）: {}",
    "Answer: {}",
    "**正解：{}**",
    "最終回答：{}",
    "正解は {} です。",
    "{}",
    "回答:\n{}",
)
BEFORE = st.sampled_from(
    ("", "条文を検討する。\n", "{}\n", "b は誤り。\n\n", "正解は a です。\n", "a\nb\nc\nd\n")
)


@pytest.mark.slow
@settings(deadline=None)
@given(
    BEFORE, st.sampled_from(LINES), st.sampled_from(LABELS), st.integers(2, 400), st.integers(0, 12)
)
def test_repeating_the_last_answer_line_changes_nothing(
    before: str, line: str, label: Label, times: int, cut: int
) -> None:
    said = before.format(label) + line.format(label)
    loop = said + ("\n" + line.format(label)) * times
    expected = parse(said + "\n" + line.format(label)).label
    assert parse(loop).label == expected
    begun = line[: min(cut, line.index("{"))]
    if begun != "A":  # no tokenizer cuts `Answer` there
        assert parse(f"{loop}\n{begun}").label == expected


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(ANY, ANY)
def test_thinking_is_never_read(thought: str, answer: str) -> None:
    for tag in ("<think>", "</think>"):
        thought = thought.replace(tag, "")
        answer = answer.replace(tag, "")
    with_thought = parse(f"<think>{thought}</think>{answer}")
    without = parse(f"<think></think>{answer}")
    assert (with_thought.label, with_thought.rule) == (without.label, without.rule)
    headless = parse(f"{thought}</think>{answer}")
    assert (headless.label, headless.rule) == (without.label, without.rule)


@settings(deadline=None)
@given(
    st.sampled_from(LABELS),
    st.integers(1, 3000),
    st.sampled_from(("正解は{}です。", "\n{}\n", "回答: {}\n")),
)
def test_a_loop_of_any_length_reads_alike(label: Label, times: int, line: str) -> None:
    assert parse(line.format(label) * times).label == label


def test_every_rule_has_a_name_and_a_reason() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(len(rule.reason) > 30 for rule in RULES)
    assert not {rule.name for rule in RULES} & set(VERDICTS)
