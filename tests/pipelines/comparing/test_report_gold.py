"""What of a retrieved context is gold, from the search to the page's data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")

from lawqa.cli import main
from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index
from lawqa.questions import Question, write_questions
from lawqa.report.content import Report
from lawqa.report.page.browser import browser_data
from lawqa.statutes.articles import Article, Paragraph, write_articles

GOLD = "期間の初日は、算入しない。"
OTHER = "月又は年の初めから期間を起算しないときは、その期間は、最後の月において満了する。"


@pytest.fixture
def report(
    tmp_path: Path, question: Callable[..., Question], monkeypatch: pytest.MonkeyPatch
) -> Report:
    monkeypatch.chdir(tmp_path)
    numbered = (Paragraph(1, GOLD), Paragraph(2, OTHER))
    write_articles(
        tmp_path / "a.jsonl",
        [Article("民法/24_5", "民法", "民法", "", "", "main", "24_5", "", numbered)],
    )
    build_index(
        IndexConfig(articles=tmp_path / "a.jsonl", output_dir=tmp_path / "index", quiet=True)
    )
    context = f"## 民法\n### 第24条の5\n#### 第1項\n{GOLD}"
    write_questions("q.json", [question(context=context)])
    Path("s.json").write_text('{"*": "b"}', encoding="utf-8")
    asked = ["--data", "q.json", "--llm-backend", "scripted", "--script", "s.json", "--quiet"]
    for name in ("one", "two"):
        flags = ["--condition", "rag", "--index", "index", "--run-dir", name]
        assert main(["evaluate", *asked, *flags]) == 0
    return make_report(ReportConfig((Path("one"), Path("two"))))


def test_the_retrieved_text_is_found_in_the_prompt_and_its_gold_sentences_in_it(
    report: Report,
) -> None:
    entry = report.runs[0].entries[0]
    prompt, retrieved = entry.result.prompt, entry.retrieved
    assert prompt is not None
    assert retrieved is not None
    start, end = retrieved.span
    assert prompt[start:end].startswith("## 民法")
    assert prompt[start:end].endswith(OTHER)
    assert [prompt[one:two] for one, two in retrieved.gold] == [GOLD]


def test_articles_are_cited_as_lawyers_do_and_stored_once(report: Report) -> None:
    data = browser_data(report)
    (article,) = data["articles"]
    assert article["article"] == "第24条の5"
    assert list(article["gold_passages"]) == ["第24条の5第1項"]
    answers = data["questions"][0]["answers"]
    assert [entry["articles"] for (entry,) in answers] == [[0], [0]]
    assert answers[0][0]["retrieved"] == answers[1][0]["retrieved"]
