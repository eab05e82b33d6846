"""Which questions must stay together, and why."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lawqa.choices import all_orders, permute, permute_label
from lawqa.questions import Question, fingerprint, read_questions
from lawqa.splits import Group, find_groups

pytestmark = pytest.mark.every_python

Craft = Callable[..., Question]
Words = Callable[[object, int], str]


def sizes(groups: Sequence[Group]) -> list[int]:
    return sorted(len(group.members) for group in groups)


def kinds(groups: Sequence[Group]) -> list[str]:
    return sorted(link.reason.kind for group in groups for link in group.links)


def reworded(text: str, places: int) -> str:
    """The text with one character changed at places far from each other."""
    step = len(text) // (places + 1)
    chars = list(text)
    for place in range(1, places + 1):
        chars[place * step] = "改"
    return "".join(chars)


def test_strangers_stay_alone(craft: Craft) -> None:
    groups = find_groups([craft(n) for n in range(30)])
    assert sizes(groups) == [1] * 30
    assert kinds(groups) == []


def test_all_orders_of_one_question(craft: Craft) -> None:
    base = craft(1)
    orders = [
        replace(
            base,
            order=number,
            choices=permute(base.choices, order),
            gold=permute_label(base.gold, order),
        )
        for number, order in enumerate(all_orders(), start=1)
    ]
    (group,) = find_groups(orders)
    assert len(group.members) == 24
    assert kinds([group]) == ["id"] * 23


def test_a_reordered_order_of_one_question_is_linked_to_it_once(craft: Craft) -> None:
    one = craft(1)
    law, article, text = one.context.split("\n")
    reordered = replace(one, order=2, context=f"{law}\n{article}\n{reworded(text, 2)}")
    assert kinds(find_groups([one, reordered])) == ["id"]


def test_choices_in_common_are_no_context_in_common(craft: Craft, words: Words) -> None:
    choices = craft(0).choices
    asked = [craft(n, context="", text=words(n, 300), choices=choices) for n in (1, 2)]
    assert sizes(find_groups(asked)) == [1, 1]


def test_same_context_but_for_width_and_white_space(craft: Craft, words: Words) -> None:
    text = words("shared", 100)
    one = craft(1, context=f"## 甲法\n### 第18条\n{text}")
    other = craft(2, context=f"##　甲法\n### 第１８条\n{text[:50]}\n{text[50:]}")
    groups = find_groups([one, other, craft(3)])
    assert sizes(groups) == [1, 2]
    assert kinds(groups) == ["context"]


def test_same_question_under_another_id_and_order(craft: Craft) -> None:
    one = craft(1)
    other = craft(2, text=one.text, choices=one.choices[::-1])
    groups = find_groups([one, other])
    assert sizes(groups) == [2]
    assert kinds(groups) == ["question"]


@pytest.mark.parametrize(("places", "joined"), [(1, True), (5, True), (40, False)])
def test_reworded_question(craft: Craft, places: int, joined: bool) -> None:
    one = craft(1)
    changed = reworded(one.text + "".join(one.choices), places)
    parts = [changed[60 + 30 * i : 90 + 30 * i] for i in range(4)]
    groups = find_groups([one, craft(2, text=changed[:60], choices=tuple(parts))])
    assert sizes(groups) == ([2] if joined else [1, 1])
    assert kinds(groups) == (["near question"] if joined else [])


def test_a_stock_phrase_is_no_question(craft: Craft) -> None:
    stock = "次の記述のうち、誤っているものを一つ選び、その記号を答えてください。" * 4
    short = [craft(n, text=stock, choices=(f"{n}年", f"{n}月", f"{n}日", f"{n}時")) for n in (1, 2)]
    assert sizes(find_groups(short)) == [1, 1]


SPECIFIC = (
    "砂浜の管理者が灯台の点検の記録を保存しなければならない期間として、正しいものを教えてください。"
)


def test_questions_under_one_text_are_linked_once(craft: Craft) -> None:
    one = craft(1, text=SPECIFIC)
    groups = find_groups(
        [
            one,
            craft(2, text=SPECIFIC),
            craft(3, text=SPECIFIC, choices=one.choices),
            craft(4, text=SPECIFIC, choices=(*craft(5).choices[:3], one.choices[1]), gold="d"),
            craft(6, text=f"なお、{SPECIFIC}"),
        ]
    )
    assert sizes(groups) == [5]
    assert sorted(set(kinds(groups))) == [
        "question",
        "question and answer",
        "question text",
    ]


@pytest.mark.slow
def test_a_thousand_questions_under_one_text_need_few_links(craft: Craft) -> None:
    (group,) = find_groups([craft(n, text=SPECIFIC) for n in range(1000)])
    assert len(group.links) == 999


def test_a_question_in_other_digits_is_the_same(craft: Craft) -> None:
    one = craft(1, text="第二十一条第一項の規定により免れることができる者はどれか。")
    other = craft(
        2, text="第２１条第１項の規定により免れることができる者はどれか。", choices=one.choices
    )
    assert kinds(find_groups([one, other])) == ["question"]


@pytest.mark.parametrize(("shared", "joined"), [(150, True), (110, True), (70, False)])
def test_part_of_a_context(craft: Craft, words: Words, shared: int, joined: bool) -> None:
    # 200 characters each; half of the shorter one's n-grams must be in the other.
    common = words("common", shared)
    one = craft(1, context=common + words("left", 200 - shared))
    other = craft(2, context=words("right", 400 - shared) + common)
    groups = find_groups([one, other])
    assert sizes(groups) == ([2] if joined else [1, 1])
    assert kinds(groups) == (["near context"] if joined else [])


def test_a_short_stock_clause_is_compared_word_for_word_only(craft: Craft, words: Words) -> None:
    clause = words("clause", 30)
    groups = find_groups([craft(1, context=clause), craft(2, context=words("x", 200) + clause)])
    assert sizes(groups) == [1, 1]
    assert sizes(find_groups([craft(1, context=clause), craft(2, context=clause)])) == [2]


def test_same_article_and_paragraph_in_other_words(craft: Craft, words: Words) -> None:
    heading = "## 甲法\n### 第2条の2\n#### 第3項\n"
    one = craft(1, context=heading + words("one", 100))
    other = craft(2, context="## 甲法\n### 第二条の二\n#### 第三項\n" + words("other", 100))
    groups = find_groups([one, other])
    assert kinds(groups) == ["paragraph"]
    assert groups[0].links[0].reason.detail == "甲法 2条の2 3項"


@pytest.mark.parametrize(
    "heading", ["## 甲法\n### 第2条\n#### 第4項\n", "## 甲法\n### 第3条\n#### 第3項\n"]
)
def test_another_paragraph_or_article_is_no_link(craft: Craft, words: Words, heading: str) -> None:
    one = craft(1, context="## 甲法\n### 第2条\n#### 第3項\n" + words("one", 100))
    assert sizes(find_groups([one, craft(2, context=heading + words("other", 100))])) == [1, 1]


def test_a_long_list_of_articles_does_not_pull_questions_together(
    craft: Craft, words: Words
) -> None:
    # Two questions on twenty articles each, one in common, and one question on that article alone.
    def long_list(first: int) -> str:
        return "## 甲法\n" + "".join(
            f"### 第{n}条\n{words((first, n), 60)}\n" for n in range(first, first + 20)
        )

    alone = "## 甲法\n### 第20条\n" + words("alone", 100)
    questions = [craft(n, context=c) for n, c in enumerate([long_list(1), long_list(20), alone])]
    assert sizes(find_groups(questions)) == [1, 1, 1]


@pytest.mark.parametrize(("quoted", "linked"), [(6, True), (7, False)])
def test_every_paragraph_of_a_short_list_is_a_main_one(
    craft: Craft, words: Words, quoted: int, linked: bool
) -> None:
    """Each long one holds a share above a tenth; only the number of paragraphs makes a short one count."""
    longer = "".join(f"\n### 第{n}条\n{words(n, 300)}" for n in range(2, quoted + 1))
    one = craft(1, context=f"## 甲法\n### 第1条\n{words('one', 50)}{longer}")
    other = craft(2, context=f"## 甲法\n### 第1条\n{words('other', 50)}")
    assert kinds(find_groups([one, other])) == (["paragraph"] if linked else [])


@pytest.mark.parametrize(("characters", "linked"), [(100, True), (99, False)])
def test_a_main_paragraph_holds_a_tenth_of_what_is_quoted(
    craft: Craft, words: Words, characters: int, linked: bool
) -> None:
    sizes = [characters, 200 - characters, *[160] * 5]
    quoted = "".join(f"\n### 第{n}条\n{words(n, size)}" for n, size in enumerate(sizes, start=1))
    other = craft(2, context=f"## 甲法\n### 第1条\n{words('other', 50)}")
    groups = find_groups([craft(1, context=f"## 甲法{quoted}"), other])
    assert kinds(groups) == (["paragraph"] if linked else [])


def test_a_main_paragraph_of_a_long_list_still_links(craft: Craft, words: Words) -> None:
    minor = "".join(f"### 第{n}条\n{words(n, 20)}\n" for n in range(2, 20))
    one = craft(1, context=f"## 甲法\n### 第1条\n{words('main', 100)}\n{minor}")
    other = craft(2, context="## 甲法\n### 第1条\n" + words("other", 100))
    assert kinds(find_groups([one, other])) == ["paragraph"]


def test_reasons_are_said_in_words(craft: Craft, words: Words) -> None:
    one = craft(1, context=f"## 甲法\n### 第5条\n{words('one', 100)}")
    other = craft(2, context=f"## 甲法\n### 第5条\n{words('other', 100)}")
    alike = craft(3, text=other.text, choices=other.choices)
    (group,) = find_groups([one, other, alike])
    said = sorted(str(link.reason) for link in group.links)
    assert said == ["both quote 甲法 5条 1項", "same question and choices"]


def test_links_reach_through_others_and_keep_each_reason(craft: Craft) -> None:
    one = craft(1)
    two = craft(2, context=one.context)
    three = craft(3, text=two.text, choices=two.choices)
    groups = find_groups([three, one, two, craft(4)])
    assert sizes(groups) == [1, 3]
    assert kinds(groups) == ["context", "question"]


def test_the_order_of_the_file_changes_nothing(craft: Craft) -> None:
    questions = [craft(n, context=craft(n % 7).context) for n in range(20)]
    shuffled = list(questions)
    random.Random(3).shuffle(shuffled)  # noqa: S311 - a test
    assert find_groups(questions) == find_groups(shuffled)


@pytest.mark.slow
def test_a_thousand_questions_on_one_context_need_few_links(craft: Craft) -> None:
    context = craft(0).context
    (group,) = find_groups([craft(n, context=context) for n in range(1000)])
    assert len(group.links) == 999


@pytest.mark.slow
def test_the_groups_of_the_140(shared_data: Path) -> None:
    questions = read_questions(shared_data / "lawqa_jp/selection.json")
    groups = find_groups(questions)
    assert Counter(len(group.members) for group in groups) == {1: 60, 2: 33, 3: 3, 5: 1}
    pairs = {(ln.first, ln.second, ln.reason.kind) for g in groups for ln in g.links}
    assert Counter(kind for *_, kind in pairs) == {
        "context": 27,  # 26 word for word, one that differs by a full-width digit
        "paragraph": 14,
        "near context": 9,
    }
    all_orders_of_them = find_groups(
        read_questions(shared_data / "lawqa_jp/selection_randomized.json")
    )
    ids = {frozenset(q.id for q in group.members) for group in groups}
    assert {frozenset(q.id for q in group.members) for group in all_orders_of_them} == ids


@pytest.mark.slow
def test_fingerprints_and_groups_of_the_140_and_their_orders_are_those_of_stored_splits(
    shared_data: Path,
) -> None:
    """Manifests and splits hold them, so a change of how text is folded must not move one."""
    digest = hashlib.sha256()
    for name in ("selection.json", "selection_randomized.json"):
        questions = read_questions(shared_data / "lawqa_jp" / name)
        lines = [f"{question.key} {fingerprint(question)}" for question in questions]
        for group in find_groups(questions):
            lines.append(" ".join(question.key for question in group.members))
            lines += [f"{ln.first} {ln.second} {ln.reason}" for ln in group.links]
        digest.update("\n".join(lines).encode())
    assert digest.hexdigest() == "6142e99ea63eac6fd67423596480c5e2e2e79c226663aca8f6abedb98e0f6ec0"


def test_no_two_groups_of_the_140_quote_a_common_paragraph(shared_data: Path) -> None:
    from lawqa.statutes.headings import quoted_paragraphs

    owner: dict[object, str] = {}
    for group in find_groups(read_questions(shared_data / "lawqa_jp/selection.json")):
        for question in group.members:
            for article in quoted_paragraphs(question.context):
                assert owner.setdefault(article, group.name) == group.name
