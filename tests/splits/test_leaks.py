"""The audit finds what a test planted, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lawqa.questions import Question, fingerprint
from lawqa.splits import Leak, find_leaks, item_of_text

pytestmark = pytest.mark.every_python

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
            item_of_text("by id", "何か", question_id=test[0].id),
            item_of_text("by print", "何か", question_print=fingerprint(test[2])),
            item_of_text("by question", prompt(test[3])),
            item_of_text("by context", prompt(train[0], body)),
            item_of_text("by reading", f"条文を読みます。{words('intro', 20)}\n{body}"),
            item_of_text("by article", prompt(train[1], f"{law}\n{article}\n{words('other', 50)}")),
            *(item_of_text(f"clean {n}", prompt(q, q.context)) for n, q in enumerate(train)),
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
    assert reasons(find_leaks([item_of_text("record", text)], [question])) == [
        ("record", question.key, ["near question"])
    ]


STEM = (
    "砂浜の管理者が灯台の点検の記録を保存しなければならない期間として、正しいものを教えてください。"
)
STOCK = (
    "海浜保全法に関する次の記述のうち、その内容として最も適切なものを、一つ選んで教えてください。"
)


def other_choices(craft: Craft, question: Question, *, right: str) -> Question:
    """The same text with choices of another question, the right one as said."""
    choices = (*craft(500).choices[:3], right)
    return replace(question, id="別名", context="", choices=choices, gold="d")


def test_other_choices_under_the_same_text(craft: Craft) -> None:
    question = craft(1, text=STEM, gold="b")
    kept = other_choices(craft, question, right=question.choices[1])
    assert reasons(find_leaks([question], [kept])) == [
        (question.key, "別名#1", ["question and answer"])
    ]
    none = other_choices(craft, question, right="点検の翌日")
    (leak,) = find_leaks([question], [none])
    assert [str(reason) for reason in leak.reasons] == ["same question text (1.00)"]
    longer = replace(none, text=f"さて、{STEM}")
    assert reasons(find_leaks([question], [longer])) == [
        (question.key, "別名#1", ["question text"])
    ]
    assert find_leaks([question], [replace(none, text=STEM[::-1])]) == ()


def test_a_stock_text_is_one_with_its_right_answer_only(craft: Craft) -> None:
    question = craft(1, text=STOCK, gold="b")
    assert find_leaks([question], [other_choices(craft, question, right="点検の翌日")]) == ()
    kept = other_choices(craft, question, right=question.choices[1])
    assert reasons(find_leaks([question], [kept])) == [
        (question.key, "別名#1", ["question and answer"])
    ]


def test_the_text_of_a_question_in_a_training_text(craft: Craft, words: Words) -> None:
    asked = [craft(1, text=STEM), craft(2, text=STOCK)]
    held = item_of_text("record", f"{words('intro', 80)}\n{STEM}\n{STOCK}\n{words('answer', 40)}")
    assert reasons(find_leaks([held], asked)) == [("record", asked[0].key, ["question text"])]
    # What is shorter than a question's text is no question.
    assert find_leaks([item_of_text("end", STEM[5:])], asked) == ()


@pytest.mark.parametrize(
    "written",
    [
        "第21条第1項第3号",
        "第二十一条第一項第三号",
        "第二一条第一項第三号",
    ],
)
def test_numbers_of_articles_in_any_writing(craft: Craft, written: str) -> None:
    # So much of the question is numbers that it is near to itself only where they are read.
    text = "海浜保全法{0}、{0}の二、{0}の三、第九十八条の七の六、第五十四条の三の二、どれか。"
    choices = ("第八十七条の六", "第七十六条の五", "第六十五条の四", "第四十三条の二")
    question = craft(1, text=text.format("第二十一条第一項第三号"), choices=choices, context="")
    other = replace(question, id="別名", text=text.format(written))
    (leak,) = find_leaks([question], [other])
    assert leak.reasons[0].kind == "question"
    digits = replace(other, choices=("第87条の6", "第76条の5", "第65条の4", "第43条の2"))
    assert reasons(find_leaks([question], [digits])) == [(question.key, "別名#1", ["question"])]


def test_an_abbreviated_title(craft: Craft, words: Words) -> None:
    one = craft(1, context=f"## 金融商品取引法\n### 第5条\n{words('one', 100)}")
    other = craft(2, context=f"## 金商法\n### 第五条\n{words('other', 100)}")
    (leak,) = find_leaks([one], [other])
    assert [str(reason) for reason in leak.reasons] == ["both quote 金融商品取引法 5条 1項"]


def test_two_training_texts_are_not_alike_by_their_prompt(words: Words) -> None:
    left, right = (
        item_of_text(name, words("prompt", 200) + words(name, 50)) for name in ("x", "y")
    )
    assert find_leaks([left], [right]) == ()


def test_materials_of_one_name_are_one_item(craft: Craft) -> None:
    question = craft(1)
    twice = [
        item_of_text("record", "何か", question_id=question.id),
        item_of_text("record", question.context),
    ]
    (leak,) = find_leaks(twice, [question])
    assert [reason.kind for reason in leak.reasons] == ["id", "paragraph", "near context"]


def test_a_word_for_word_reason_makes_the_near_one_needless(craft: Craft) -> None:
    one = craft(1)
    (leak,) = find_leaks([one], [replace(one, id="別名")])
    assert [reason.kind for reason in leak.reasons] == ["question", "context", "paragraph"]
