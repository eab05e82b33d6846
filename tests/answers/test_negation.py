"""A label that is denied, doubted, left open or called another's is no answer; what only looks so is."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

DENIED_LINES = [
    "最終回答：bは誤り",
    "最終回答：bは不正解",
    "最終回答：b は正しくない。",
    "最終回答：b ×",
    "最終回答：bの可能性は低い",
    "最終回答：bではあり得ない",
    "最終回答：bには該当しない",
    "最終回答：b は該当せず",
    "最終回答：bのはずがない",
    "最終回答：bとは言えない",
    "最終回答：bだけではない",
    "最終回答：bに限らない",
    "最終回答：b is incorrect",
    "Final answer: b is wrong.",
    "Final answer: b does not apply",
    "Answer: b can be ruled out.",
]


@pytest.mark.parametrize("text", DENIED_LINES)
@pytest.mark.parametrize("before", ["", "条文を検討する。\n"])
def test_an_answer_line_that_denies_its_letter_hands_in_none(before: str, text: str) -> None:
    parsed = parse(before + text)
    assert (parsed.label, parsed.status) == (None, "unanswered"), parsed


def test_a_denied_final_line_takes_back_the_same_letter_only() -> None:
    taken_back = parse("正解は b です。\n最終回答：bは誤り")
    assert (taken_back.label, taken_back.rule) == (None, "retraction")
    assert parse("正解は c です。\n最終回答：bは誤り").label == "c"


SEVERAL_LINES = [
    "最終回答：b とも c とも言える",
    "最終回答：b でも c でもよい",
    "最終回答：b → c",
    "Answer: b -> c",
    "正解は b ないし c です。",
    "正解は b、あるいは c です。",
]


@pytest.mark.parametrize("text", SEVERAL_LINES)
def test_two_letters_that_are_not_weighed_are_no_choice(text: str) -> None:
    parsed = parse(text)
    assert (parsed.label, parsed.rule) == (None, "several-answers")


DENIED = [
    "正解はbだとは思えない",
    "正解は b と言い切れない。",
    "正解は b とは断定できない。",
    "正解は b と断定することはできない。",
    "正解がbであるはずがない",
    "答えがbになることはない",
    "正解はbであるという見解は誤り",
    "bを選んではいけない",
    "bを選択してはならない。",
    "bを選ぶべきではない。",
    "bを選ぶのは誤りです。",
    "bを選ばない。",
    "bを正解とするのは誤りである",
    "bを正解とすることはできない",
    "bを正解とみなすことはできない。",
    "bが適切とは考えにくい",
    "bが正しいわけではない",
    "bが正解である可能性は低い。",
    "bが正しいとする見解は誤りである。",
    "bが正解のはずがない。",
    "bが正解だという根拠はない。",
    "bを選びたくなるが誤り。",
    "b は答えではない。",
    "正解がbであることは考えにくい。",
    "The answer can't be B.",
    "The answer cannot be b.",
    "The answer should not be b.",
    "should not be b",
    "The answer isn't b.",
    "The answer is not likely to be b.",
    "b cannot be the correct answer.",
    "I don't think the answer is b.",
    "I don't believe b is the correct answer.",
    "It is not true that the answer is b.",
    "It is not the case that the answer is b.",
    "It is false that the answer is b.",
    "I doubt that the answer is b.",
    "I cannot say that the answer is b.",
    "It would be wrong to choose b.",
    "It would be a mistake to choose b.",
    "We should not choose b.",
    "I am not going to select b.",
    "Never choose b.",
]


@pytest.mark.parametrize("text", DENIED)
def test_a_denial_in_any_words_claims_nothing(text: str) -> None:
    assert parse(text).label is None


LEFT_OPEN = [
    "The answer could be B.",
    "The answer might be b.",
    "It may well be b.",
    "unlikely to be b",
    "The answer used to be b.",
    "It is unlikely that the answer is b.",
    "答えはbだろうか。",
    "正解は b なのでしょうか。",
    "bなのだろうか。",
    "正解は b とも言える。",
]


@pytest.mark.parametrize("text", LEFT_OPEN)
def test_a_possibility_or_a_question_claims_nothing(text: str) -> None:
    assert parse(text).label is None


OTHERS = [
    "誤答はbです",
    "不正解はbです",
    "よくある誤答は b です。",
    "よくある間違いは b です。",
    "誤った答えは b です。",
    "受験者がよく選ぶのは b です。",
    "正解と間違えやすいのは b です。",
    "旧法では正解は b であった。",
    "昨年の正解は b です。",
    "正解以外: b",
    "正解でないもの：b",
    "The wrong answer is b.",
    "Some say the answer is b.",
    "You might think the correct answer is b.",
    "A common mistake is b.",
    "Under the old law, the answer is b.",
]


@pytest.mark.parametrize("text", OTHERS)
def test_wrong_answers_and_those_to_something_else_are_not_ours(text: str) -> None:
    assert parse(text).label is None


def test_a_doubt_takes_back_what_was_said() -> None:
    parsed = parse("The answer is b. No, I don't think the answer is b.")
    assert (parsed.label, parsed.rule) == (None, "retraction")


STILL_CLAIMED: list[tuple[str, Label]] = [
    # A negation that denies nothing.
    ("正解は b に違いない。", "b"),
    ("正解は b で間違いありません。", "b"),
    ("正解は b と考えざるを得ない。", "b"),
    ("正解は b としか考えられない。", "b"),
    ("正解は b であることは間違いない。", "b"),
    ("正解は b であることは疑いない。", "b"),
    ("答えは b と考えて差し支えない。", "b"),
    ("正解は b と言っても過言ではない。", "b"),
    ("b を選ぶしかない。", "b"),
    ("最終回答：b は誤りではない", "b"),
    ("I have no doubt that the answer is b.", "b"),
    # A negation in the words of the choice, or in the next clause.
    ("最終回答：b 届出を要しない", "b"),
    ("最終回答：b（届出は要しない）", "b"),
    ("最終回答：b は第3条に違反しない。", "b"),
    ("正解は b「責任を負わない」です。", "b"),
    ("正解は b であり、届出は要しない。", "b"),
    ("正解は b と考えるが、確実ではない。", "b"),
    ("bが正解であり他の選択肢は条文に合致しない。", "b"),
    ("I'm not sure, but I think the answer is b.", "b"),
    ("I am not sure but the answer is b.", "b"),
    ("Option c is wrong and the answer is b.", "b"),
    ("Although a is not correct, the answer is b.", "b"),
    ("The one that cannot be supported is option b.", "b"),
    ("The only one that is not correct is b.", "b"),
    # What the question may have asked for.
    ("最終回答：b が誤り", "b"),
    ("誤っている答えは c です。", "c"),
    ("誤った記述は c です。", "c"),
    ("法人について誤っているのは c です。", "c"),
    ("正解は b の可能性が最も高い。", "b"),
    ("The answer should be b.", "b"),
    ("旧法では a でしたが、現行法では正解は b です。", "b"),
    ("改正前の規定と異なり、正解は b です。", "b"),
]


@pytest.mark.parametrize(("text", "label"), STILL_CLAIMED)
def test_what_only_looks_like_a_denial_still_claims(text: str, label: Label) -> None:
    assert parse(text).label == label
