"""Laws of the resolver, which knows marks and no text; and of the parser on whole texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.answers import parse
from lawqa.answers.decide import decide
from lawqa.answers.marks import Mark, Strength
from lawqa.choices import LABELS, Label

STRENGTHS = tuple(Strength)
FAR = 1000
"""So far apart, marks are no enumeration."""


def _mark(kind: str, label: Label, strength: Strength, number: int) -> Mark:
    at = number * FAR
    named = label if kind in ("claim", "retract") else None
    return Mark(kind, named, strength, at, (at, at + 1), rule=kind)  # type: ignore[arg-type]


KINDS = st.sampled_from(("claim", "claim", "claim", "void", "retract", "reopen"))
MARKS = st.lists(
    st.tuples(KINDS, st.sampled_from(LABELS), st.sampled_from(STRENGTHS)), max_size=5
).map(lambda items: [_mark(*item, number + 1) for number, item in enumerate(items)])


def _label(marks: list[Mark]) -> Label | None:
    found = decide(marks).mark
    return found.label if found else None


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(MARKS, st.permutations(LABELS))
def test_permuting_the_labels_permutes_the_answer(marks: list[Mark], to: list[Label]) -> None:
    new = dict(zip(LABELS, to, strict=True))
    moved = [mark._replace(label=new[mark.label] if mark.label else None) for mark in marks]
    before = _label(marks)
    assert _label(moved) == (new[before] if before else None)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(MARKS, st.permutations(range(6)))
def test_the_sequence_in_which_rules_find_marks_is_nothing(
    marks: list[Mark], order: list[int]
) -> None:
    shuffled = [marks[i] for i in order if i < len(marks)]
    assert decide(shuffled).mark == decide(marks).mark


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(MARKS, st.sampled_from(LABELS))
def test_a_later_firm_commitment_wins(marks: list[Mark], label: Label) -> None:
    assert _label([*marks, _mark("claim", label, Strength.FINAL, 90)]) == label
    weaker = [mark for mark in marks if mark.strength <= Strength.STATED]
    assert _label([*weaker, _mark("claim", label, Strength.STATED, 90)]) == label


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(MARKS)
def test_what_is_reopened_or_retracted_before_anything_changes_nothing(marks: list[Mark]) -> None:
    for kind in ("retract", "void", "reopen"):
        before = _mark(kind, "a", Strength.STATED, 0)
        assert _label([before, *marks]) == _label(marks)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(MARKS)
def test_every_mark_has_one_fate_and_at_most_one_decides(marks: list[Mark]) -> None:
    decision = decide(marks)
    decides = [mark for mark, fate in decision.fates if fate == "decides"]
    assert decides == ([decision.mark] if decision.mark else [])
    assert {mark.at for mark in marks} == {mark.at for mark, _ in decision.fates}
    if decision.mark and decision.mark.label:
        assert decision.mark in marks


def test_two_likely_choices_side_by_side_are_none_and_far_apart_the_later_counts() -> None:
    one = Mark("claim", "a", Strength.FORCED, 0, (0, 1), soft="soft-choice")
    near = Mark("claim", "b", Strength.FORCED, 20, (20, 21), soft="soft-choice")
    assert _label([one, near]) is None
    assert _label([one, near._replace(at=FAR, span=(FAR, FAR + 1))]) == "b"


ANSWERS = (
    *(
        "正解は{}です。",
        "回答：{}",
        "{}ではないでしょうか。",
        "したがって、時効の援用（{}）が最も適切である。",
    ),
    *(
        "故本题选{}。",
        "The correct answer is {}.",
        '{{"choice": "{}"}}',
        "\\boxed{{{}}}",
        "正解は{}ではありません。",
    ),
    *("{}とeが正解です。", "正解はeです。", "判断できません。"),
)
KINDS_OF_ANSWERS = (
    # a template for each way to commit: announced, boxed, a field, a line, in words, by a number, softly
    *ANSWERS[:8],
    *(
        "最終回答：{}",
        "**Answer:** {}",
        "回答（1文字のみ）: {}",
        "正解：選択肢{}",
        "【回答】{}",
        "答えは「{}」である。",
    ),
    *(
        "正しいものは{}です。",
        "誤っているのは{}である。",
        "{}が正しい。",
        "{}が最も適切である。",
        "{}を選びます。",
    ),
    *(
        "よって、{}。",
        "したがって{}が正解である。",
        "消去法により、{}を選択する。",
        "うち、{}が該当する。",
    ),
    *(
        "So the correct option is ({}).",
        "I would choose option {}.",
        "Therefore, option {} is correct.",
    ),
    *("选项{}是正确的。", "故{}项正确。", "答案：{}", "正确答案是{}。"),
    *(
        "{}かと思います。",
        "おそらく{}でしょう。",
        "強いて選ぶなら{}。",
        "My best guess is option {}.",
        "{}しか残りません。",
    ),
    *(
        "{}以外は考えにくい。",
        "どれも微妙だが、{}がもっとも近い。",
        "検討の結果 → {}",
        "<answer>{}</answer>",
    ),
    *("{}\n\n第3条が届出を定めるからである。", "（{}）\n理由：第3条。", "\n{}\n"),
)
UNRELATED = (
    *(
        "条文を検討する。",
        "本問は届出の要否を問うものである。",
        "第3条によれば、届出を要する。",
        "The statute requires a filing.",
    ),
    *(
        "まず、問題文を整理します。\n\n",
        "本题考查行政许可的设定。",
        "| 項目 | 内容 |\n|---|---|\n| 期間 | 5年 |\n",
    ),
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from((*ANSWERS, *KINDS_OF_ANSWERS)),
    st.sampled_from(LABELS),
    st.lists(st.sampled_from(UNRELATED), min_size=1, max_size=4),
)
def test_an_unrelated_sentence_before_changes_nothing(
    answer: str, label: Label, before: list[str]
) -> None:
    text = answer.format(label)
    assert parse("".join(before) + "\n" + text).label == parse(text).label


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ANSWERS[:9]), st.permutations(LABELS))
def test_permuting_the_letters_of_a_text_permutes_its_answer(answer: str, to: list[Label]) -> None:
    new = dict(zip(LABELS, to, strict=True))
    for label in LABELS:
        found = parse(answer.format(label)).label
        assert parse(answer.format(new[label])).label == (new[found] if found else None)


@pytest.mark.parametrize("answer", KINDS_OF_ANSWERS)
def test_every_way_to_commit_keeps_the_laws_with_every_letter(answer: str) -> None:
    for number, label in enumerate(LABELS):
        text, other = answer.format(label), LABELS[number - 1]
        assert parse(text).label == label, text
        assert parse("条文を検討する。本問は届出の要否を問う。\n\n" + text).label == label, text
        assert parse("The statute requires a filing.\n\n" + text).label == label, text
        for later in ("最終回答：{}", "Final answer: {}", "よって、正解は{}です。"):
            if answer == "最終回答：{}" and "よって" in later:
                continue  # two answers with no sign of a correction: neither counts
            assert parse(f"{text}\n\n{later.format(other)}").label == other, (text, later)
        assert parse(f"{text}\n\nなお、届出は三十日以内に行う。").label in (label, None), text
