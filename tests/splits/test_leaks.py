"""The audit finds what a test planted, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lawqa.questions import Question, fingerprint
from lawqa.splits import Leak, find_leaks, of_text

Craft = Callable[..., Question]
Words = Callable[[object, int], str]


@pytest.fixture
def train(craft: Craft) -> list[Question]:
    return [craft(n) for n in range(20)]


@pytest.fixture
def test(craft: Craft) -> list[Question]:
    return [craft(n) for n in range(100, 110)]


def reasons(leaks: tuple[Leak, ...]) -> list[tuple[str, str, list[str]]]:
    return [(leak.train, leak.test, [reason.kind for reason in leak.reasons]) for leak in leaks]


def test_clean_data_has_none(train: list[Question], test: list[Question]) -> None:
    assert find_leaks(train, test) == ()
    assert find_leaks(train, []) == find_leaks([], test) == ()


def test_a_copied_question(train: list[Question], test: list[Question]) -> None:
    assert reasons(find_leaks([*train, test[3]], test)) == [
        (test[3].key, test[3].key, ["id", "question", "context", "paragraph"])
    ]


def test_a_renamed_question_in_another_order(train: list[Question], test: list[Question]) -> None:
    b, c, d, a = test[3].choices
    planted = replace(test[3], id="別名", context="", choices=(d, a, c, b), gold="a")
    assert reasons(find_leaks([*train, planted], test)) == [
        ("別名#1", test[3].key, ["question"]),
    ]


def test_another_order_of_a_test_question(train: list[Question], test: list[Question]) -> None:
    planted = replace(test[0], order=4, text="別の文", context="", choices=("一", "二", "三", "四"))
    assert reasons(find_leaks([*train, planted], test)) == [(planted.key, test[0].key, ["id"])]


def test_a_reworded_question(train: list[Question], test: list[Question], words: Words) -> None:
    planted = replace(
        test[5],
        id="別名",
        context="",
        text="さて、" + test[5].text.replace(test[5].text[30], "改"),
        choices=(*test[5].choices[:3], words("new", 30)),
    )
    assert reasons(find_leaks([*train, planted], test)) == [
        ("別名#1", test[5].key, ["near question"])
    ]


def test_a_source_inside_a_longer_excerpt(
    train: list[Question], test: list[Question], words: Words
) -> None:
    body = test[7].context.split("\n")[-1]
    planted = replace(train[0], context=f"## 参考資料\n{words('more', 300)}\n{body[20:150]}")
    assert reasons(find_leaks([*train[1:], planted], test)) == [
        (train[0].key, test[7].key, ["near context"])
    ]


def test_a_source_named_by_its_heading_only(
    train: list[Question], test: list[Question], words: Words
) -> None:
    law, article, _ = test[7].context.split("\n")
    planted = replace(train[0], context=f"{law}\n{article}\n{words('elsewhere', 80)}")
    assert reasons(find_leaks([*train[1:], planted], test)) == [
        (train[0].key, test[7].key, ["paragraph"])
    ]


def test_every_pair_is_listed_in_file_order(train: list[Question], test: list[Question]) -> None:
    context = test[2].context
    left = [replace(q, context=context) if n in (4, 9) else q for n, q in enumerate(train)]
    right = [replace(q, context=context) if n == 6 else q for n, q in enumerate(test)]
    pairs = [(leak.train, leak.test) for leak in find_leaks(left, right)]
    assert pairs == [
        (train[4].key, test[2].key),
        (train[9].key, test[2].key),
        (train[4].key, test[6].key),
        (train[9].key, test[6].key),
    ]


def test_training_texts(train: list[Question], test: list[Question], words: Words) -> None:
    def prompt(question: Question, context: str = "") -> str:
        choices = "\n".join(f"{x} {c}" for x, c in zip("abcd", question.choices, strict=True))
        task = "記号だけを答えてください。"
        return f"あなたは専門家です。\n{context}\n【問題】\n{question.text}\n{choices}\n{task}\na"

    body = test[1].context.split("\n")[-1]
    law, article, _ = test[4].context.split("\n")
    leaks = find_leaks(
        [
            of_text("by id", "何か", question_id=test[0].id),
            of_text("by print", "何か", question_print=fingerprint(test[2])),
            of_text("by question", prompt(test[3])),
            of_text("by context", prompt(train[0], body)),
            of_text("by reading", f"条文を読みます。{words('intro', 20)}\n{body}"),
            of_text("by article", prompt(train[1], f"{law}\n{article}\n{words('other', 50)}")),
            *(of_text(f"clean {n}", prompt(q, q.context)) for n, q in enumerate(train)),
        ],
        test,
    )
    assert sorted(reasons(leaks)) == sorted(
        [
            ("by id", test[0].key, ["id"]),
            ("by print", test[2].key, ["question"]),
            ("by question", test[3].key, ["near question"]),
            ("by context", test[1].key, ["near context"]),
            ("by reading", test[1].key, ["near context"]),
            ("by article", test[4].key, ["paragraph"]),
        ]
    )


def test_short_choices_in_a_training_text(craft: Craft) -> None:
    question = craft(1, choices=("三年", "五年", "七年", "十年"))
    text = f"{question.text}\na 三年\nb 五年\nc 七年\nd 十年"
    assert reasons(find_leaks([of_text("record", text)], [question])) == [
        ("record", question.key, ["near question"])
    ]


def test_two_training_texts_are_not_alike_by_their_prompt(words: Words) -> None:
    left, right = (of_text(name, words("prompt", 200) + words(name, 50)) for name in ("x", "y"))
    assert find_leaks([left], [right]) == ()


def test_materials_of_one_name_are_one_item(craft: Craft) -> None:
    question = craft(1)
    twice = [
        of_text("record", "何か", question_id=question.id),
        of_text("record", question.context),
    ]
    (leak,) = find_leaks(twice, [question])
    assert [reason.kind for reason in leak.reasons] == ["id", "paragraph", "near context"]


def test_a_word_for_word_reason_makes_the_near_one_needless(craft: Craft) -> None:
    one = craft(1)
    (leak,) = find_leaks([one], [replace(one, id="別名")])
    assert [reason.kind for reason in leak.reasons] == ["question", "context", "paragraph"]
