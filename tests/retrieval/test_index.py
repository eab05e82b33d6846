"""An index on disk gives back what was written to it, however its articles are packed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.retrieval.index import StatuteIndex
from lawqa.statutes.articles import Article, read_articles

pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")


def articles_of(index: StatuteIndex) -> list[Article]:
    return [index.article(position) for position in range(index.n_articles)]


@pytest.mark.parametrize("size", [1, 2, 5, 16, 64])
def test_articles_come_back_in_blocks_of_any_size(
    statutes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    from lawqa.retrieval import indexing

    monkeypatch.setattr(indexing, "BLOCK", size)
    articles = list(read_articles(statutes))
    indexing.write_index(articles, tmp_path)
    assert articles_of(StatuteIndex(tmp_path)) == articles


def test_an_index_that_does_not_say_its_blocks_has_those_of_64(
    statutes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lawqa.retrieval import indexing

    monkeypatch.setattr(indexing, "BLOCK", 64)
    articles = list(read_articles(statutes))
    indexing.write_index(articles, tmp_path)
    laws = json.loads((tmp_path / "laws.json").read_text(encoding="utf-8"))
    del laws["block"]
    (tmp_path / "laws.json").write_text(json.dumps(laws), encoding="utf-8")
    assert articles_of(StatuteIndex(tmp_path)) == articles
