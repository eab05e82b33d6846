"""What a model's own answer must pass before it is learnt from."""

from __future__ import annotations

import pytest

from lawqa.augment.reasoning import Sample, check, verdict_of
from lawqa.augment.reasoning.filters import agreed, in_japanese
from lawqa.choices import cyclic_orders
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, reordered

pytestmark = pytest.mark.every_python

QUESTION = Question(
    id="民法_1",
    text="期間の計算について正しいものはどれですか。",
    choices=(
        "初日を算入するものとする",
        "初日を算入しないものとする",
        "月の日数による",
        "年の日数による",
    ),
    gold="b",
)
COT = PromptSpec("cot")
GOOD = "第140条は、日、週、月又は年によって期間を定めたときは、初日を算入しないと定める。"
CONTEXT = "民法\n第百四十条　日、週、月又は年によって期間を定めたときは、期間の初日は、算入しない。"


def verdict(text: str, *, context: str = "", spec: PromptSpec = COT, cut_off: bool = False) -> str:
    return verdict_of(check(Sample(QUESTION, 0, text, cut_off), spec, context))


def test_right_and_reasoned_answers_pass_without_their_answer_line() -> None:
    checked = check(Sample(QUESTION, 0, f"{GOOD}\n最終回答：b"), COT, CONTEXT)
    assert verdict_of(checked) == "kept"
    assert checked.reasoning == GOOD
    assert checked.checks == {
        "whole": True, "answered": True, "right": True, "reasoned": True, "no-loop": True,
        "japanese": True, "grounded": True, "own-letters": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{GOOD}\n最終回答：a", "wrong"),
        ("期間の計算についての規定を、順に検討していく必要がある。", "no answer"),
        ("最終回答：b", "no reasoning"),
        ("はい。\n最終回答：b", "no reasoning"),
        (f"{GOOD}\n" * 3 + "最終回答：b", "loop"),
        ("初日を算入しない、" * 60 + "\n最終回答：b", "loop"),
        ("The first day is not counted under Article 140 of the Code.\n最終回答：b", "not in Japanese"),
        ("根据法律的规定，期间的计算不包括第一天，因此应当选择第二个选项。\n最終回答：b", "not in Japanese"),
        (f"{GOOD}\n根据民法第一百四十条的规定，以日、周、月或者年来确定期间的时候，期间的第一天不计算在内，所以选第二个。\n"
         "最終回答：b", "not in Japanese"),
        ("", "no answer"),
    ],
)  # fmt: skip
def test_everything_else_is_named(text: str, expected: str) -> None:
    assert verdict(text) == expected


def test_cut_off_and_failed_samples_never_pass() -> None:
    assert verdict(f"{GOOD}\n最終回答：b", cut_off=True) == "cut off"
    assert verdict_of(check(Sample(QUESTION, 0, "", error="broke"), COT)) == "failed"


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("第百四十条", "kept"),
        ("140条", "kept"),
        ("第一四〇条", "kept"),
        ("第140条の2", "cites what is not there"),
        ("民法第141条", "cites what is not there"),
    ],
)
def test_articles_that_the_context_does_not_name_are_found_in_any_spelling(
    named: str, expected: str
) -> None:
    text = f"{named}によれば、期間の初日は、これを算入しないものとされている。\n最終回答：b"
    assert verdict(text, context=CONTEXT) == expected
    assert verdict(text) == "kept"  # closed-book there is nothing to compare with


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        ("bの「初日を算入しないものとする」は条文のとおりであり、これを選ぶべきである。", "kept"),
        ("選択肢c：初日を算入しないものとする、は条文のとおりであり、これを選ぶべきである。",
         "letters of another order"),
        ("ａ　初日を算入しないものとする。これは条文のとおりであり、選ぶべきである。",
         "letters of another order"),
        ("aの初日を算入するものとするという記述は誤りで、bの初日を算入しないものとする、が残る。", "kept"),
    ],
)  # fmt: skip
def test_a_letter_beside_a_choice_is_the_one_that_was_shown(reasoning: str, expected: str) -> None:
    assert verdict(f"{reasoning}\n最終回答：b") == expected


def test_what_one_order_s_letters_say_is_refused_in_another() -> None:
    shown = reordered(QUESTION, cyclic_orders()[1])
    text = f"{GOOD}bの「初日を算入しないものとする」が正しい。\n最終回答：{shown.gold}"
    assert verdict_of(check(Sample(shown, 0, text), COT)) == "letters of another order"


def test_samples_agree_over_orders_by_the_choice_and_not_by_its_letter() -> None:
    orders = [QUESTION, *(reordered(QUESTION, order) for order in cyclic_orders()[1:])]
    right = [check(Sample(q, 0, f"{GOOD}\n最終回答：{q.gold}"), COT) for q in orders]
    same_letter = [check(Sample(q, 0, f"{GOOD}\n最終回答：c"), COT) for q in orders]
    wrong = [check(Sample(QUESTION, n, f"{GOOD}\n最終回答：a"), COT) for n in range(2)]
    assert agreed([*right[:2], *wrong[:1]])
    assert agreed([*right[:2], *wrong])  # as many as for another choice
    assert not agreed([right[0], *wrong])
    assert agreed(same_letter)  # one vote for each choice
    assert agreed([check(Sample(QUESTION, 0, "?"), COT)]) is None


def test_with_thinking_the_think_block_is_the_reasoning() -> None:
    spec = PromptSpec("direct", thinking=True)
    checked = check(Sample(QUESTION, 0, f"<think>\n{GOOD}\n</think>\n\nb"), spec)
    assert (verdict_of(checked), checked.reasoning) == ("kept", GOOD)
    assert verdict("b", spec=spec) == "no reasoning"


def test_names_of_statutes_without_kana_are_japanese() -> None:
    assert in_japanese(
        "根拠は次の条である。\n金融商品取引法施行令第十五条の七第一項第三号\nこれによる。"
    )
    assert in_japanese("NISA口座での取引は、ETFやREITの取得を含むものとされている。")
