"""What follows an answer: corrections, withdrawals, remarks, another question."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

CORRECTED: list[tuple[str, Label]] = [
    ("最終回答：b → c に訂正", "c"),
    ("最終回答：b(訂正：c)", "c"),
    ("最終回答：b、いや c", "c"),
    ("最終回答：b\n訂正：c", "c"),
    ("最終回答：b\n上記は誤りで、cが正しい。", "c"),
    ("最終回答：b\nいや、cが正しい。", "c"),
    ("最終回答：b\nいや、正解は c です。", "c"),
    ("最終回答：b\n申し訳ありません、正しくは c です。", "c"),
    ("最終回答：b\n失礼しました。正解は c です。", "c"),
    ("最終回答：b\n回答を c に訂正します。", "c"),
    ("答えはbだろうか。いや、cだ", "c"),
    ("aか。いや、bだ。よって正解は d です。", "d"),
    ("Final answer: b is wrong, so c", "c"),
    ("Final answer: b\nCorrection: c", "c"),
    ("Final answer: b. Actually, the correct answer is c.", "c"),
    ("Final answer: b\n\nWait, that's wrong. Option c is the correct answer.", "c"),
    ("最終回答：b\nb は誤りでした。cが正解です。", "c"),
    ("最終回答：b\nやはり c が正解です。", "c"),
    ("Final answer: b. No, c.", "c"),
    ("Final answer: b, no wait, c", "c"),
    ("Final answer: b\n\nEdit: c", "c"),
    ("Answer: b\n\nI made a mistake. Option d is the correct one.", "d"),
]


@pytest.mark.parametrize(("text", "label"), CORRECTED)
def test_a_correction_replaces_even_the_final_answer(text: str, label: Label) -> None:
    assert parse(text).label == label


WITHDRAWN = [
    "最終回答：b\n先ほどの回答は誤りです。",
    "最終回答：b\n上記の回答を撤回します。",
    "Final answer: b\n\nMy answer above was wrong.",
]


@pytest.mark.parametrize("text", WITHDRAWN)
def test_an_answer_that_is_withdrawn_does_not_count(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.rule) == (None, "withdrawal")


@pytest.mark.parametrize(
    "text",
    [
        "正解は b です。いや、b は誤り。",
        "最終回答：b\n見直すと、bではない。",
        "The answer is b. Actually, option b is incorrect.",
    ],
)
def test_second_thoughts_that_deny_the_answer_take_it_back(text: str) -> None:
    assert parse(text).label is None


def test_second_thoughts_without_another_answer_change_nothing() -> None:
    assert parse("最終回答：b\n念のため見直したが変わらない。").label == "b"
    assert parse("最終回答：b\n訂正はありません。").label == "b"
    assert parse("いや、b は正しい。").label == "b"


def test_another_answer_behind_the_final_one_without_a_correction_is_a_contradiction() -> None:
    parsed = parse("最終回答：b\nよって正解は c です。")
    assert (parsed.label, parsed.status, parsed.rule) == (None, "unanswered", "contradiction")
    assert parse("最終回答：b\n解説：正解は b です。a は誤り。").label == "b"
    assert parse("最終回答：b\n最終回答：c").label == "c", "a last word replaces a last word"
    assert parse("最終回答：b\n回答：なし").label is None


REMARKS = [
    "ただし旧法では正解はcであった。",
    "なお、多くの受験者が選ぶ誤った答えはcである。",
    "よくある間違いの答えはcです。",
    "なお、正解は c です。",
    "（参考：類題の正解は c です。）",
    "※正解は c です。",
    "解説：原審は届出不要とした。この判断は誤りである。",
    "多くの人がcを選びます。",
    "A common mistake is c.",
    "Note: under the old law, the correct answer is c.",
]


@pytest.mark.parametrize("remark", REMARKS)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_a_remark_behind_the_final_answer_does_not_replace_it(between: str, remark: str) -> None:
    parsed = parse(f"最終回答：b{between}{remark}")
    assert (parsed.label, parsed.rule) == ("b", "final-answer")


NEXT_QUESTIONS = [
    "次の問題：届出の要否はどれか。\n最終回答：d",
    "### 問題2\n届出の要否はどれか。\n最終回答：d",
    "第2問\n届出の要否はどれか。\n正解：d",
    "Next question: which filing is due?\nFinal answer: d",
    "Question 2:\nWhich filing is due?\nAnswer: d",
]


@pytest.mark.parametrize("question", NEXT_QUESTIONS)
@pytest.mark.parametrize("answer", ["最終回答：b", "b", "正解は b です。"])
def test_the_answer_to_a_made_up_next_question_is_not_ours(answer: str, question: str) -> None:
    assert parse(f"{answer}\n\n{question}").label == "b"


def test_the_heading_of_a_question_before_any_answer_is_that_of_ours() -> None:
    assert parse("次の問題：届出の要否。\n最終回答：d").label == "d"
    assert parse("問2\n届出の要否を検討する。\n最終回答：d").label == "d"
    assert parse("b が正しく見える。\n次の問題：期間の定め。\n最終回答：d").label == "d"
