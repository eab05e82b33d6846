"""Answers announced as such: answer lines, boxes, sentences with 正解 or answer in them."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import FINAL_ANSWER_CUE, LABELS, Label, final_answer_line

pytestmark = pytest.mark.every_python

LINES: list[tuple[str, Label]] = [
    ("回答: c", "c"),
    ("回答：ｂ", "b"),
    ("回答（1文字のみ）: b", "b"),
    ("回答（1文字のみ）：\nd", "d"),
    ("回答（一文字だけ、説明は不要）: c", "c"),
    ("回答（11文字以内）: a", "a"),
    ("回答（111文字のみ）:  d", "d"),
    ("回答（2文字以上）: c", "c"),
    ("回答1文字のみ: d", "d"),
    ("答え：d", "d"),
    ("解答：ｃ。", "c"),
    ("答：b", "b"),
    ("正解：B", "b"),
    ("正解: Ｄ", "d"),
    ("正答 → a", "a"),
    ("正解は以下の通りです：\n\n**b**", "b"),
    ("理由は上のとおり。\n\n**Answer:**\n**c**", "c"),
    ("**Answer:** **d**", "d"),
    ("Answer:\n\nB", "b"),
    ("Answer - c", "c"),
    ("**Answer: (d)**", "d"),
    ("Answer: Option B", "b"),
    ("Final answer: c", "c"),
    ("**Final Answer**\n\n$$\\boxed{a}$$", "a"),
    ("### Final Answer:\n`d`", "d"),
    ("### 答え\n**（c）**", "c"),
    ("## 回答\n\n選択肢 b", "b"),
    ("### 結論\n\n**d**", "d"),
    ("✅ **正解：選択肢 a**", "a"),
    ("☑️ 正解 ： 【Ｂ】", "b"),
    ("【回答】a", "a"),
    ("【最終回答】\n『ｄ』", "d"),
    ("【答え】 選択肢ｃ", "c"),
    ("（答え）c", "c"),
    ("正解：「c」", "c"),
    ("正解：②", "b"),
    ("回答: ④", "d"),
    ("回答: 🄐", "a"),
    ("回答: 𝐀", "a"),
    ("回答: ⒟", "d"),
    ("回答：ウ", "c"),
    ("答え: ｱ", "a"),
    ("回答: 3", "c"),
    ("回答：４", "d"),
    ("Answer: 1", "a"),
    ("正解：2. 内閣総理大臣の承認を要する", "b"),
    ("答えは4です。", "d"),
    ("正解は、3番です。", "c"),
    ("$\\boxed{b}$", "b"),
    ("The result is\n$$\n\\boxed{\\text{B}}\n$$", "b"),
    ("\\boxed{\\textbf{(C)}}", "c"),
    ("\\[ \\boxed{\\mathrm{d}} \\]", "d"),
    ("\\boxed{2}", "b"),
    ("\\boxed{Option a}", "a"),
    ('{"answer": "c"}', "c"),
    ('{"reason": "第3条による", "回答": "b"}', "b"),
    ("<answer>d</answer>", "d"),
    ("答案：c", "c"),
    ("正确答案是 **b**。", "b"),
    ("d. 借地借家法第3条第2項第1号", "d"),
    ("回答：d. 借地借家法第3条第2項第1号", "d"),
    ("回答: c 第12条の3第4項", "c"),
    ("**回答：**\n**b. Article 7, Paragraph 2, Item 1**", "b"),
    ("Answer: a (Article 4, Paragraph 3)", "a"),
    ("Answer: c) Article 2-2, Paragraph 1", "c"),
    ("Answer: b [2]", "b"),
    ("Answer (single letter): c", "c"),
    ("Answer (a, b, c, or d): c", "c"),
    ("回答（a〜dのいずれか）: b", "b"),
    ("回答として最も適切なもの: c", "c"),
    ("Answer: **c** – the tenant may refuse.", "c"),
    ("Answer: a because the landlord agreed.", "a"),
    ("Answer:\nc\n\nExplanation: option a and option b fail.", "c"),
]


@pytest.mark.parametrize(("text", "label"), LINES)
def test_answer_lines(text: str, label: Label) -> None:
    assert parse(text).label == label


SENTENCES: list[tuple[str, Label]] = [
    ("以上から、正解は c です。", "c"),
    ("よって正解は「選択肢d」となります。", "d"),
    ("したがって、正しい選択肢は **b** です。", "b"),
    ("最も適切な選択肢は、ａである。", "a"),
    ("正解はd", "d"),
    ("正解は選択肢cの「30日以内」です。", "c"),
    ("答えは b だと考えられます。", "b"),
    ("正しいものはイです。", "b"),
    ("正解は③です。", "c"),
    ("正解として c を挙げる。回答として b です。", "b"),
    ("The correct answer is **Option c**, since Article 9 applies.", "c"),
    ("Therefore, the answer is (d).", "d"),
    ("So the correct option would be B.", "b"),
    ("The correct choice is therefore a, because no notice was given.", "a"),
    ("My final answer is C.", "c"),
    ("The best answer is thus option d.", "d"),
    ("The right answer is b, not c.", "b"),
    ("正解は b ではなく、d です。", "d"),
    ("正解は「a」ではなく「c」です。", "c"),
    ("正解は a というよりは c です。", "c"),
    ("答えは a より、むしろ選択肢 d です。", "d"),
    ("最終回答は a よりも b です。", "b"),
    ("正解は a より厳密に言えば a です。", "a"),
]


@pytest.mark.parametrize(("text", "label"), SENTENCES)
def test_answer_sentences(text: str, label: Label) -> None:
    assert parse(text).label == label


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("before", ["", "考え方は次のとおり。\n", "第2条により a は除かれる。\n\n"])
def test_the_strictest_form_is_read(label: Label, before: str) -> None:
    parsed = parse(before + final_answer_line(label))
    assert (parsed.label, parsed.status, parsed.rule) == (label, "answered", "final-answer")


def test_the_final_answer_stands_against_words_around_it() -> None:
    assert parse("正解は a に見える。\n最終回答：c\n（b が正しいとする説もある）").label == "c"
    assert parse("最終回答：b\n※正解は d とする見解もある。").label == "b"


def test_even_a_final_answer_can_be_corrected() -> None:
    assert parse("最終回答：b\n見直すと違っていました。\n最終回答：d").label == "d"
    assert parse("最終回答：b\n\n訂正します。正解は c です。").label == "c"


def test_the_cue_holds_nothing_that_could_pass_for_an_answer() -> None:
    assert parse(FINAL_ANSWER_CUE).label is None
    assert parse(f"回答は「{FINAL_ANSWER_CUE}」に続けてください。").label is None


CORRECTED: list[tuple[str, Label]] = [
    ("正解は a です。いや、条文を見直すと正解は c です。", "c"),
    ("Answer: b\n\nWait, paragraph 3 says otherwise.\n\nAnswer: d", "d"),
    ("b\n\n訂正します。届出は不要なので、正解は d です。", "d"),
    ("The answer is a. On reflection, the correct answer is b.", "b"),
    ("答え：c\n（誤記でした）\n答え：a", "a"),
    ("正解は b です。しかし第4条を読むと b ではない。正解は a です。", "a"),
]


@pytest.mark.parametrize(("text", "label"), CORRECTED)
def test_the_last_genuine_commitment_wins(text: str, label: Label) -> None:
    assert parse(text).label == label


def test_the_span_is_what_was_read_in_the_original() -> None:
    text = "（前置き）\n**回答（１文字のみ）：** ｃ\n以上"
    parsed = parse(text)
    assert parsed.rule == "answer-line"
    assert parsed.span is not None
    assert text[slice(*parsed.span)] == "回答（１文字のみ）：** ｃ"
