"""Gold articles from headings, and the figures by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.errors import DataError
from lawqa.questions import Question, read_questions
from lawqa.retrieval.evaluation import (
    QuestionResult,
    evaluate_retrieval,
    figures,
    reference_type,
    summarise_hits,
)
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.retriever import Retriever
from lawqa.statutes.article_names import ArticleName
from lawqa.statutes.articles import read_articles
from lawqa.statutes.headings import gold_articles

ACT, HOUSE = "試験品取引法", "家屋の賃貸借に関する法律"


def question(name: str, context: str = "") -> Question:
    return Question(id=name, text="問", choices=("い", "ろ", "は", "に"), gold="a", context=context)


def result(name: str, *ranks: int | None) -> QuestionResult:
    gold = tuple(ArticleName(ACT, str(n)) for n in range(len(ranks)))
    return QuestionResult(question(name), gold, ranks)


def test_gold_articles_are_read_from_headings_in_every_writing() -> None:
    context = (
        "## 金融商品取引法\n### 第66条の２\n#### 第１項\n本文\n##### 第３号\n### 第六十六条の五\n#### 第1項\n"
        "## 金融商品取引法施行令\n### 第１５条の７\n### 第15条の7\n#### 第16条（定義）\n"
    )
    assert gold_articles(context) == (
        ArticleName("金融商品取引法", "66_2"),
        ArticleName("金融商品取引法", "66_5"),
        ArticleName("金融商品取引法施行令", "15_7"),
        ArticleName("金融商品取引法施行令", "16"),
    )


@pytest.mark.parametrize(
    "quoted",
    [
        "### 140条",
        "### 第140条: 期間の起算",
        "### 第140条　期間の起算",
        "第140条",
        "第百四十条　期間の初日は、算入しない。",
        "### 附則\n#### 第3条\n### 民法第140条",
    ],
)
def test_gold_articles_in_other_forms(quoted: str) -> None:
    assert gold_articles(f"## 民法\n{quoted}\n本文") == (ArticleName("民法", "140"),)


def test_gold_articles_of_one_heading_and_of_a_title_among_articles() -> None:
    context = (
        "## 民法（明治二十九年法律第八十九号）\n### 第709条、第710条\n### 乙に関する規則\n### 第2条"
    )
    assert gold_articles(context) == (
        ArticleName("民法", "709"),
        ArticleName("民法", "710"),
        ArticleName("乙に関する規則", "2"),
    )


@pytest.mark.parametrize(
    "heading",
    [
        "### 第4（基準）",
        "### 法第4条（募集又は売出しの届出）関係",
        "#### 金商法第2条（定義）関係",
        "### （問11）",
        "#### 第1項",
        "### 第４章 情報開示制度",
        "第5条",
        "### 第5条の規定により",
    ],
)
def test_other_headings_name_no_article(heading: str) -> None:
    assert gold_articles(f"## 監督指針\n{heading}\n本文") == ()


def test_an_article_without_a_law_above_is_no_gold() -> None:
    assert gold_articles("### 第5条\n本文") == ()


def test_hits_recall_and_reciprocal_ranks() -> None:
    results = [
        result("甲_1", 1, 4),
        result("甲_2", 3),
        result("乙_1", None, 20),
        result("乙_2", 2, 2),
    ]
    found = figures(results)
    assert found["n"] == 4
    assert [found[f"hit@{k}"] for k in (1, 3, 5, 10)] == [0.25, 0.75, 0.75, 0.75]
    assert [found[f"recall@{k}"] for k in (1, 3, 5)] == [0.125, 0.625, 0.75]
    assert found["mrr"] == pytest.approx((1 + 1 / 3 + 1 / 20 + 1 / 2) / 4, abs=1e-4)


def test_the_summary_groups_and_lists_misses_worst_first() -> None:
    results = [
        result("金商法_第1章_選択式_関連法令_問題番号1", 1),
        result("金商法_第1章_選択式_根拠条文_問題番号2", 2),
        result("薬機法_第1章_選択式_関連法令_問題番号3", None),
    ]
    summary = summarise_hits(results, questions=5)
    assert summary["overall"]["n"] == 3
    assert {law: f["n"] for law, f in summary["by_law"].items()} == {"薬機法": 1, "金商法": 2}
    assert {kind: f["n"] for kind, f in summary["by_reference_type"].items()} == {
        "根拠条文": 1,
        "関連法令": 2,
    }
    assert summary["without_gold"] == 2
    assert [(miss["id"].split("_")[-1], miss["rank"]) for miss in summary["misses"]] == [
        ("問題番号3", None),
        ("問題番号2", 2),
    ]
    assert summary["misses"][1]["gold"] == [
        {"law_title": ACT, "article": "0", "name": "第0条", "rank": 2}
    ]
    json.dumps(summary, allow_nan=False)


def test_questions_are_ranked_against_the_index(index: StatuteIndex) -> None:
    questions = [
        question("甲_1", f"## {ACT}\n### 第5条の2\n本文"),
        question("甲_2", f"## {HOUSE}\n### 第99条\n## 知らない法律\n### 第4条"),
        question("甲_3", "## 監督指針\n### （問1）"),
    ]
    first = index.find(0, "5_2")
    assert first is not None
    results = evaluate_retrieval(questions, index, lambda _question, _depth: [first + 1, first])
    assert [r.ranks for r in results] == [(2,), (None, None)]
    assert results[1].best is None


def test_without_gold_there_is_nothing_to_measure(index: StatuteIndex) -> None:
    with pytest.raises(DataError, match="no question"):
        evaluate_retrieval([question("甲")], index, lambda _question, _depth: [])


def test_the_reference_type_stands_in_the_id() -> None:
    assert reference_type(question("金商法_第2章の5_選択式_根拠条文_問題番号31")) == "根拠条文"
    assert reference_type(question("q1")) == ""


@pytest.fixture
def dev(shared_data: Path) -> dict[str, list[ArticleName]]:
    path = shared_data / "statutes" / "gold_articles_dev.jsonl"
    if not path.exists():
        pytest.skip("the lab's gold articles are not beside the checkout")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {
        row["file_name"]: [ArticleName(a["law_title"], a["article"]) for a in row["articles"]]
        for row in rows
    }


def test_gold_articles_are_those_of_the_lab(
    shared_data: Path, dev: dict[str, list[ArticleName]]
) -> None:
    questions = read_questions(shared_data / "lawqa_jp" / "selection.json")
    read = {q.id: list(gold_articles(q.context)) for q in questions if q.id in dev}
    assert read == dev
    assert sum(bool(gold_articles(q.context)) for q in questions) == 130


@pytest.mark.slow
def test_the_dev_half_is_found_in_the_thirteen_statutes(
    shared_data: Path, dev: dict[str, list[ArticleName]], tmp_path: Path
) -> None:
    """The aim of issue 7, on the questions that the weights were tuned on."""
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    from lawqa.retrieval.indexing import write_index

    write_index(read_articles(shared_data / "statutes" / "articles_13laws.jsonl"), tmp_path)
    retriever = Retriever(StatuteIndex(tmp_path))
    questions = read_questions(shared_data / "lawqa_jp" / "selection.json")
    results = evaluate_retrieval(
        [q for q in questions if q.id in dev],
        retriever.index,
        lambda q, depth: retriever.rank(q.text, q.choices, depth=depth).positions,
    )
    found = figures(results)
    assert found["n"] == 66
    assert found["hit@3"] >= 0.95
    assert found["recall@5"] >= 0.90
    assert found["mrr"] >= 0.92
