"""Articles of an index for a question or a few words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.corpus.indexes.building import open_retriever
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.questions import Question
from lawqa.report.notebook import figures_html
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.settings import StrPath, WordRules, as_path, checks_arguments
from lawqa.statutes.article_names import article_name
from lawqa.statutes.citations import read_citations
from lawqa.statutes.days import day_of
from lawqa.statutes.validity import not_known_in_force


@dataclass(frozen=True)
class Retrieved:
    """What was found for a query."""

    hits: tuple[Hit, ...]
    """The articles, best first, each with its score and why it was found."""
    notes: tuple[str, ...]
    """Cited articles that the index lacks, and articles that are not known to be the law of the day that was
    asked about, a sentence each."""

    def _repr_html_(self) -> str:
        rows = [
            (f"{hit.article.law_title} {hit.article.article}", f"{hit.score:.2f}")
            for hit in self.hits
        ]
        return figures_html(rows, self.notes)


@checks_arguments
def retrieve(
    query: str | Question,
    index: StrPath,
    *,
    choices: Sequence[str] = (),
    top_k: int = 5,
    follow: bool = True,
    dense: str | None = None,
    reranker_model: str | None = None,
    rerank_top_n: int | None = None,
    words: WordRules = "rules",
    as_of: str | date | None = None,
    as_of_strict: bool = False,
) -> Retrieved:
    """Find the articles of an index for a question or a few words.

    Example:
        >>> import lawqa
        >>> lawqa.retrieve("借地借家法 正当事由", "index", top_k=0)
        Traceback (most recent call last):
        lawqa.errors.ConfigError: --top-k is 0, expected 1 or more

    Args:
        query: a question, words or citations; of a `Question` its text and choices are searched for, never
            its context or right answer.
        index: the directory that `lawqa index build` wrote.
        choices: the choices of a question that is given as text.
        top_k: how many articles.
        follow: follow references from and to the best article one step.
        dense: fuse in the ranking of the embedding model that the index was built with.
        reranker_model: a cross-encoder that reorders the articles; None for none.
        rerank_top_n: how many of them to keep after reranking; None for all.
        words: how a short query is cut into words.
        as_of: the day whose law is asked about, such as 2025-06-01: what is not known to be it is noted.
        as_of_strict: refuse such articles instead.

    Raises:
        ConfigError: the query is empty, a number is out of range, or there is no whole index.
        DataError: a file of the index is missing or differs from what was built; or `as_of_strict`.
    """
    text, answers = (query.text, query.choices) if isinstance(query, Question) else (query, choices)
    if not isinstance(text, str) or not text.strip():
        raise ConfigError("nothing to look for", 'lawqa index search "質問" --index DIR')
    if isinstance(answers, str):
        raise ConfigError(f"choices is {answers!r}, expected a list of texts")
    if top_k < 1:
        raise ConfigError(f"--top-k is {top_k}, expected 1 or more", "ask for one article at least")
    if reranker_model is not None and not 1 <= (rerank_top_n or top_k) <= top_k:
        raise ConfigError(f"--rerank-top-n is {rerank_top_n}, expected 1 to {top_k} (--top-k)")
    day = as_of if isinstance(as_of, date) else day_of(as_of)
    if as_of_strict and day is None:
        raise ConfigError("--as-of-strict needs --as-of", "--as-of 2025-06-01")
    config = RetrieverConfig(
        as_path(index, "index"), SearchSettings(follow=follow, words=words), dense=dense,
        reranker_model=reranker_model, rerank_depth=top_k if reranker_model else 20,
    )  # fmt: skip
    retriever = open_retriever(config)
    # A question is searched for as evaluation does, whatever the order of its choices.
    shown = sorted(answers) if isinstance(query, Question) else answers
    kept = rerank_top_n or top_k if reranker_model else top_k
    hits = retriever.search(text, shown, top_k=kept)
    notes = () if day is None else tuple(not_known_in_force((hit.article for hit in hits), day))
    if notes and as_of_strict:
        raise DataError("\n".join(["--as-of-strict:", *notes]), "index the law of that day")
    return Retrieved(hits, (*_not_held(retriever.index, text), *notes))


def _not_held(index: StatuteIndex, text: str) -> list[str]:
    """Return the articles that a text names, and nothing else, and that an index of their statute lacks."""
    reading = read_citations(text, index.names)
    if not reading.bare:
        return []
    return [
        f"{index.titles[citation.law]}{article_name(citation.article)} is not in this index"
        for citation in reading.citations
        if citation.law is not None and index.find(citation.law, citation.article) is None
    ]
