"""Counts over an article file."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.statutes.articles import (
    read_articles,
)
from lawqa.statutes.corpus_stats import count_articles

pytestmark = pytest.mark.every_python


@pytest.mark.slow
def test_the_labs_articles_are_read(shared_data: Path) -> None:
    path = shared_data / "statutes" / "articles_13laws.jsonl"
    stats = count_articles(read_articles(path))
    assert (stats.laws, stats.total.articles) == (13, 6951)
    assert [counts.articles for counts in stats.by_part.values()] == [3714, 2769, 458, 10]
    repeated = [
        paragraph
        for article in read_articles(path)
        for paragraph in article.paragraphs
        if paragraph.num and paragraph.text[:1] == chr(ord("０") + paragraph.num % 10)
    ]
    assert repeated == []
