"""Echoes, loops, enumerations, made-up prompts: what a model writes when it does not stop."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

CUE = "回答（1文字のみ）:"
WHY = "この規定は届出の時期を定めるもので、他の選択肢（a、b、d）は期間の定めに反します。"

LOOPS: list[tuple[str, Label]] = [
    ("a\n" + f"{CUE} a\n" * 150 + "回答（1", "a"),
    ("c\n\n" + f"{CUE}  c\n\n" * 80 + CUE, "c"),
    (f"{CUE} b\n" * 3 + f"回答（11文字以内）: b\n{CUE} b\n" * 30 + "回答（11文字", "b"),
    ("回答は1文字のみで答えてください。\nd\n" * 40 + "回答は1文字のみで", "d"),
    ("b\n" * 300, "b"),
    ("d d d d d d\n回答: d\n回答: d", "d"),
    (f"{WHY}したがって、正解は c です。\n" + "c\n" * 100, "c"),
    (f"{WHY}したがって、正解は c です。\n" + f"{CUE} c\n" * 100 + "回答", "c"),
    (f"{WHY}したがって、正解は c です。\n" + "a\nb\nc\nd\n" * 60 + "a\n", "c"),
    (f"{WHY}よって、c が正しい。\n" + f"{CUE} a\n{CUE} b\n{CUE} c\n{CUE} d\n" * 20, "c"),
    (
        f"回答：c\n理由：{WHY}\n" * 40
        + "回答：c\n理由：この規定は届出の時期を定めるもので、他の選択肢（a、b、d）は",
        "c",
    ),
    (f"c\n{WHY}\n" * 30 + "この規定は届出の時期を定めるもので、他の選択肢（a", "c"),
    ("1文字だけ出力\n" + f"{CUE}\nd\n" * 60 + "回答（", "d"),
    ("b\n**正解は b**（条文の記載がないため推測です）\n" * 30, "b"),
]


@pytest.mark.parametrize(("text", "label"), LOOPS)
@pytest.mark.parametrize("hit_limit", [False, True])
def test_a_loop_that_committed_is_an_answer(text: str, label: Label, hit_limit: bool) -> None:
    parsed = parse(text, hit_limit=hit_limit)
    assert (parsed.label, parsed.status) == (label, "answered")


ECHOES = [
    "a, b, c, d のいずれか1文字のみを出力してください。",
    "a, b, c, d のいずれか1文字だけ。\n" * 60 + "a, b, c",
    f"1文字だけ出力してください。\n{CUE}  1文字だけ出力してください。\n" * 50 + CUE,
    "回答は a、b、c、d のいずれかの1文字です。",
    "回答: a, b, c, d のいずれか",
    f"{CUE}\n" * 100,
    "以下の選択肢から1つ選び、a〜d の記号で答えてください。",
    "Answer with one letter: a, b, c or d.",
    "回答は必ず a から d の1文字とします。",
]


@pytest.mark.parametrize("text", ECHOES)
def test_an_echoed_instruction_is_no_answer(text: str) -> None:
    assert parse(text).label is None
    assert parse(text, hit_limit=True).status == "truncated"


ENUMERATED = [
    f"{CUE} a\n{CUE} b\n{CUE} c\n{CUE} d",
    f"a\n{CUE} b\n{CUE} c\n{CUE} d\n" + f"{CUE} a\n{CUE} b\n{CUE} c\n{CUE} d\n\n" * 40,
    "a\nb\nc\nd",
    "a\nb\nc\nd\n" * 70 + "a\nb",
    "正解は a です。正解は b です。正解は c です。正解は d です。",
    "Answer: a\nAnswer: b\nAnswer: c\nAnswer: d\n" * 9,
    "回答: a\n回答: b\n" * 50,
    "a\nb\nc\nd\na\nb\nc\nd\na",
    "a\nb\nc\nd\n回答: b\n回答: c",
]


def test_a_list_of_letters_is_no_answer() -> None:
    assert parse("- a\n- b\n- c\n- d\n").label is None
    assert parse("a 甲とする\nb 乙とする\nc 丙とする\nd 丁とする\n").label is None


@pytest.mark.parametrize("text", ENUMERATED)
def test_every_letter_in_turn_is_no_answer(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.rule) == (None, "enumeration")


def test_an_answer_well_before_the_letters_in_turn_is_not_part_of_them() -> None:
    in_turn = f"\n{CUE} a\n{CUE} b\n{CUE} d"
    assert parse(f"{CUE} c\n{WHY}{WHY}{in_turn}").label == "c"
    assert parse(f"{CUE} c{in_turn}").label is None


def test_letters_on_lines_and_in_sentences_are_not_one_list() -> None:
    assert parse("回答: a\n回答: b\n見直すと、正解は c です。").label == "c"


LISTED_FIRST: list[tuple[str, Label]] = [
    (f"次から1文字で答えてください。\na\nb\nc\nd\n{CUE}\nb\n", "b"),
    (f"次から1文字で答えてください。\na\nb\nc\nd\n{CUE}\na\n", "a"),
    ("a, b, c, d のいずれか1文字のみ\n\na\nb\nc\nd\n\nc", "c"),
    (f"a\nb\nc\nd\n{CUE} d\n" + f"{CUE} d\n" * 90 + "回答", "d"),
    ("選択肢：\na\nb\nc\nd\n\n正解：a", "a"),
]


@pytest.mark.parametrize(("text", "label"), LISTED_FIRST)
def test_the_answer_after_the_list_of_letters_counts(text: str, label: Label) -> None:
    assert parse(text).label == label


ANALYSIS = """各選択肢を検討します。

