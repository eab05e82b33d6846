"""From a question and its choices to ranked articles, and why each of them was found.

A short query that a person types is read as words (`short_query`). A question:

1. Words: BM25 over paragraphs, question and choices together. A choice that is nothing but citations adds no
   words: the articles it names say little in their own text of being named.
2. Citations in question and choices are looked up. A cited article gains half of the best word score, which
   puts it first unless another article answers the words far better; then it comes close behind. (Some
   questions of lawqa_jp cite 第29条 and mean 第29条の4: always first costs .02 of MRR on the dev half.)
3. References (`follow`): articles that cite the best one, or that it cites, gain a part of its score. So the
   cabinet order that says 「法第…条に規定する政令で定める」 comes with the act. The first three stay.
4. Only when asked for: a dense ranking fused in, and a cross-encoder over the first results.

Every weight here was tuned on the 69 questions of the dev half, and kept where two corpora agreed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lawqa.errors import ConfigError
from lawqa.questions import Question
from lawqa.retrieval.bm25 import Scores, query_weights
from lawqa.retrieval.dense import DenseRanker, Reranker, article_text, fuse_reciprocal_ranks
from lawqa.retrieval.hits import Hit, Ranking, Reason
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.queries.short_query import ShortQuery, read_short_query
from lawqa.retrieval.queries.words import by_rules, sudachi_cut
from lawqa.statutes.article_names import article_name
from lawqa.statutes.articles import Article
from lawqa.statutes.citations import Citation, Reading, read_citations
from lawqa.statutes.normalise import normalise

Floats = NDArray[np.float64]

_ASKS_FOR_OTHER_PARTS = re.compile("附則|別表|様式|前文|制定文")
_DECIMALS = 4
"""Scores are rounded to this number of decimals, so that no machine's last bit decides a tie."""
_FEW = 0.25
_LEAST = 10.0**-_DECIMALS
_FALLING = -0.28
"""The exponent of rank that the word scores of the dev half fall by on the average."""


@dataclass(frozen=True)
class SearchSettings:
    """How articles are ranked."""

    choices: Literal["adaptive", "all", "none"] = "adaptive"
    """Whose words are searched for with the question's: choices that are no bare citations, all, or none."""
    citations: bool = True
    """Whether cited articles are looked up."""
    follow: bool = True
    """Whether references from and to the best article are followed one step."""
    choice_weight: float = 0.25
    """The weight of a word in a choice; in the question it is 1, so four choices weigh as much."""
    k3: float = 1.0
    """How soon a word repeated in question and choices stops counting."""
    other_paragraphs: float = 0.1
    """The part that the other paragraphs of an article add to the score of its best one."""
    other_parts: float = 0.5
    """The weight of supplementary provisions, appendices and preambles that the question does not ask for."""
    citation_weight: float = 0.5
    """What a citation is worth, as a part of the best word score."""
    citation_floor: float = 0.95
    """How near the best word score a citation lifts an article at least: 1 is up to it."""
    follow_weight: float = 1.0
    """The part of the best article's score that those linked to it gain, over sqrt(1 + their number)."""
    follow_below: int = 3
    """How many of the best articles keep their places."""
    words: Literal["rules", "sudachi"] = "rules"
    """How a short query is cut into words: by script and pairs of kanji, or by SudachiPy."""
    named_law: float = 3.0
    """What the word scores of a statute are multiplied by that a short query names."""
    caption_weight: float = 0.8
    """What the score of an article gains whose caption holds all words of a short query, as a part of it."""
    captions_read: int = 16
    """How many of the best articles' captions are read for a short query."""


class Retriever:
    """Finds articles in an opened index.

    Args:
        index: the index.
        settings: how to rank; the defaults if None.
        dense: a dense ranking to fuse in; none if None.
        reranker: a cross-encoder that reorders the first articles; none if None.
        rerank_depth: how many articles it reorders.

    Raises:
        ConfigError: `rerank_depth` is below 1.
    """

    def __init__(
        self,
        index: StatuteIndex,
        settings: SearchSettings | None = None,
        *,
        dense: DenseRanker | None = None,
        reranker: Reranker | None = None,
        rerank_depth: int = 20,
    ) -> None:
        if rerank_depth < 1:
            raise ConfigError(f"rerank_depth is {rerank_depth}, expected 1 or more")
        self.index, self.settings = index, settings or SearchSettings()
        self._dense, self._reranker, self._rerank_depth = dense, reranker, rerank_depth
        self._cut = sudachi_cut() if self.settings.words == "sudachi" else by_rules

    def retrieve(self, question: Question, top_k: int) -> tuple[Hit, ...]:
        """The articles for a question, the same for every order of its choices.

        Its context and its right answer are not looked at.
        """
        return self.search(question.text, sorted(question.choices), top_k=top_k)

    def rank_for(self, question: Question, depth: int) -> Ranking:
        """The order of the best `depth` articles for a question, as `retrieve` has it."""
        return self.rank(question.text, sorted(question.choices), depth=depth)

    def search(self, text: str, choices: Sequence[str] = (), *, top_k: int = 10) -> tuple[Hit, ...]:
        """The best articles for a text, such as a question, and its choices.

        Raises:
            ConfigError: `top_k` is below 1.
        """
        if top_k < 1:
            raise ConfigError(f"top_k is {top_k}, expected 1 or more")
        ranking = self.rank(text, choices, depth=max(top_k, self._rerank_depth))
        return tuple(
            self._hit(ranking, place) for place in range(min(top_k, len(ranking.positions)))
        )

    def rank(self, text: str, choices: Sequence[str] = (), *, depth: int = 100) -> Ranking:
        """The order of the best `depth` articles, without their texts."""
        question, of_choices = self._read(text, choices)
        parts = self._parts(text, choices, of_choices)
        short = read_short_query(text, choices, self.index.names, self._cut)
        if short is not None:
            parts = short.parts(normalise(text))
        units = self.index.bm25.scores(query_weights(parts, self.settings.k3))
        whole = " ".join([text, *choices])
        words = self._article_scores(units, whole)
        if short is not None:
            words = self._favoured(words, short)
        cited = self._cited([question, *of_choices], words) if self.settings.citations else {}
        # A text that is a citation and nothing else asks for that article.
        weight = 2.0 if question.bare and not choices else self.settings.citation_weight
        scores = self._with_citations(words, cited, weight)
        order, final, followed = self._follow(scores, depth)
        query = "\n".join(part for part, _ in parts)
        if short is not None:
            order, final = self._by_caption(order, final, short)
        dense: dict[int, int] = {}
        if self._dense is not None:
            nearest = self._dense.rank(query, depth)
            dense = {position: rank for rank, position in enumerate(nearest, start=1)}
            order, final = self._fused([order, list(nearest)], depth)
        if self._reranker is not None:
            order, final = self._reranked(query, order, final)
        return Ranking(tuple(order), tuple(final), units, cited, followed, dense, query)

    def _read(self, text: str, choices: Sequence[str]) -> tuple[Reading, list[Reading]]:
        names = self.index.names
        question = read_citations(text, names)
        return question, [read_citations(choice, names, question.antecedents) for choice in choices]

    def _parts(
        self, text: str, choices: Sequence[str], of_choices: Sequence[Reading]
    ) -> list[tuple[str, float]]:
        wanted = self.settings.choices
        words = [(normalise(text), 1.0)]
        for choice, reading in zip(choices, of_choices, strict=True):
            if wanted == "all" or (wanted == "adaptive" and not reading.bare):
                words.append((normalise(choice), self.settings.choice_weight))
        return words

    def _article_scores(self, units: Scores, text: str) -> Floats:
        """The score of every article: its best paragraph, and a little of the others."""
        # For all laws each of the two takes a third of the time of its reduceat.
        best = np.zeros(self.index.n_articles, dtype=np.float32)
        np.maximum.at(best, self.index.article_of, units)
        sums = np.bincount(self.index.article_of, units, self.index.n_articles)
        scores: Floats = sums.astype(np.float64, copy=False)
        scores -= best
        np.minimum(scores, best, out=scores)
        scores *= self.settings.other_paragraphs
        scores += best
        if not _ASKS_FOR_OTHER_PARTS.search(text):
            scores[self.index.other_parts] *= self.settings.other_parts
        return scores

    def _favoured(self, words: Floats, short: ShortQuery) -> Floats:
        """The word scores, those of the statutes that a short query names raised."""
        if not short.laws:
            return words
        law_of = self.index.law_of
        own = np.isin(law_of, short.laws)
        favoured: Floats = words * np.where(own, self.settings.named_law, 1.0)
        return favoured

    def _by_caption(
        self, order: list[int], final: list[float], short: ShortQuery
    ) -> tuple[list[int], list[float]]:
        """The first articles again, those whose captions hold the words of a short query raised."""
        head = order[: self.settings.captions_read]
        raised = dict(zip(head, final, strict=False))
        asked = (*short.words, *short.others)
        for position in head:
            caption = normalise(self.index.article(position).caption)
            share = sum(word in caption for word in asked) / len(short.words)
            raised[position] *= 1 + self.settings.caption_weight * min(share, 1.0)
        id_rank = self.index.id_rank
        head.sort(key=lambda position: (-round(raised[position], _DECIMALS), id_rank[position]))
        return head + order[len(head) :], [raised[p] for p in head] + final[len(head) :]

    def _cited(self, readings: Sequence[Reading], words: Floats) -> dict[int, tuple[Citation, ...]]:
        """The cited articles; one without a law is taken to be of the law cited or named most."""
        citations = [citation for reading in readings for citation in reading.citations]
        laws = [citation.law for citation in citations if citation.law is not None]
        laws = laws or [law for reading in readings for law in reading.laws]
        if laws:
            assumed = max(dict.fromkeys(laws), key=laws.count)
        else:
            assumed = int(self.index.law_of[int(words.argmax())])
        found: dict[int, tuple[Citation, ...]] = {}
        for citation in citations:
            law = assumed if citation.law is None and not citation.foreign else citation.law
            position = None if law is None else self.index.find(law, citation.article)
            if position is not None:
                found[position] = (*found.get(position, ()), citation)
        return found

    def _with_citations(self, words: Floats, cited: Iterable[int], weight: float) -> Floats:
        """The word scores, those of cited articles raised."""
        best = max(float(words.max()), 1.0)
        floor = self.settings.citation_floor
        scores = np.round(words, _DECIMALS)
        for position in cited:
            own = float(words[position])
            raised = max(own + weight * best, (1 - floor) * own + floor * best)
            scores[position] = np.round(raised, _DECIMALS)
        return scores

    def _follow(self, scores: Floats, depth: int) -> tuple[list[int], list[float], dict[int, int]]:
        """The best articles, references followed: positions, scores, and which article raised which."""
        settings = self.settings
        order = self._best(scores, depth)
        if not settings.follow:
            return order, [float(scores[position]) for position in order], {}
        if not order:
            return [], [], {}
        kept, source = order[: settings.follow_below], order[0]
        linked = self.index.linked(source)
        gain = settings.follow_weight * scores[source] / np.sqrt(1 + len(linked))
        # An article that gains nothing is among the best afterwards only if it was before.
        pool = np.setdiff1d(np.union1d(order, linked), kept)
        raised = scores[pool] + np.where(np.isin(pool, linked), gain, 0.0)
        by_score = np.lexsort((self.index.id_rank[pool], -np.round(raised, _DECIMALS)))
        best = by_score[: depth - len(kept)]
        rest: list[int] = pool[best].tolist()
        limit = float(scores[kept[-1]]) if kept else 0.0
        final = [float(scores[position]) for position in kept]
        final += np.minimum(raised[best], limit).tolist()
        followed = set(linked.tolist())
        return kept + rest, final, {position: source for position in rest if position in followed}

    def _best(self, scores: Floats, depth: int) -> list[int]:
        """The positions of the highest scores above 0, highest first, ties by id."""
        # Nearly always the best have a quarter of the best score or more; then the others are not sorted.
        candidates = np.flatnonzero(scores >= max(float(scores.max()) * _FEW, _LEAST))
        if len(candidates) < depth:
            candidates = np.flatnonzero(scores >= _LEAST)
        if len(candidates) > depth:
            among = scores[candidates]
            candidates = candidates[among >= np.partition(among, -depth)[-depth]]
        order = np.lexsort((self.index.id_rank[candidates], -scores[candidates]))
        found: list[int] = candidates[order][:depth].tolist()
        return found

    def _fused(
        self, rankings: Sequence[Sequence[int]], depth: int
    ) -> tuple[list[int], list[float]]:
        fused = fuse_reciprocal_ranks(rankings)
        order = sorted(fused, key=lambda position: (-fused[position], self.index.id_rank[position]))
        return order[:depth], [fused[position] for position in order[:depth]]

    def _reranked(
        self, query: str, order: list[int], final: list[float]
    ) -> tuple[list[int], list[float]]:
        assert self._reranker is not None  # noqa: S101 - the caller has looked
        head = order[: self._rerank_depth]
        texts = [article_text(self.index.article(position)) for position in head]
        scores = dict(zip(head, map(float, self._reranker.scores(query, texts)), strict=True))
        head.sort(key=lambda position: (-scores[position], self.index.id_rank[position]))
        return head + order[len(head) :], [scores[p] for p in head] + final[len(head) :]

    def _hit(self, ranking: Ranking, place: int) -> Hit:
        position = ranking.positions[place]
        article = self.index.article(position)
        citations = ranking.cited.get(position, ())
        units = self.index.units_of(position)
        words = ranking.units[units.start : units.stop]
        named = {citation.paragraph for citation in citations if citation.paragraph is not None}
        order = sorted(
            range(len(article.paragraphs)),
            key=lambda i: (article.paragraphs[i].num not in named, -float(words[i]), i),
        )
        return Hit(
            rank=place + 1,
            position=position,
            article=article,
            score=ranking.scores[place],
            found_by=tuple(self._found_by(ranking, position, article)),
            by_words=bool(words.max() > 0),
            paragraphs=tuple(order),
            items=tuple(dict.fromkeys(c.item for c in citations if c.item is not None)),
            query=ranking.query,
            strength=self._strength(ranking, place),
            cited_paragraphs=frozenset(
                i for i, paragraph in enumerate(article.paragraphs) if paragraph.num in named
            ),
        )

    def _strength(self, ranking: Ranking, place: int) -> float:
        """How near the best score an article comes; by rank where a model's scores have no zero."""
        if self._dense is not None or self._reranker is not None:
            return float((place + 1) ** _FALLING)
        return ranking.scores[place] / ranking.scores[0]

    def _found_by(self, ranking: Ranking, position: int, article: Article) -> Iterable[Reason]:
        if position in ranking.cited:
            yield Reason("citation", f"{article.law_title}{article_name(article.article or '')}")
        if position in ranking.followed:
            source = self.index.article(ranking.followed[position])
            yield Reason("reference", f"{source.law_title}{article_name(source.article or '')}")
        if position in ranking.dense:
            yield Reason("dense", f"rank {ranking.dense[position]}")
