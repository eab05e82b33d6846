"""Commitments in other words, lone letters, and letters that are none."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

WORDED: list[tuple[str, Label]] = [
    ("誤っているのは c です。", "c"),
    ("本問で誤りなのは、選択肢 b である。", "b"),
    ("以上を検討すると、届出を要しないのは d です。", "d"),
    ("間違っているものを選ぶと a です。", "a"),
    ("条文に反する記述は「c」だ。", "c"),
    ("したがって、bが正しい。", "b"),
    ("よって、選択肢dが最も適切です。", "d"),
    ("選択肢aが正解と判断します。", "a"),
    ("cが誤り。", "c"),
    ("**b** が該当します。", "b"),
    ("したがって、d。", "d"),
    ("ゆえに b となる。", "b"),
    ("これらの理由から、c を選びます。", "c"),
    ("選択肢 a を選択します。", "a"),
    ("Therefore, option c is correct.", "c"),
    ("Thus, **option a** is the correct answer.", "a"),
    ("The only option that needs no approval is **option d**, as it is a small firm.", "d"),
    ("Option b is clearly the exception.", "b"),
    ("The incorrect statement is c.", "c"),
    ("I would choose option b.", "b"),
    ("I choose D.", "d"),
]


@pytest.mark.parametrize(("text", "label"), WORDED)
def test_commitments_in_other_words(text: str, label: Label) -> None:
    assert parse(text).label == label


def test_the_letter_a_is_the_article_unless_it_stands_out() -> None:
    assert parse("Answer: a tenant may refuse.").label is None
    assert parse("Answer: **a** tenant may refuse.").label == "a"


LONE: list[tuple[str, Label]] = [
    ("c", "c"),
    ("D", "d"),
    (" ｂ\n", "b"),
    ("(a)", "a"),
    ("「d」", "d"),
    ("**c**", "c"),
    ("c.", "c"),
    ("b。", "b"),
    ("選択肢a", "a"),
    ("Option C", "c"),
    ("③", "c"),
    ("２", "b"),
    ("4", "d"),
    ("イ", "b"),
    ("ｴ", "d"),
    ("d です", "d"),
    ("b\n理由：届出の期限は条文に定めがある。", "b"),
    ("c その根拠は次のとおりです。a と b は期間を誤る。", "c"),
    ("？\nd\n", "d"),
    ("1\n（以下、関係のない文章が続く）", "a"),
    ("a: 届出が要るため。", "a"),
    ("b. Article 2, Paragraph 1", "b"),
    ("d. 薬機法第14条の4第2項", "d"),
    ("a. Article 3, Paragraph 4, Item 2", "a"),
    ("c - the landlord's consent", "c"),
    ("長い説明がここに続く。\n\nb", "b"),
    ("The tenant dies without heirs.\n\nb", "b"),
]


@pytest.mark.parametrize(("text", "label"), LONE)
def test_letters_alone(text: str, label: Label) -> None:
    assert parse(text).label == label


NOT_LETTERS = [
    "A decision relating to a historical monument needs a permit.",
    "The capital of France is Paris.",
    "The answer is a matter of a broad discretion.",
    "Answer: a company must file a report.",
    "A company may file b-class shares.",
    "Vitamin D and plan B are not law.",
    "回答はエラーになりました。",
    "正解は第2条に定める者です。",
    "正解は2つあります。",
    "答えは1文字で書くこと。",
    "回答: [2]",
    "Answer: [3] Article 5",
    "[2]",
    "回答: 1文字だけ出力してください。",
    "解答時間は 3 分です。",
    "正解は 3年です。",
    "Answer: 5",
    "回答1",
    "DVD と ABC 株式会社の話です。",
    "アマ向け市場について述べます。",
    "1. 条文の要点を述べる。\n2. 各記述を検討する。",
    "The lessor, hence a.k.a. the owner, pays.",
    "cf. Article 3. e.g. section d-2 of the act",
]


@pytest.mark.parametrize("text", NOT_LETTERS)
def test_words_and_numbers_that_are_no_labels(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.status) == (None, "unanswered"), parsed


NO_CLAIM = [
    "正解は b ではない。",
    "正解は b ではありません。",
    "b 以外が正しい。",
    "bではない。",
    "b でしょうか？",
    "bかどうかは条文による。",
    "届出の要否を検討する。\n## b\nこの記述は届出の要否を述べる。",
    "a: 届出を要する。\nb: 許可を要する。\nc",
    "b: 届出を要する。\nc: 許可を要する。\nd",
    "正解は b 以外です。",
    "bが正しいとは言えない。",
    "正解が b かどうかは条文による。",
    "正解は b でしょうか？",
    "もし b が正しい場合、届出が要る。",
    "The answer is not c.",
    "The correct answer isn't b.",
    "a は正しい。b は誤り。c は",
    "選択肢 a は第3条の話です。選択肢 b は第4条の話です。",
    "Option a is correct. Option b is correct. Option c is not.",
    "不正解：b",
    "incorrect answer: c",
]


@pytest.mark.parametrize("text", NO_CLAIM)
def test_denied_supposed_or_graded_letters_are_no_answers(text: str) -> None:
    assert parse(text).label is None


PLURAL = [
    "正解は b と d です。",
    "正解：a、c",
    "正解：b及びc",
    "Answer: b and d",
    "Answer: a, c",
    "The correct answers: the answer is either b or c.",
    "回答：a・b",
    "答えは c または d である。",
    "a と b が正しい。",
    "Both option a and option d are correct answers.",
]


@pytest.mark.parametrize("text", PLURAL)
def test_several_letters_are_no_single_choice(text: str) -> None:
    assert parse(text).label is None


def test_a_second_letter_that_is_the_topic_of_what_follows_makes_no_plural() -> None:
    assert parse("正解は c、d は期間を誤っている。").label == "c"
    assert parse("Answer: c, a is too broad.").label == "c"


EXAMPLES: list[tuple[str, Label | None]] = [
    ("例えば「正解は b」のように答えます。\n回答: d", "d"),
    ("回答: d\n（例：回答: a）", "d"),
    ("例: a\n回答: c", "c"),
    ("出力例: b", None),
    ("For example, one would write: the answer is b.", None),
    ("【例】正解：a\n\n【本問】\n正解：c", "c"),
    ("c\n\n以下は出力例です。例：回答: a", "c"),
    ("正解：c\n\n例：\n\n正解：a", "c"),
    ("例：\n\n正解：a\n\n正解：d", "d"),
    ("正解：c\n\n## 例\n\n正解：a\n\n正解：d\n\n## 結論\n届出が要る。", "c"),
]


@pytest.mark.parametrize(("text", "label"), EXAMPLES)
def test_worked_examples_are_not_the_answer(text: str, label: Label | None) -> None:
    assert parse(text).label == label