a: 届出は不要とする。→ 条文に反する。
b: 届出は10日以内とする。→ 正しい。
c: 届出は口頭でよいとする。→ 誤り。
d: 届出は知事にする。→ 誤り。

"""


def test_headings_of_an_analysis_are_no_answers() -> None:
    headed = "".join(f"**{x}**\n{WHY}\n\n" for x in "abcd")
    assert parse(headed).label is None
    assert parse(headed + "正解：b").label == "b"
    assert parse(ANALYSIS + "したがって、b が正しい。").label == "b"
    assert parse("\n".join(f"### 選択肢 {x}\n{WHY}" for x in "abcd") + "\n\n答え：d").label == "d"


FRESH = """質問: 借地権の存続期間はどれですか。
選択肢:
a 十年とする
b 二十年とする
c 三十年とする
d 五十年とする
回答（1文字のみ）: {}

"""


@pytest.mark.parametrize("start", ["c\n\n", "回答: c\n\n", "理由は第3条。正解は c です。\n\n"])
def test_a_made_up_prompt_after_the_answer_is_not_read(start: str) -> None:
    assert parse(start + FRESH.format("a")).label == "c"
    assert parse(start + FRESH.format("a") + FRESH.format("b") + FRESH.format("")).label == "c"
    assert parse(start + "### 次の問題\n" + FRESH.format("d")).label == "c"


def test_a_list_of_other_choices_is_a_made_up_prompt() -> None:
    text = "c\n\na 十年とする\nb 二十年とする\nc 三十年とする\nd 五十年とする\n回答: a"
    ours = ["届出をする", "届出をしない", "許可を得る", "許可を得ない"]
    assert parse(text, ours).label == "c"
    assert parse(f"{text}\n\n質問: 存続期間はどれですか。\n", ours).label == "c"
    same = ["十年とする", "二十年とする", "三十年とする", "五十年とする"]
    assert parse(text, same).label == "a"


def test_an_instruction_cut_off_behind_its_digit_is_no_answer() -> None:
    assert (
        parse("1文字だけ書く。\n回答（1文字のみ）: 1文字だけ書く。\n回答（1文字のみ）: 1").label
        is None
    )
    assert parse("回答（1文字のみ）: 1").label == "a"


def test_our_own_choices_repeated_are_no_made_up_prompt() -> None:
    ours = ["十年とする", "二十年とする", "三十年とする", "五十年とする"]
    assert parse("c\n\n" + FRESH.format("") + "見直すと、正解は d です。", ours).label == "d"


def test_the_question_may_be_repeated_before_it_is_answered() -> None:
    assert parse(FRESH.format("b")).label == "b"
    assert parse("問題を整理します。\n" + FRESH.format("") + "\n正解は d です。").label == "d"


def test_another_turn_of_the_chat_is_not_read() -> None:
    assert parse("b<|im_end|>\n<|im_start|>user\n答え: c").label == "b"
    assert parse("<|im_start|>assistant\nd<|im_end|>").label == "d"
    assert (
        parse(
            "c\n\nUser: 次の質問です。\na 甲とする\nb 乙とする\nc 丙とする\nd 丁とする\nAssistant: a"
        ).label
        == "c"
    )
