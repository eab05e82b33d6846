"""Refusals, hedged and unhedged, and how a text ended."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

REFUSALS = [
    "None of the provided choices (a, b, c, d) is supported by the law.",
    "Answer: None of the options",
    "Answer: None",
    "**Answer:** No correct option among a to d.",
    "$$\\boxed{\\text{None of the above}}$$",
    "The correct answer is not among the options (a–d).",
    "It is impossible to determine the correct answer from these provisions.",
    "Answer: Cannot be determined",
    "なし",
    "回答：なし",
    "正解：該当なし",
    "回答（1文字のみ）: なし",
    "正解は存在しません。",
    "したがって、正しい選択肢は存在しません。",
    "いずれの選択肢も正しくありません。",
    "与えられた条文からは判断できません。",
    "申し訳ありませんが、質問の意味が分かりません。もう少し詳しく教えてください。",
    "Could you please tell me which law you mean?",
    "Option b looks tempting.\n\nAnswer: None of these options is valid.",
    "a は条文にない。b も条文にない。\n結論：該当する選択肢はありません。",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_no_answer(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.status) == (None, "unanswered")


FORCED: list[tuple[str, Label]] = [
    (
        "None of the options follows from the law. If forced, **option b** would be the correct answer.",
        "b",
    ),
    ("Answer: None of the options. However, if one must be selected, the answer would be c.", "c"),
    ("条文からは判断できません。あえて選ぶなら、正解は d です。", "d"),
    ("正しい選択肢は存在しません。強いて言えば、a が最も適切です。", "a"),
    ("No option is fully correct. If I had to pick, I would choose c.", "c"),
    (
        "どの選択肢も条文に根拠がなく判断できません。ただし、一般論から正解は選択肢bとします。\nAnswer: b",
        "b",
    ),
    ("The law does not say. Still, the most likely answer is d.", "d"),
]


@pytest.mark.parametrize(("text", "label"), FORCED)
def test_a_forced_choice_that_stands_counts(text: str, label: Label) -> None:
    assert parse(text).label == label


RETRACTED = [
    "If forced to choose, option b would be the correct answer, but none of the options is valid.",
    "If an answer must be selected, the answer would be c. But it cannot be determined.\n\nAnswer: None",
    "あえて選ぶなら b が適切ですが、正しい選択肢は存在しません。",
    "強いて選べば正解は d です。しかし根拠がなく、判断できません。",
    "正解は b です。いえ、正解は b ではありません。",
    "Answer: b\n\nCorrection: none applies.\n\nAnswer: None of the options",
]


@pytest.mark.parametrize("text", RETRACTED)
def test_a_choice_taken_back_does_not_count(text: str) -> None:
    assert parse(text).label is None


def test_a_correction_replaces_what_was_announced_before() -> None:
    text = "正解は b です。いえ、正解は a ではなく c です。"
    parsed = parse(text)
    assert (parsed.label, parsed.span) == ("c", (text.rindex("正解"), text.index("c") + 1))
    text = "The answer is b. No, the answer is not b but d."
    parsed = parse(text)
    assert (parsed.label, parsed.span) == ("d", (text.rindex("answer"), text.index("d.") + 1))
    taken_back = parse("The answer is b. No, the answer is not b but something else.")
    assert (taken_back.label, taken_back.rule) == (None, "retraction")


def test_a_firm_answer_after_a_refusal_is_not_replaced_by_a_weaker_one() -> None:
    text = "正しい選択肢はありません。しかし正解は b です。よって c が正しい。"
    assert parse(text).label == "b"


CAVEATS: list[tuple[str, Label]] = [
    ("d\n条文の記載がないため断定できませんが、一般的な知識に基づく回答です。", "d"),
    ("回答：a\n（※実際の条文がないため、正確には判断できません）", "a"),
    ("Answer: c\n\nNote: none of the other options mentions a deadline.", "c"),
    ("Answer: b. The provisions do not allow us to confirm the amount.", "b"),
    ("None of the other options is right, so the answer is a.", "a"),
]


@pytest.mark.parametrize(("text", "label"), CAVEATS)
def test_a_caveat_beside_an_answer_takes_nothing_back(text: str, label: Label) -> None:
    assert parse(text).label == label


@pytest.mark.parametrize("text", ["", " \n\t", "　", "\u200b", "**", "<think></think>\n\n"])
def test_an_empty_output_is_unanswered(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.status, parsed.rule, parsed.span) == (
        None,
        "unanswered",
        "empty",
        None,
    )
    assert parse(text, hit_limit=True).status == "truncated"


def test_the_limit_only_decides_between_unanswered_and_truncated() -> None:
    reasoning = "まず第5条を確認する。a は届出の話であり、b は"
    assert parse(reasoning).status == "unanswered"
    assert parse(reasoning, hit_limit=True).status == "truncated"
    assert parse("正解は b です。理由は、第5条", hit_limit=True).status == "answered"


THOUGHTS: list[tuple[str, Label | None]] = [
    ("<think>\n正解は a かもしれない。答え：a\n</think>\n\nb", "b"),
    ("<think>\n\n</think>\n\n回答: d", "d"),
    ("a か b か迷う。回答: a\n</think>\n\n回答: c", "c"),
    ("<THINK>回答: a</THINK>c", "c"),
    ("<think>回答: a</think>", None),
    ("回答: a</think>", None),
    ("<think>一。</think>回答: b<think>回答: c</think>", "b"),
    ("＜think＞回答: a＜/think＞\nd", "d"),
]


@pytest.mark.parametrize(("text", "label"), THOUGHTS)
def test_thinking_is_not_the_answer(text: str, label: Label | None) -> None:
    assert parse(text).label == label


def test_what_was_read_is_found_again_in_the_whole_output() -> None:
    text = "条文を見る。<think>a か。</think>続きを見る。<think>b か。</think>さらに見る。回答: c"
    span = parse(text).span
    assert span is not None
    assert text[slice(*span)] == "回答: c"


def test_the_turn_is_found_behind_thinking_too() -> None:
    parsed = parse("<think>迷う。</think>\n<|im_start|>assistant\nd<|im_end|>\n回答: a")
    assert (parsed.label, parsed.rule) == ("d", "sole-label")


@pytest.mark.parametrize(
    "text",
    [
        "<think>\n正解は b です。",
        "<think>\n回答: b\n" * 5,
        "</think>回答: b<think>回答: c",
        "a\n<think>",
    ],
)
def test_an_unclosed_think_block_is_truncated(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.status, parsed.rule) == (None, "truncated", "unclosed-think")
