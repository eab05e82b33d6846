"""Reading articles from the headings of contexts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.questions import read_questions
from lawqa.statutes.headings import quotations, quoted_paragraphs

pytestmark = pytest.mark.every_python


def articles(context: str) -> list[tuple[str, str, int]]:
    return [(a.law_title, a.article, a.paragraph) for a in quoted_paragraphs(context)]


@pytest.mark.parametrize(
    ("heading", "article"),
    [
        ("### 第5条", "5"),
        ("### 第５条", "5"),
        ("### 第五条", "5"),
        ("### 第 18 条の２", "18_2"),
        ("### 第1８条の２", "18_2"),
        ("### 第27条の22の2", "27_22_2"),
        ("### 第27条の32の２", "27_32_2"),
        ("### 第二条の二", "2_2"),
        ("### 第百五十六条の三十八", "156_38"),
        ("#### 第1条の３", "1_3"),
        ("### 第5条（届出書の提出）", "5"),
        ("＃＃＃　第5条", "5"),
        ("###第5条", "5"),
        ("### 附則第3条", "附則3"),
        ("### 140条", "140"),
        ("### 百四十条", "140"),
        ("### 第140条: 期間の起算", "140"),
        ("### 第140条：期間の起算", "140"),
        ("### 第140条　期間の起算", "140"),
        ("### 第 18 条の２ 建物の朽廃", "18_2"),
        ("### 第140条（期間の起算）　初日の不算入", "140"),
        ("### 甲法 第140条", "140"),
    ],
)
def test_forms_of_an_article(heading: str, article: str) -> None:
    assert articles(f"## 甲法\n{heading}\n本文。") == [("甲法", article, 1)]


@pytest.mark.parametrize(
    "heading",
    [
        "### 第709条、第710条",
        "### 第709条及び第710条",
        "### 709条・710条",
        "### 甲法第709条（不法行為）、第710条（財産以外の損害）",
        "### 第709条、第710条　不法行為",
    ],
)
def test_several_articles_in_one_heading(heading: str) -> None:
    assert articles(f"## 甲法\n{heading}\n本文。") == [("甲法", "709", 1), ("甲法", "710", 1)]


def test_the_paragraph_below_several_articles_is_of_each() -> None:
    assert articles("## 甲法\n### 第1条第2項、第3条\n#### 第4項\n本文。") == [
        ("甲法", "1", 4),
        ("甲法", "3", 4),
    ]
    assert articles("## 甲法\n### 第1条第2項、第3条\n本文。") == [
        ("甲法", "1", 2),
        ("甲法", "3", 1),
    ]


@pytest.mark.parametrize(
    "heading",
    [
        "### 第140条関係",
        "### 第140条 関係",
        "### 第4条（届出）　関係",
        "### 第4条：届出関係",
        "### 第5条の規定により",
        "### 第5条 の規定",
        "### 第5条 及び次の条",
        "### 三条件",
        f"### 第{'9' * 5000}条",
    ],
)
def test_headings_that_only_mention_an_article(heading: str) -> None:
    assert articles(f"## 甲法\n{heading}\n本文。") == []


@pytest.mark.parametrize(
    "line",
    ["第140条", "第百四十条", " 第140条（期間の起算）", "第百四十条　期間の初日は、算入しない。"],
)
def test_a_line_that_opens_an_article(line: str) -> None:
    assert articles(f"## 甲法\n{line}\n本文。") == [("甲法", "140", 1)]


def test_lines_open_articles_one_after_another() -> None:
    context = "## 甲法\n第1条 あい\nう\n第2条\nえ\n### 解説\nおか"
    assert [(q.paragraph.article, q.characters) for q in quotations(context)] == [
        ("1", 3),
        ("2", 1),
    ]


@pytest.mark.parametrize(
    "context",
    [
        "## 監督の手引\n第140条\n本文",
        "第140条\n本文",
        "## 甲法\n第140条の規定による。",
        "## 甲法\n第140条 の規定による。",
        "## 甲法\n第140条、第141条\n本文",
        "## 甲法\n140条\n本文",
    ],
)
def test_lines_that_open_none(context: str) -> None:
    assert articles(context) == []


def test_below_a_heading_an_article_in_the_text_is_a_citation() -> None:
    assert articles("## 甲法\n### 第1条\n次の条による。\n第2条\n本文") == [("甲法", "1", 1)]


def test_paragraphs_items_and_laws_in_order() -> None:
    context = (
        "## 金融商品取引法\n### 第5条\n#### 第6項\n本文\n##### 第2号\n号の文\n#### 第７項\n本文\n"
        "## 金融商品取引法施行令\n### 第2条の13\n#### 第1号\n号の文"
    )
    assert articles(context) == [
        ("金融商品取引法", "5", 6),
        ("金融商品取引法", "5", 7),
        ("金融商品取引法施行令", "2_13", 1),
    ]


def test_text_before_the_first_paragraph_heading_is_paragraph_one() -> None:
    assert articles("## 甲法\n### 第3条\n柱書\n#### 第2項\n本文") == [
        ("甲法", "3", 1),
        ("甲法", "3", 2),
    ]


def test_an_article_and_paragraph_in_one_heading_and_a_title_before_it() -> None:
    assert articles("## 甲法\n### 第3条の2第4項第1号\n本文") == [("甲法", "3_2", 4)]
    assert articles("# 参照条文\n### 会社法第3条第2項\n本文") == [("会社法", "3", 2)]


def test_a_title_at_the_level_of_articles() -> None:
    context = "## 甲法\n### 第1条\n本文\n### 乙に関する内閣府令\n### 第30条の2\n本文"
    assert articles(context) == [("甲法", "1", 1), ("乙に関する内閣府令", "30_2", 1)]


def test_a_law_number_is_no_part_of_the_title() -> None:
    context = "## 借地借家法（平成三年法律第九十号）\n### 第3条\n本文"
    assert articles(context) == [("借地借家法", "3", 1)]


def test_chapters_and_supplements() -> None:
    context = "## 甲法\n### 第2章 通則\n### 第9条\n本文\n### 附則\n#### 第1条\n本文"
    assert articles(context) == [("甲法", "9", 1), ("甲法", "附則1", 1)]


def test_guidelines_give_no_article() -> None:
    context = (
        "## 金融商品取引法等ガイドライン\n### 第1章　金融商品取引法\n#### 金商法第2条（定義）関係\n"
        "##### 2-3\n文\n### 第4条（募集又は売出の届出）関係\n文\n### 第4（基準）\n文\n### (問12)\n文"
    )
    assert articles(context) == []


def test_an_article_without_a_law_is_unknown() -> None:
    assert articles("### 第5条\n本文") == []
    assert articles("") == []
    assert articles("第5条は見出しではない。") == []


def test_each_paragraph_once_with_all_its_text() -> None:
    context = "## 甲法\n### 第1条\nあいう\n### 第2条\nえ\n### 第1条\nお か"
    assert [(q.paragraph.article, q.characters) for q in quotations(context)] == [
        ("1", 5),
        ("2", 1),
    ]


def test_headings_of_items_are_no_text_of_the_paragraph() -> None:
    (quoted,) = quotations("## 甲法\n### 第1条\n#### 第2項\n##### 第1号\nあい\n##### 第2号\nう")
    assert (quoted.paragraph.paragraph, quoted.characters) == (2, 3)


def test_another_heading_ends_an_article_unless_it_stands_below_it() -> None:
    for level, characters in (("##", 2), ("###", 2), ("####", 6)):
        context = f"## 甲法\n### 第1条\nあい\n{level} 解説\nうえおか"
        assert [q.characters for q in quotations(context)] == [characters]


def test_a_heading_at_the_level_of_articles_is_no_title_unless_it_names_a_statute() -> None:
    context = "## 甲法\n### 第1条\n本文\n### 解説\n文\n### 第2条\n本文"
    assert articles(context) == [("甲法", "1", 1), ("甲法", "2", 1)]


def test_a_named_article_without_text_counts() -> None:
    assert articles("## 甲法\n### 第1条\n### 第2条\n#### 第3項") == [
        ("甲法", "1", 1),
        ("甲法", "2", 3),
    ]
    assert [q.characters for q in quotations("## 甲法\n### 第1条\n### 第2条\n本文")] == [0, 2]


def test_all_hand_read_quoted_paragraphs(shared_data: Path) -> None:
    gold_file = shared_data / "statutes" / "gold_articles_dev.jsonl"
    if not gold_file.is_file():
        pytest.skip("there is no gold_articles_dev.jsonl in the shared data")
    contexts = {q.id: q.context for q in read_questions(shared_data / "lawqa_jp/selection.json")}
    entries = [json.loads(line) for line in gold_file.read_text(encoding="utf-8").splitlines()]
    assert len(entries) == 69
    for entry in entries:
        found = [(a.law_title, a.article) for a in quoted_paragraphs(contexts[entry["file_name"]])]
        expected = [(a["law_title"], a["article"]) for a in entry["articles"]]
        assert list(dict.fromkeys(found)) == expected, entry["file_name"]


def test_every_heading_of_an_article_in_the_140_is_read(shared_data: Path) -> None:
    for question in read_questions(shared_data / "lawqa_jp/selection.json"):
        headings = [line for line in question.context.split("\n") if line.startswith("#")]
        named = [h for h in headings if "条" in h and "関係" not in h and "規定" not in h]
        laws = [h for h in headings if h.strip("# ").endswith(("法", "法律", "令", "規則"))]
        if named and laws:
            assert quoted_paragraphs(question.context), question.id
