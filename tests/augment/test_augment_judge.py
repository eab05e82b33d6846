"""The judge of these tests finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from lawqa.augment.statutes import GeneratedQuestion, make_statute_questions
from lawqa.choices import LABELS
from lawqa.questions import Question
from lawqa.statutes.articles import Article

Judge = Callable[[Question, Sequence[Article]], list[str]]
Statute = tuple[Article, ...]


@pytest.fixture(scope="module")
def made(statute: Statute) -> tuple[GeneratedQuestion, ...]:
    return make_statute_questions(statute).questions


def with_choice(question: Question, place: int, choice: str) -> Question:
    choices = list(question.choices)
    choices[place] = choice
    return replace(question, choices=(choices[0], choices[1], choices[2], choices[3]))


def test_another_gold_is_found(
    made: tuple[GeneratedQuestion, ...], statute: Statute, judge: Judge
) -> None:
    for generated in made:
        gold = LABELS[LABELS.index(generated.question.gold) - 1]
        faults = judge(replace(generated.question, gold=gold), statute)
        assert any(fault.startswith(f"gold is {gold}") for fault in faults)


def test_a_second_right_choice_is_found(
    made: tuple[GeneratedQuestion, ...], statute: Statute, judge: Judge
) -> None:
    for generated in made:
        question = generated.question
        gold = LABELS.index(question.gold)
        doubled = with_choice(question, gold - 1, question.choices[gold])
        assert len(judge(doubled, statute)) >= 2  # not distinct, and two of them hold


def test_two_altered_facts_are_found(statute: Statute, judge: Judge) -> None:
    (question,) = (
        g.question
        for g in make_statute_questions(statute, types=["altered"], limit=4).questions[:1]
    )
    twice = (
        "第4条第1項によれば、監督者は、その名称又は所在地を変更したときは、遅滞なく、その旨を"
        "文部科学大臣に届け出ることができる。"
    )
    place = LABELS.index(question.gold) - 1
    faults = judge(with_choice(question, place, twice), statute)
    assert faults == [f"differs from the article in more than one place: {twice}"]


def test_a_context_without_the_answer_is_found(
    made: tuple[GeneratedQuestion, ...], statute: Statute, judge: Judge
) -> None:
    question = next(
        g.question for g in made if g.kind == "quantity" and g.source == "statute:cloze"
    )
    faults = judge(replace(question, context="## 技能検定事業法\n"), statute)
    assert faults == ["the context does not hold the answer"]
