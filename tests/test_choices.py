from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.answers import parse
from lawqa.choices import (
    FINAL_ANSWER_CUE,
    LABELS,
    ORIGINAL_ORDER,
    Label,
    Order,
    all_orders,
    cyclic_orders,
    final_answer_line,
    inverse,
    label_of,
    permute,
    permute_label,
)

pytestmark = pytest.mark.every_python

FORMS = {
    "latin": "abcd",
    "capital": "ABCD",
    "full-width latin": "\uff41\uff42\uff43\uff44",
    "full-width capital": "\uff21\uff22\uff23\uff24",
    "circled latin": "ⓐⓑⓒⓓ",
    "circled capital": "ⒶⒷⒸⒹ",
    "digits": "1234",
    "full-width digits": "\uff11\uff12\uff13\uff14",
    "circled digits": "①②③④",
    "digits in parentheses": "⑴⑵⑶⑷",
    "digits with a full stop": "⒈⒉⒊⒋",
    "kana": "アイウエ",
    "half-width kana": "\uff71\uff72\uff73\uff74",
    "circled kana": "㋐㋑㋒㋓",
}
FRAMES = (
    "{}", " {}\n", "({})", "\uff08{}\uff09", "[{}]", "【{}】", "「{}」", "『{}』", "〔{}〕", "《{}》", "<{}>",
    "**{}**", "`{}`", '"{}"', "'{}'", "{}.", "{}\uff0e", "{}。", "{}、", "{}:", "{}\uff1a", "\u3000{}",
    "「**{}**」。",
)  # fmt: skip
ORDERS = st.permutations(range(4)).map(lambda order: (order[0], order[1], order[2], order[3]))
LABEL = st.sampled_from(LABELS)
ITEMS = st.tuples(st.text(), st.text(), st.text(), st.text())


@pytest.mark.parametrize("name", FORMS)
def test_every_written_form_is_its_label(name: str) -> None:
    assert [label_of(form) for form in FORMS[name]] == list(LABELS)


@pytest.mark.parametrize("frame", FRAMES)
def test_brackets_marks_and_space_around_a_form_do_not_matter(frame: str) -> None:
    for forms in FORMS.values():
        assert [label_of(frame.format(form)) for form in forms] == list(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "「」", "e", "E", "z", "5", "0", "⑤", "オ", "\uff75", "\uff45", "\uff15", "あ", "一", "甲",
        "α", "Ⅰ", "á", "10", "11", "12", "-1", "1/2", "ab", "aa", "a b", "a,b", "a、b", "アイ", "①②",
        "第1", "1番", "選択肢a", "a です", "b 初日を算入しない",
    ],
)  # fmt: skip
def test_anything_else_is_no_label(text: str) -> None:
    assert label_of(text) is None


@pytest.mark.slow
@given(st.lists(st.sampled_from("".join(FORMS.values())), min_size=2, max_size=4))
def test_several_marks_are_never_one_label(forms: list[str]) -> None:
    assert label_of("".join(forms)) is None


@given(LABEL)
def test_the_final_answer_line_is_the_cue_and_the_label(label: Label) -> None:
    line = final_answer_line(label)
    assert line.removeprefix(FINAL_ANSWER_CUE) == label
    assert parse(f"検討の結果は次のとおりです。\n{line}").label == label


def test_the_original_order_changes_nothing() -> None:
    assert permute("abcd", ORIGINAL_ORDER) == LABELS
    assert [permute_label(label, ORIGINAL_ORDER) for label in LABELS] == list(LABELS)


def test_an_order_names_where_each_shown_choice_stood() -> None:
    assert permute(("甲", "乙", "丙", "丁"), (2, 0, 3, 1)) == ("丙", "甲", "丁", "乙")
    assert permute_label("c", (2, 0, 3, 1)) == "a"


@pytest.mark.slow
@given(ITEMS, ORDERS)
def test_the_inverse_undoes_an_order(items: tuple[str, ...], order: Order) -> None:
    assert permute(permute(items, order), inverse(order)) == items
    assert permute(permute(items, inverse(order)), order) == items


@pytest.mark.slow
@given(ITEMS, ORDERS, ORDERS)
def test_two_orders_compose_to_one(items: tuple[str, ...], first: Order, second: Order) -> None:
    one, two, three, four = permute(first, second)
    assert permute(permute(items, first), second) == permute(items, (one, two, three, four))


@given(LABEL, ORDERS)
def test_a_label_follows_its_choice(label: Label, order: Order) -> None:
    shown = permute(("甲", "乙", "丙", "丁"), order)
    text = dict(zip(LABELS, ("甲", "乙", "丙", "丁"), strict=True))[label]
    assert shown[LABELS.index(permute_label(label, order))] == text
    assert permute_label(permute_label(label, order), inverse(order)) == label


def test_the_cyclic_orders_put_every_choice_at_every_label_once() -> None:
    orders = cyclic_orders()
    assert orders[0] == ORIGINAL_ORDER
    assert len(orders) == 4
    for column in zip(*orders, strict=True):
        assert sorted(column) == [0, 1, 2, 3]


def test_all_orders_are_the_twenty_four_in_lexicographic_order() -> None:
    orders = all_orders()
    assert orders[0] == ORIGINAL_ORDER
    assert len(set(orders)) == 24
    assert list(orders) == sorted(orders)
    assert set(cyclic_orders()) < set(orders)
