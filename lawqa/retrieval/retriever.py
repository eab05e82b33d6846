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

from collections.abc import Iterable, Sequence

from lawqa.errors import ConfigError
from lawqa.questions import Question
from lawqa.retrieval.bm25 import query_weights
from lawqa.retrieval.dense import DenseRanker, Reranker, article_text, fuse_reciprocal_ranks
from lawqa.retrieval.hits import Hit, HitReason, Ranking
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.queries.short_query import read_short_query
from lawqa.retrieval.queries.words import by_rules, sudachi_cut
from lawqa.retrieval.ranking.references import (
    follow_references,
    raise_cited,
    read_query,
    with_citations,
)
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.ranking.word_scores import (
    article_scores,
    favour_named_laws,
    query_parts,
    raise_by_caption,
)
from lawqa.statutes.article_names import article_name
from lawqa.statutes.articles import Article
from lawqa.statutes.normalise import normalise

_FALLING = -0.28
"""The exponent of rank that the word scores of the dev half fall by on the average."""


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
        """Return the articles for a question, the same for every order of its choices.

        Its context and its right answer are not looked at.
        """
        return self.search(question.text, sorted(question.choices), top_k=top_k)

    def rank_for(self, question: Question, depth: int) -> Ranking:
        """Return the order of the best `depth` articles for a question, as `retrieve` has it."""
        return self.rank(question.text, sorted(question.choices), depth=depth)

    def search(self, text: str, choices: Sequence[str] = (), *, top_k: int = 10) -> tuple[Hit, ...]:
        """Return the best articles for a text, such as a question, and its choices.

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
        """Return the order of the best `depth` articles, without their texts."""
        index, settings = self.index, self.settings
        question, of_choices = read_query(index, text, choices)
        parts = query_parts(text, choices, of_choices, settings)
        short = read_short_query(text, choices, index.names, self._cut)
        if short is not None:
            parts = short.parts(normalise(text))
        units = index.bm25.scores(query_weights(parts, settings.k3))
        words = article_scores(index, units, " ".join([text, *choices]), settings)
        if short is not None:
            words = favour_named_laws(index, words, short, settings)
        cited = with_citations(index, [question, *of_choices], words) if settings.citations else {}
        # A text that is a citation and nothing else asks for that article.
        weight = 2.0 if question.bare and not choices else settings.citation_weight
        scores = raise_cited(words, cited, weight, settings)
        order, final, followed = follow_references(index, scores, depth, settings)
        query = "\n".join(part for part, _ in parts)
        if short is not None:
            order, final = raise_by_caption(index, order, final, short, settings)
        dense: dict[int, int] = {}
        if self._dense is not None:
            nearest = self._dense.rank(query, depth)
            dense = {position: rank for rank, position in enumerate(nearest, start=1)}
            order, final = self._fused([order, list(nearest)], depth)
        if self._reranker is not None:
            order, final = self._reranked(query, order, final)
        return Ranking(tuple(order), tuple(final), units, cited, followed, dense, query)

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
        """Return how near the best score an article comes; by rank where a model's scores have no zero."""
        if self._dense is not None or self._reranker is not None:
            return float((place + 1) ** _FALLING)
        return ranking.scores[place] / ranking.scores[0]

    def _found_by(self, ranking: Ranking, position: int, article: Article) -> Iterable[HitReason]:
        if position in ranking.cited:
            yield HitReason("citation", f"{article.law_title}{article_name(article.article or '')}")
        if position in ranking.followed:
            source = self.index.article(ranking.followed[position])
            yield HitReason("reference", f"{source.law_title}{article_name(source.article or '')}")
        if position in ranking.dense:
            yield HitReason("dense", f"rank {ranking.dense[position]}")
