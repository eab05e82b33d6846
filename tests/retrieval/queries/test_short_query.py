"""Queries that people type: words, the statute named, captions; questions stay questions."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from lawqa.errors import MissingExtraError
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.indexing import write_index
from lawqa.retrieval.queries.short_query import read_short_query
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.retriever import Retriever
from lawqa.statutes.articles import Article, Paragraph
from lawqa.statutes.law_names import LawNames

LEASE, CIVIL = "借地借家法", "民法"
NAMES = LawNames([LEASE, CIVIL])
QUERIES = Path(__file__).parent / "data/queries_of_people.jsonl"


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("公告は買取期間の初日の何日前までか", ()),
        ("次のうち、正しいものを教えてください", ()),
        ("借地借家法第28条", ()),
        ("正当事由", ("甲", "乙", "丙", "丁")),
        ("借地借家法", ()),
        ("あ" * 60, ()),
    ],
)
def test_questions_citations_and_bare_names_are_no_short_queries(
    text: str, choices: tuple[str, ...]
) -> None:
    assert read_short_query(text, choices, NAMES) is None


def test_a_short_query_names_its_statute_apart_from_its_words() -> None:
    short = read_short_query("借地借家法　正当事由", (), NAMES)
    assert short is not None
    assert (short.words, short.laws) == (("正当", "事由"), (0,))


def article(law: str, number: str, text: str, caption: str = "") -> Article:
    paragraphs = (Paragraph(1, text),)
    return Article(f"{law}/{number}", law, law, "", "", "main", number, caption, paragraphs)


@pytest.fixture(scope="module")
def leases(tmp_path_factory: pytest.TempPathFactory) -> StatuteIndex:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    directory = tmp_path_factory.mktemp("leases")
    write_index(
        [
            article(
                LEASE, "28", "更新をしない旨の通知は、正当の事由がなければすることができない。"
            ),
            article(
                LEASE, "61", "当事者は、当事者の一方の申立てがあるときは、当事者双方を審尋する。"
            ),
            article(LEASE, "41", "裁判所は、当事者の意見を聴いて、当事者に事由を通知する。"),
            article(CIVIL, "1", "正当の事由、正当の事由。", "（正当の事由）"),
            article(CIVIL, "622_2", "敷金は、賃貸人が返還しなければならない。", "（敷金）"),
            article(CIVIL, "700", "敷金、敷金、賃料の敷金の額を返還する。", "（雑則）"),
        ],
        directory,
    )
    return StatuteIndex(directory)


def first(index: StatuteIndex, query: str) -> str:
    return str(Retriever(index).search(query, top_k=1)[0].article.id)


def test_what_is_asked_for_is_first_though_its_bigrams_are_elsewhere(leases: StatuteIndex) -> None:
    assert first(leases, "借地借家法 正当事由") == f"{LEASE}/28"
    assert first(leases, "正当事由") == f"{CIVIL}/1"
    assert first(leases, "民法 敷金") == f"{CIVIL}/622_2"


def test_sudachi_is_asked_for_by_name(leases: StatuteIndex) -> None:
    if find_spec("sudachipy") is None:
        with pytest.raises(MissingExtraError, match="sudachipy"):
            Retriever(leases, SearchSettings(words="sudachi"))
    else:
        found = Retriever(leases, SearchSettings(words="sudachi")).search("借地借家法 正当事由")
        assert found[0].article.id == f"{LEASE}/28"


def test_the_queries_of_people_are_whole() -> None:
    rows = [json.loads(line) for line in QUERIES.read_text(encoding="utf-8").splitlines()]
    assert len({row["query"] for row in rows}) == len(rows) == 60
    assert {row["kind"] for row in rows} == {"law+concept", "colloquial", "abbreviation", "variant"}
    assert all(row["law_title"] and row["articles"] for row in rows)
    names = LawNames(sorted({row["law_title"] for row in rows}))
    read = [read_short_query(row["query"], (), names) for row in rows]
    assert all(short is not None for short in read)
