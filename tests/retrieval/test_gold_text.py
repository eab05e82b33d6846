"""The share of gold text in a context: what counts, whatever the spelling, order and headings."""

from __future__ import annotations

import pytest

from lawqa.questions import Question
from lawqa.retrieval.context import Context
from lawqa.retrieval.gold_text import (
    GoldTextResult,
    estimated_tokens,
    gold_text_figures,
    measure_gold_text,
)

FIRST = "公開買付者は、第二十七条の規定により公告をしなければならない。"
SECOND = "前項の公告は、電子公告の方法によるものとする。"


def question(context: str) -> Question:
    return Question("試験法_1", "どれか。", ("甲", "乙", "丙", "丁"), "a", context)


def share(gold: str, shown: str) -> float:
    return measure_gold_text(question(gold), Context(shown, (), len(shown))).share


GOLD = f"## 試験法\n### 第5条\n#### 第1項\n{FIRST}\n#### 第2項\n{SECOND}"


def test_all_of_it_in_another_order_spelling_and_under_other_headings_is_all_of_it() -> None:
    assert share(GOLD, GOLD) == 1
    shown = f"## 別\n### 第9条\n{SECOND}\n…\n{FIRST.replace('第二十七条', '第２７条')}"
    assert share(GOLD, shown) == 1


def test_nothing_of_it_is_nothing_and_a_half_is_a_half() -> None:
    assert share(GOLD, "") == 0
    assert share(GOLD, "## 試験法\n### 第5条\n別の文がここにある。これは引用されていない。") == 0
    assert 0.3 < share(GOLD, FIRST) < 0.7


def test_headings_alone_are_no_gold_text() -> None:
    assert share(GOLD, "## 試験法\n### 第5条\n#### 第1項\n#### 第2項") == 0


def test_what_a_context_quotes_of_guidelines_is_not_counted() -> None:
    mixed = GOLD + "\n## 監督指針\n### Ⅱ－１\n" + "指針の長い文がここに続く。" * 20
    assert share(mixed, GOLD) == 1


def test_the_lines_under_one_heading_are_one_text_with_its_punctuation_and_repetitions() -> None:
    items = ["一　公開買付けの期間その他の事項", "二　公開買付者の氏名又は名称及び住所"]
    gold = "## 試験法\n### 第5条\n" + "\n".join(items)
    n = sum(len("".join(item.split())) for item in items) - 11
    assert share(gold, "\n".join(items)) == 1
    # The 11 places where both items meet are not in a context that leaves something out between them.
    assert share(gold, f"{items[0]}\n…\n{items[1]}") == pytest.approx((n - 11) / n)
    apart = "## 試験法\n### 第5条\n#### 第1項\n" + f"{items[0]}\n#### 第2項\n{items[1]}"
    assert share(apart, f"{items[0]}\n…\n{items[1]}") == 1
    dashed = "## 試験法\n### 第5条\n" + "\n".join(f"- {item}" for item in items)
    assert share(dashed, "\n".join(items)) < 1
    assert not measure_gold_text(question(dashed), Context("\n".join(items), (), 0)).missing
    twice = f"## 試験法\n### 第5条\n{FIRST}\n### 第6条\n{FIRST}\n### 第7条\n{SECOND}"
    once = f"## 試験法\n### 第5条\n{FIRST}\n### 第7条\n{SECOND}"
    assert share(twice, FIRST) > share(once, FIRST)


def test_short_quotations_count_as_wholes_and_a_mere_name_lacks_nothing() -> None:
    assert share("## 試験法\n### 第5条\n削除する。", "第五条\n削除する。") == 1
    assert share("## 試験法\n### 第5条\n削除する。", "別の文") == 0
    assert share("## 試験法\n### 第5条", "別の文") == 1


def test_what_is_missing_is_named_the_largest_loss_first() -> None:
    result = measure_gold_text(question(GOLD), Context("", (), 0))
    assert result.missing == (FIRST, SECOND)


def test_figures_count_questions_from_nine_tenths_on() -> None:
    asked = question(GOLD)
    results = [
        GoldTextResult(asked, share, size, ()) for share, size in ((1, 10), (0.9, 30), (0.89, 50))
    ]
    assert gold_text_figures(results) == {
        "gold_text_mean": 0.93, "gold_text_090": 2, "questions": 3, "tokens_median": 30,
    }  # fmt: skip


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("一", 1), ("一二三四", 3)])
def test_an_estimate_never_says_that_a_text_has_no_tokens(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens
