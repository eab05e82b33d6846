"""Counts over an article file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lawqa.settings import LawPart
from lawqa.statutes.articles import LAW_PARTS, Article

DELETED = "削除"


@dataclass
class Counts:
    """How much there is."""

    articles: int = 0
    """Records."""
    paragraphs: int = 0
    """Paragraphs of them."""
    characters: int = 0
    """Characters of their texts; captions and headings are not counted."""


@dataclass
class CorpusStats:
    """Counts over all articles of a file."""

    laws: int = 0
    """Different laws."""
    total: Counts = field(default_factory=Counts)
    """Over all parts."""
    by_part: dict[LawPart, Counts] = field(
        default_factory=lambda: {part: Counts() for part in LAW_PARTS}
    )
    """For each part of the laws."""
    revisions: tuple[str, str] = ("", "")
    """The earliest and the latest date in force, YYYYMMDD; empty where unknown."""
    amending_laws: int = 0
    """Pairs of a law and a law that amended it and left supplementary provisions there."""
    deleted: int = 0
    """Articles of which only the word 削除 is left."""
    empty: int = 0
    """Records without a text: a caption is all there is."""
    longest_id: str = ""
    """The article with the most characters, the first of equals."""
    longest_characters: int = 0
    """How many it has."""


def count_articles(articles: Iterable[Article]) -> CorpusStats:
    """Count, in one pass."""
    stats = CorpusStats()
    laws: set[str] = set()
    amending: set[tuple[str, str]] = set()
    dates: set[str] = set()
    for article in articles:
        characters = sum(len(paragraph.text) for paragraph in article.paragraphs)
        for counts in (stats.total, stats.by_part[article.part]):
            counts.articles += 1
            counts.paragraphs += len(article.paragraphs)
            counts.characters += characters
        laws.add(article.law_id)
        dates.add(article.revision[:8])
        if article.amend_law_num is not None:
            amending.add((article.law_id, article.amend_law_num))
        stats.deleted += [p.text.strip() for p in article.paragraphs] == [DELETED]
        stats.empty += not characters
        if characters > stats.longest_characters:
            stats.longest_id, stats.longest_characters = article.id, characters
    dates.discard("")
    stats.laws, stats.amending_laws = len(laws), len(amending)
    stats.revisions = (min(dates, default=""), max(dates, default=""))
    return stats
