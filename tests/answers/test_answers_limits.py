"""How far the parser looks: long texts, many cues, long gaps, long lists, many odd signs."""

from __future__ import annotations

import cProfile

import pytest

from lawqa.answers import parse
from lawqa.answers.explanation import explain
from lawqa.choices import Label

ANSWER = "正解は b です。"
# 160,000 characters without a repetition, more than any completion has.
LONG = "".join(f"第{n * 7919}条は届出の期間を定める。" for n in range(9000))
# A thousand cues that announce nothing, none of them a repetition of another.
CUES = "".join(f"正解とは何か（{n}）。" for n in range(1500))


@pytest.mark.parametrize("filler", [LONG, CUES])
def test_of_a_long_text_beginning_and_end_are_read(filler: str) -> None:
    for text in (ANSWER + filler, f"{filler}\n{ANSWER}"):
        parsed = parse(text)
        assert parsed.label == "b"
        assert parsed.span is not None
        assert text[slice(*parsed.span)] == "正解は b"


def test_the_middle_of_a_text_that_no_model_writes_is_not_read() -> None:
    assert parse(LONG + ANSWER + LONG).label is None


@pytest.mark.parametrize("loop", ["以上。\n", "届出の期間は条文に定めがある。\n"])
def test_a_loop_is_shortened_and_what_stands_before_it_is_not(loop: str) -> None:
    parsed = parse(f"{LONG[:3000]}{ANSWER}\n{loop * 60}")
    assert (parsed.label, parsed.rule) == ("b", "answer-sentence")


def test_a_text_of_many_odd_signs_is_read_like_any_other() -> None:
    full_width = "".join(map(chr, range(0xFF21, 0xFF5B))) + "".join(map(chr, range(0x2460, 0x2480)))
    parsed = parse(f"{full_width}。\n【回答】Ｃ")
    assert (parsed.label, parsed.rule) == ("c", "answer-line")


def test_the_letter_stands_at_most_three_lines_below_its_heading() -> None:
    assert parse("回答:\n\n\nb（第3条）").label == "b"
    assert parse("回答:\n\n\n\nb（第3条）").label is None


def test_a_line_below_the_heading_that_only_begins_with_a_letter_is_no_answer() -> None:
    assert parse("回答:\na. 届出を要する").label == "a"
    assert parse("回答:\nb は第3条の話である。").label is None
    assert parse("Answer:\nb applies only to firms.").label is None
    assert parse("回答:\na. 届出を要する\nb. 許可を要する").label is None, "the choices again"


def test_a_letter_far_behind_its_cue_is_not_its_answer() -> None:
    assert parse("正解は" + "明らかに、" * 5 + "b").label == "b"
    assert parse("正解は" + "明らかに、" * 7 + "b").label is None


def test_a_range_names_every_letter_between_its_ends() -> None:
    assert parse("b が正しい。\n正解：a-d").label == "b", "all four: the instruction, no answer"
    several = parse("b が正しい。\n正解：a-c")
    assert (several.label, several.rule) == (None, "several-answers")


def test_a_list_that_goes_on_and_on_is_no_answer_and_unsays_none() -> None:
    assert parse("b が正しい。正解：" + "、".join("abcdabcdab")).label == "b"


def test_a_refusal_in_an_example_takes_nothing_back() -> None:
    assert parse("b が正しい。例：正しい選択肢は存在しません。").label == "b"
    assert parse("b が正しい。いや、正しい選択肢は存在しません。").label is None


MEGABYTE = 1_000_000
ODD = (
    ("答え：" + "\u200b" * MEGABYTE + "c", "c"),
    ("\u200b" * MEGABYTE + "c", "c"),
    ("答え：" + " " * MEGABYTE + "c", "c"),
    ("答え：c" + "\u3000" * MEGABYTE, "c"),
    ("\\boxed{" * (MEGABYTE // 7), None),
    ("\\boxed{" * (MEGABYTE // 7 + 1) + "x", None),
    ("\u202e答え：c\u202c", "c"),
    ("a\u200b" * (MEGABYTE // 2), None),
    ("7" * MEGABYTE, None),
    ("「" * MEGABYTE, None),
    ("<think>" * (MEGABYTE // 7), None),
    ("abcd" * (MEGABYTE // 4), None),
    ("a b c d " * (MEGABYTE // 8), None),
    ("時効の援用" * (MEGABYTE // 5), "b"),
    ("正解は" * (MEGABYTE // 3) + "cです。", "c"),
)


@pytest.mark.parametrize(("text", "label"), ODD, ids=range(len(ODD)))
def test_a_megabyte_of_trouble_is_read_as_if_it_were_short(text: str, label: Label | None) -> None:
    choices = ("承認", "時効の援用", "催告", "相殺")
    assert parse(text, choices).label == label


@pytest.mark.parametrize(
    "line",
    [
        "回答 {}: a\n",
        "{}条ではbかもしれません。",
        "第{}条，故本题选A。",
        '{{"choice": "a", "n": {}}}\n',
        "{}. 時効の援用（b）が正しい。\n",
        "{}次のうち、bが",
    ],
)
def test_the_evidence_looked_at_does_not_grow_with_the_text(line: str) -> None:
    """Counted, not timed: the pieces of evidence are bounded, whatever the length."""
    counts = [
        len(explain("".join(line.format(i * 7919) for i in range(size))).evidence)
        for size in (6000, 12000)
    ]
    assert counts[1] <= 1.1 * counts[0] < 6000


TROUBLES = (
    "正解{n}",
    "出力例{n}：\n",
    "学生：{n}はどれか。\n",
    "a：× b：○ {n} → b\n",
    "正解は iii{n} ",
    "{n}番目が、",
    "{n}よりはbの方が、",
    "{n}、a以外に",
    "<answer>{n}</answer>",
    "\\boxed{{{n}\\boxed{{",
    "a\u0301{n}\u2067\u2066",
    "| {n} | a | ○ |\n",
    "いや、{n}は違う。Wait, {n} is wrong. ",
    "c\n問題{n}：次のうち正しいものはどれか。\na. 甲\nb. 乙\nc. 丙\nd. 丁\n",
)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_pattern_takes_more_calls_the_longer_it_is(trouble: str) -> None:
    """Calls are counted, not seconds: what is looked at is bounded, so twice the text costs as much."""
    lines = [trouble.format(n=n * 7919) for n in range(150_000 // len(trouble))]
    counts = [_calls("".join(lines[:size])) for size in (len(lines) // 2, len(lines))]
    assert counts[1] < 1.25 * counts[0] + 500, counts
    assert counts[1] < 200_000, counts


def _calls(text: str) -> int:
    """How many functions are called to read a text."""
    profile = cProfile.Profile()
    with profile:
        parse(text, ("承認", "時効の援用", "催告", "相殺"))
    return sum(entry.callcount for entry in profile.getstats())
