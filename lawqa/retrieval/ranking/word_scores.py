"""The scores of articles by words: BM25 of their paragraphs, and for short queries law names and captions."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lawqa.retrieval.bm25 import Bm25Scores
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.queries.short_query import ShortQuery
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.statutes.citations import CitationReading
from lawqa.statutes.normalise import normalise

Floats = NDArray[np.float64]
"""A score for every article of an index; shape (n_articles,)."""

DECIMALS = 4
"""Scores are rounded to this number of decimals, so that no machine's last bit decides a tie."""

_ASKS_FOR_OTHER_PARTS = re.compile("附則|別表|様式|前文|制定文")
_FEW = 0.25
_LEAST = 10.0**-DECIMALS


def query_parts(
    text: str,
    choices: Sequence[str],
    of_choices: Sequence[CitationReading],
    settings: SearchSettings,
) -> list[tuple[str, float]]:
    """Return the normalised texts that are searched for, with their weights.

    A choice that is nothing but citations adds no words: the articles it names say little in their own text
    of being named.
    """
    words = [(normalise(text), 1.0)]
    for choice, reading in zip(choices, of_choices, strict=True):
        if settings.choices == "all" or (settings.choices == "adaptive" and not reading.bare):
            words.append((normalise(choice), settings.choice_weight))
    return words


def article_scores(
    index: StatuteIndex, units: Bm25Scores, text: str, settings: SearchSettings
) -> Floats:
    """Return the score of every article: its best paragraph, and a little of the others.

    Args:
        index: the index.
        units: the score of every paragraph.
        text: the question with its choices: whether it asks for supplementary provisions or appendices.
        settings: the weights.
    """
    # For all laws this takes half the time of going through every paragraph, and a third of reduceat's.
    first, later = units[index.first_unit], units[index.later_units]
    best = first.copy()
    np.maximum.at(best, index.later_of, later)
    sums = np.bincount(index.later_of, later, index.n_articles)
    scores: Floats = sums.astype(np.float64, copy=False)
    scores += first
    scores -= best
    np.minimum(scores, best, out=scores)
    scores *= settings.other_paragraphs
    scores += best
    if not _ASKS_FOR_OTHER_PARTS.search(text):
        scores[index.other_parts] *= settings.other_parts
    return scores


def favour_named_laws(
    index: StatuteIndex, words: Floats, short: ShortQuery, settings: SearchSettings
) -> Floats:
    """Return the word scores, those of the statutes that a short query names raised."""
    if not short.laws:
        return words
    own = np.isin(index.law_of, short.laws)
    favoured: Floats = words * np.where(own, settings.named_law, 1.0)
    return favoured


def raise_by_caption(
    index: StatuteIndex,
    order: Sequence[int],
    scores: Sequence[float],
    short: ShortQuery,
    settings: SearchSettings,
) -> tuple[list[int], list[float]]:
    """Return the first articles again, those whose captions hold the words of a short query raised."""
    head, rest = list(order[: settings.captions_read]), order[settings.captions_read :]
    raised = dict(zip(head, scores, strict=False))
    asked = (*short.words, *short.others)
    for position in head:
        caption = normalise(index.article(position).caption)
        share = sum(word in caption for word in asked) / len(short.words)
        raised[position] *= 1 + settings.caption_weight * min(share, 1.0)
    head.sort(key=lambda position: (-round(raised[position], DECIMALS), index.id_rank[position]))
    return [*head, *rest], [*(raised[p] for p in head), *scores[len(head) :]]


def best_articles(index: StatuteIndex, scores: Floats, depth: int) -> list[int]:
    """Return the positions of the highest scores above 0, highest first, ties by id."""
    # Nearly always the best have a quarter of the best score or more; then the others are not sorted.
    candidates = np.flatnonzero(scores >= max(float(scores.max()) * _FEW, _LEAST))
    if len(candidates) < depth:
        candidates = np.flatnonzero(scores >= _LEAST)
    if len(candidates) > depth:
        among = scores[candidates]
        candidates = candidates[among >= np.partition(among, -depth)[-depth]]
    order = np.lexsort((index.id_rank[candidates], -scores[candidates]))
    best: list[int] = candidates[order][:depth].tolist()
    return best
