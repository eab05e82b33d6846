"""What a search gives back: the order of the articles, and each found article with the reasons why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from lawqa.retrieval.bm25 import Bm25Scores
from lawqa.retrieval.shared_phrases import shared_phrases
from lawqa.statutes.articles import Article
from lawqa.statutes.citations import Citation
from lawqa.statutes.normalise import normalise

ReasonKind = Literal["citation", "reference", "terms", "dense"]
"""Why an article was found: it is cited, it is linked to a good one, by its words, by its embedding."""

REASON_KINDS: tuple[ReasonKind, ...] = get_args(ReasonKind)


@dataclass(frozen=True)
class HitReason:
    """One reason why an article was found."""

    kind: ReasonKind
    """What found it."""
    detail: str
    """The shared phrases, the citation, the article that the reference comes from, or the dense rank."""


@dataclass(frozen=True)
class Hit:
    """One found article."""

    rank: int
    """Its place, from 1."""
    position: int
    """Its position in the index."""
    article: Article
    score: float
    """What it was ranked by; comparable within one search only."""
    found_by: tuple[HitReason, ...]
    """What found it beside its words."""
    by_words: bool
    """Whether it holds words that were searched for."""
    paragraphs: tuple[int, ...]
    """Positions of its paragraphs, the most relevant first: cited ones, then by words."""
    items: tuple[str, ...]
    """Numbers of its cited 号, such as 3 or 3_2."""
    query: str
    """The normalised words that were searched for: the question, then a line for each choice."""
    strength: float = 1.0
    """How near its score comes to the best one's: 1 is equal."""
    cited_paragraphs: frozenset[int] = frozenset()
    """Positions of its paragraphs that the text cites by number."""

    @cached_property
    def reasons(self) -> tuple[HitReason, ...]:
        """Why it was found, the strongest reason first; worked out when asked for, since it takes time."""
        if not self.by_words:
            return self.found_by
        best = self.article.paragraphs[self.paragraphs[0]].text if self.paragraphs else ""
        phrases = shared_phrases(self.query, normalise(f"{self.article.caption}\n{best}"))
        terms = [HitReason("terms", " / ".join(phrases))] if phrases else []
        return tuple(sorted((*self.found_by, *terms), key=lambda r: REASON_KINDS.index(r.kind)))


@dataclass(frozen=True)
class Ranking:
    """The order of the articles for one query, and what led to it."""

    positions: tuple[int, ...]
    """Positions in the index, best first."""
    scores: tuple[float, ...]
    """What they were ranked by."""
    units: Bm25Scores
    """The word score of every unit of the index."""
    cited: Mapping[int, tuple[Citation, ...]]
    """Cited articles with their citations."""
    followed: Mapping[int, int]
    """Articles that a reference raised -> the article it comes from."""
    dense: Mapping[int, int]
    """Articles of the dense ranking -> rank from 1."""
    query: str
    """The normalised words that were searched for."""
