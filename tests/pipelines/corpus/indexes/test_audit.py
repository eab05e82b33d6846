"""An index that gives questions away: refused when it is built, when it is asked, and said where allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.pipelines.corpus.indexes.manifest import IndexManifest
from lawqa.questions import Question, write_questions
from lawqa.statutes.articles import Article, Paragraph, write_articles

GUIDE = (
    "貸金庫業者は、利用者から預かつた鍵を施錠できる保管庫に納め、出し入れの都度その日時及び担当者の氏名を"
    "帳簿に記載し、五年間保存するものとする。"
)
REST = (
    "この指針は、貸金庫業者の監督に当たる職員の参考とするために定める。職員は、立入検査の際に帳簿の記載と"
    "実際の在庫とを照合し、相違があれば理由を聴取するものとする。検査の結果は文書により通知する。"
)
QUESTION = Question(
    id="貸金庫_1",
    text="貸金庫業者が預かつた鍵の帳簿の保存期間について、監督指針の趣旨に照らして正しい説明を一つ選んでください。",
    choices=(
        "帳簿は一年間だけ保存すれば足りる",
        "帳簿は五年間保存しなければならない",
        "帳簿は十年間保存しなければならない",
        "帳簿を保存する期間は定められていない",
    ),
    gold="b",
    context=f"## 貸金庫業者の監督指針\n### 鍵の管理\n{GUIDE}",
)
STATUTE = Article(
    "905AC01/main/3", "905AC01", "貸金庫法", "", "", "main", "3", "（鍵）",
    (Paragraph(1, "貸金庫業者は、鍵を帳簿に記載しなければならない。"),),
)  # fmt: skip

GUIDELINE = f"# 貸金庫業者の監督指針\n\n## 目的\n{REST}\n\n## 鍵の管理\n{GUIDE}\n"
PRINTED = "# 過去問集\n\n## 問1\n" + "\n".join(
    [QUESTION.text, *(f"{n} {text}" for n, text in zip("abcd", QUESTION.choices, strict=True))]
)
COPY = f"# 資料\n\n## 鍵の管理\n{GUIDE}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "questions.json", [QUESTION])
    write_articles(tmp_path / "articles.jsonl", [STATUTE])
    Path("script.json").write_text('{"*": "b"}', encoding="utf-8")
    return tmp_path


@pytest.fixture
def build(here: Path) -> Callable[..., int]:
    def built(text: str, *more: str) -> int:
        (here / "documents").mkdir(exist_ok=True)
        (here / "documents" / "x.md").write_text(text, encoding="utf-8")
        return main(
            ["index", "build", "--articles", "articles.jsonl", "--documents", "documents",
             "--output-dir", "index", "--quiet", *more]
        )  # fmt: skip

    return built


ASK = [
    "evaluate", "--data", "questions.json", "--llm-backend", "scripted", "--script", "script.json",
    "--condition", "rag", "--index", "index", "--run-dir", "run", "--quiet",
]  # fmt: skip
AUDIT = ("--audit", "questions.json")


@pytest.mark.slow
def test_a_guideline_and_a_statute_are_no_leak_and_the_index_says_that_it_was_audited(
    build: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(GUIDELINE, *AUDIT) == 0
    assert "audit: gives away none of the 1 question of questions.json" in capsys.readouterr().out
    audit = IndexManifest.read(Path("index")).audit
    assert audit is not None
    assert (audit.questions, audit.leaks) == (1, ())
    assert main(ASK) == 0
    manifest = json.loads(Path("run/manifest.json").read_text(encoding="utf-8"))
    assert manifest["retrieval"]["audited"] is True
    assert not any("LEAK" in note for note in manifest["notes"])


@pytest.mark.parametrize(
    ("document", "passage", "why"),
    [
        (PRINTED, "document:x.md/0000", "same question text"),
        (COPY, "document:x.md", "near-same context"),
    ],
    ids=["printed", "copy"],
)
def test_a_build_that_audits_refuses_what_gives_a_question_away(
    document: str, passage: str, why: str, build: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert build(document, *AUDIT) == 2
    said = capsys.readouterr().err
    assert "1 passage gives questions away" in said
    assert f"{passage} -> 貸金庫_1" in said
    assert why in said
    assert "--allow-leak" in said
    assert not Path("index").exists()
    assert build(document, *AUDIT, "--allow-leak") == 0
    assert "audit: GIVES AWAY 1 of the 1 question" in capsys.readouterr().out
    assert main(["index", "info", "--index", "index"]) == 0
    assert "audit       GIVES AWAY 1 of the 1" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("document", [PRINTED, COPY], ids=["printed", "copy"])
def test_an_index_that_was_not_audited_is_when_it_is_asked(
    document: str, build: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(document) == 0
    assert main(["index", "info", "--index", "index"]) == 0
    assert "audit       none" in capsys.readouterr().out
    assert main(ASK) == 2
    said = capsys.readouterr().err
    assert "the index gives away 1 of 1 question" in said
    assert "--allow-leak scores them all the same" in said
    assert not Path("run").exists()
    assert main([*ASK, "--allow-leak"]) == 0
    summary = json.loads(Path("run/summary.json").read_text(encoding="utf-8"))
    assert summary["notes"][0].startswith("LEAK IN THE INDEX: the index gives away 1 of 1")
    capsys.readouterr()
    assert main(["report", "run", "--lang", "en", "--output", "report.html", "--quiet"]) == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert re.search(
        "No claim about new questions can be made: the index of [^ ]+ gives away", page
    )


def test_records_are_not_made_of_contexts_that_give_their_question_away(
    build: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lawqa.pipelines.evaluation.rag.token_counter", lambda *_: len)
    assert build(PRINTED) == 0
    argv = [
        "records", "--lawqa-path", "questions.json", "--output-path", "train.jsonl",
        "--condition", "rag", "--index", "index", "--hf-model-name", "m", "--quiet",
    ]  # fmt: skip
    assert main(argv) == 2
    said = capsys.readouterr().err
    assert "the index gives away 1 of 1 question" in said
    assert "--allow-leak" not in said
    assert not Path("train.jsonl").exists()


@pytest.mark.slow
def test_index_eval_names_the_questions_that_are_given_away(
    build: Callable[..., int], capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    context = "## 貸金庫法\n### 第3条\n貸金庫業者は、鍵を帳簿に記載しなければならない。"
    asked = Question("貸金庫_2", QUESTION.text, QUESTION.choices, "b", context)
    write_questions(here / "asked.json", [asked])
    assert build(PRINTED) == 0
    capsys.readouterr()
    assert main(["index", "eval", "--index", "index", "--questions", "asked.json", "--json"]) == 0
    out, err = capsys.readouterr()
    (leak,) = json.loads(out)["given_away"]
    assert leak["id"] == "貸金庫_2"
    assert "note: the index gives away 1 of 1 question" in err
