"""What a query cites and what the best article refers to: articles that are raised for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.ranking.word_scores import DECIMALS, Floats, best_articles
from lawqa.statutes.citations import Citation, CitationReading, read_citations


def read_query(
    index: StatuteIndex, text: str, choices: Sequence[str]
) -> tuple[CitationReading, list[CitationReading]]:
    """Return the citations of a question and of each choice, in which 同法 may mean what the
    question names.
    """
    question = read_citations(text, index.names)
    return question, [
        read_citations(choice, index.names, question.antecedents) for choice in choices
    ]


def with_citations(
    index: StatuteIndex, readings: Sequence[CitationReading], words: Floats
) -> dict[int, tuple[Citation, ...]]:
    """Return the cited articles with their citations.

    A citation without a law is taken to be of the law that is cited or named most, or else of the article
    that the words find first.
    """
    citations = [citation for reading in readings for citation in reading.citations]
    laws = [citation.law for citation in citations if citation.law is not None]
    laws = laws or [law for reading in readings for law in reading.laws]
    assumed = _most_named(laws) if laws else int(index.law_of[int(words.argmax())])
    cited: dict[int, tuple[Citation, ...]] = {}
    for citation in citations:
        law = assumed if citation.law is None and not citation.foreign else citation.law
        position = None if law is None else index.find(law, citation.article)
        if position is not None:
            cited[position] = (*cited.get(position, ()), citation)
    return cited


def raise_cited(
    words: Floats, cited: Iterable[int], weight: float, settings: SearchSettings
) -> Floats:
    """Return the word scores rounded, those of cited articles raised by `weight` of the best one."""
    best = max(float(words.max()), 1.0)
    floor = settings.citation_floor
    scores = np.round(words, DECIMALS)
    for position in cited:
        own = float(words[position])
        raised = max(own + weight * best, (1 - floor) * own + floor * best)
        scores[position] = np.round(raised, DECIMALS)
    return scores


def follow_references(
    index: StatuteIndex, scores: Floats, depth: int, settings: SearchSettings
) -> tuple[list[int], list[float], dict[int, int]]:
    """Return the best articles after those that the first one cites, or that cite it, were raised.

    Returns:
        Their positions, their scores, and of each raised article the one that raised it.
    """
    order = best_articles(index, scores, depth)
    if not settings.follow:
        return order, [float(scores[position]) for position in order], {}
    if not order:
        return [], [], {}
    kept, source = order[: settings.follow_below], order[0]
    linked = index.linked(source)
    gain = settings.follow_weight * scores[source] / np.sqrt(1 + len(linked))
    # An article that gains nothing is among the best afterwards only if it was before.
    pool = np.setdiff1d(np.union1d(order, linked), kept)
    raised = scores[pool] + np.where(np.isin(pool, linked), gain, 0.0)
    by_score = np.lexsort((index.id_rank[pool], -np.round(raised, DECIMALS)))
    best = by_score[: depth - len(kept)]
    rest: list[int] = pool[best].tolist()
    limit = float(scores[kept[-1]]) if kept else 0.0
    final = [float(scores[position]) for position in kept]
    final += np.minimum(raised[best], limit).tolist()
    followed = set(linked.tolist())
    return kept + rest, final, {position: source for position in rest if position in followed}


def _most_named(laws: Sequence[int]) -> int:
    """Return the law named most often, of several the first."""
    return max(dict.fromkeys(laws), key=laws.count)
