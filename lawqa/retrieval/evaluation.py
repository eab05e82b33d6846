"""How well retrieval finds the articles that the data set's own contexts quote.

The gold articles of a question are read from the headings of its context: `## 法令名`, `### 第5条`,
`#### 第6項`. A question whose context quotes no statute, but a guideline, is counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lawqa.errors import DataError
from lawqa.files import JsonDict
from lawqa.questions import Question
from lawqa.retrieval.index import StatuteIndex
from lawqa.statutes.article_names import ArticleName, article_name
from lawqa.statutes.headings import gold_articles

CUTOFFS = (1, 3, 5, 10)
"""The k of hit@k and recall@k."""

DEPTH = 1000
"""How far down a gold article is looked for; one below has no rank."""


@dataclass(frozen=True)
class QuestionResult:
    """Where the gold articles of one question were ranked."""

    question: Question
    gold: tuple[ArticleName, ...]
    """Its gold articles."""
    ranks: tuple[int | None, ...]
    """The rank of each from 1; None below the depth, or where the index does not hold it."""

    @property
    def best(self) -> int | None:
        """The rank of the gold article found first."""
        return min((rank for rank in self.ranks if rank is not None), default=None)

    def recall(self, k: int) -> float:
        """Return the share of its gold articles among the first k."""
        return sum(rank is not None and rank <= k for rank in self.ranks) / len(self.ranks)


Ranker = Callable[[Question, int], Sequence[int]]
"""From a question and a depth to positions in the index, best first."""


def gold_positions(question: Question, index: StatuteIndex) -> frozenset[int] | None:
    """Return the ranks of its gold articles in an index that holds them; None where its context
    quotes none.
    """
    gold = gold_articles(question.context)
    positions = (position_of(one, index) for one in gold)
    return frozenset(p for p in positions if p is not None) if gold else None


def reference_type(question: Question) -> str:
    """Return what kind of question it is, as its id says: 関連法令, 根拠条文, or empty where the id does not
    say.
    """
    parts = question.id.split("_")
    return next((part for part in parts if part in ("関連法令", "根拠条文")), "")


def evaluate_retrieval(
    questions: Iterable[Question], index: StatuteIndex, ranker: Ranker
) -> tuple[QuestionResult, ...]:
    """Rank for every question that has gold articles.

    Raises:
        DataError: no question has one.
    """
    results = []
    for question in questions:
        gold = gold_articles(question.context)
        if gold:
            results.append(QuestionResult(question, gold, _ranks(question, gold, index, ranker)))
    if not results:
        raise DataError(
            "no question has a gold article",
            "they are read from the headings of each question's context: ## law, ### article",
        )
    return tuple(results)


def summarise_hits(results: Sequence[QuestionResult], questions: int) -> JsonDict:
    """Return the figures as JSON: overall, by law, by reference type, and the misses.

    A miss is a question whose first result is not a gold article, so that the list explains every
    hit@k; the worst comes first.

    Args:
        results: of the questions that have gold articles.
        questions: how many questions there were.
    """
    missed = [result for result in results if result.best != 1]
    missed.sort(key=lambda result: (-(result.best or DEPTH + 1), result.question.id))
    return {
        "overall": figures(results),
        "by_law": _grouped(results, lambda question: question.law),
        "by_reference_type": _grouped(results, reference_type),
        "without_gold": questions - len(results),
        "misses": [_miss(result) for result in missed],
    }


def figures(results: Sequence[QuestionResult]) -> dict[str, float | int]:
    """Return hit@k, recall@k and mean reciprocal rank, each over all these questions.

    hit@k counts a question when any of its gold articles is among the first k; recall@k is the share of its
    gold articles there.
    """
    n = len(results)
    values: dict[str, float | int] = {"n": n}
    for k in CUTOFFS:
        hits = sum(result.best is not None and result.best <= k for result in results)
        values[f"hit@{k}"] = round(hits / n, 4)
    for k in CUTOFFS:
        values[f"recall@{k}"] = round(sum(result.recall(k) for result in results) / n, 4)
    values["mrr"] = round(sum(1 / result.best for result in results if result.best) / n, 4)
    return values


def _ranks(
    question: Question, gold: Sequence[ArticleName], index: StatuteIndex, ranker: Ranker
) -> tuple[int | None, ...]:
    ranking = {position: rank for rank, position in enumerate(ranker(question, DEPTH), start=1)}
    positions = (position_of(one, index) for one in gold)
    return tuple(None if position is None else ranking.get(position) for position in positions)


def position_of(gold: ArticleName, index: StatuteIndex) -> int | None:
    """Return where a gold article is in an index; None where it does not hold it."""
    law = index.names.law(gold.law_title)
    return None if law is None else index.find(law, gold.article)


def _grouped(
    results: Sequence[QuestionResult], key: Callable[[Question], str]
) -> dict[str, dict[str, object]]:
    groups: dict[str, list[QuestionResult]] = {}
    for result in results:
        groups.setdefault(key(result.question), []).append(result)
    return {name: dict(figures(groups[name])) for name in sorted(groups)}


def _miss(result: QuestionResult) -> dict[str, object]:
    return {
        "id": result.question.id,
        "rank": result.best,
        "gold": [
            {
                "law_title": one.law_title,
                "article": one.article,
                "name": article_name(one.article),
                "rank": rank,
            }
            for one, rank in zip(result.gold, result.ranks, strict=True)
        ],
    }
