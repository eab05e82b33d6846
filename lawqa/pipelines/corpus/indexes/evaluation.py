"""An index measured: which gold articles it finds, and how much of the gold text a context holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from lawqa.bars import Bar
from lawqa.errors import ConfigError, LawqaError
from lawqa.files import JsonObject
from lawqa.pipelines.corpus.indexes.audit import IndexAudit, given_away, reasons_text
from lawqa.pipelines.corpus.indexes.building import open_retriever
from lawqa.pipelines.corpus.indexes.manifest import IndexManifest
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.pipelines.evaluation.contexts import DEFAULT_TOP_K
from lawqa.pipelines.evaluation.rag import token_counter
from lawqa.questions import Question, file_sha256, read_questions
from lawqa.retrieval.context import CONTEXT_MAKER, build_context
from lawqa.retrieval.evaluation import QuestionResult, evaluate_retrieval, summarise_hits
from lawqa.retrieval.gold_text import (
    DEFAULT_BUDGETS,
    TOKENS_A_CHARACTER,
    GoldTextResult,
    estimated_tokens,
    gold_text_figures,
    gold_text_misses,
    measure_gold_text,
)
from lawqa.retrieval.packing import Count
from lawqa.retrieval.passages import reach
from lawqa.retrieval.retriever import Retriever
from lawqa.runs.manifest import SCHEMA_VERSION

MISSES_AT = 2048
"""The limit whose worst questions are listed, or the first of --budgets where it is not among them."""

logger = logging.getLogger(__name__)


def evaluate_index(
    config: RetrieverConfig,
    questions: Path,
    *,
    budgets: Sequence[int] = DEFAULT_BUDGETS,
    top_k: int = DEFAULT_TOP_K,
    tokenizer: str | None = None,
    quiet: bool = False,
) -> JsonObject:
    """Return how well an index finds what the questions' own contexts quote, as JSON.

    `evaluation.summarise` says which articles; `gold_text` how much of their text reaches a context.

    Args:
        config: which index, and how it is searched.
        questions: the question file.
        budgets: the limits of a context to measure, in tokens.
        top_k: of how many articles a context is made.
        tokenizer: the model whose tokenizer counts; where there is none, or it cannot be loaded, tokens are
            estimated from characters, and `counted_in` says so.
        quiet: no progress.

    Raises:
        DataError: the questions cannot be read, or none of them has a gold article.
        ConfigError: a number is out of range; or as `open_retriever`.
    """
    _check_limits(budgets, top_k)
    budgets = tuple(dict.fromkeys(budgets))
    retriever = open_retriever(config)
    asked = read_questions(questions)
    with Bar("searching", "questions", len(asked), quiet=quiet) as bar:
        evaluation = evaluate_retrieval(
            bar.over(asked),
            retriever.index,
            lambda question, depth: retriever.rank_for(question, depth).positions,
        )
    count, counted_in = _counter(tokenizer)
    leaks = _given_away(retriever, [result.question for result in evaluation], top_k)
    texts = _gold_texts(retriever, evaluation, budgets, top_k, count, quiet=quiet)
    named = MISSES_AT if MISSES_AT in budgets else budgets[0]
    misses = gold_text_misses(texts[named], evaluation, retriever.index, within=reach(top_k))
    summary = summarise_hits(evaluation, len(asked))
    for law, figures in summary["by_law"].items():
        figures["gold_text"] = _by_budget(texts, law)
    manifest = IndexManifest.read(config.index)
    return {
        "schema_version": SCHEMA_VERSION,
        **summary,
        "gold_text": _by_budget(texts),
        "gold_text_misses": {"budget": named, "questions": misses},
        "counted_in": counted_in,
        "given_away": leaks,
        "index": {"path": str(config.index), "sha256": manifest.index_sha256},
        "corpus": manifest.corpus,
        "questions": {"path": str(questions), "sha256": file_sha256(questions)},
        "settings": {
            **asdict(config.settings),
            "dense": config.dense,
            "reranker_model": config.reranker_model,
            "rerank_depth": config.rerank_depth if config.reranker_model else None,
            "top_k": top_k,
            "budgets": list(budgets),
            "tokenizer": tokenizer,
            "context": CONTEXT_MAKER,
        },
    }


def _check_limits(budgets: Sequence[int], top_k: int) -> None:
    wrong = [f"--budgets: {limit}, expected 1 or more" for limit in budgets if limit < 1]
    wrong += [] if budgets else ["--budgets: names no limit, expected numbers of tokens"]
    wrong += [f"--top-k is {top_k}, expected 1 or more"] if top_k < 1 else []
    if wrong:
        raise ConfigError("\n".join(wrong))


def _given_away(
    retriever: Retriever, questions: Sequence[Question], top_k: int
) -> list[dict[str, str]]:
    """Return the questions that the articles found for them give away: no figure says anything of them."""
    audit, leaks = IndexAudit(questions, retriever.index), []
    for question in questions:
        hits = retriever.retrieve(question, top_k)
        laws = [hit.article.law_id for hit in hits]
        leak = audit.shown(question, build_context(hits).text, laws)
        if leak is not None:
            leaks.append((question.id, leak))
    if leaks:
        logger.warning("note: %s", given_away([leak for _, leak in leaks], len(questions)))
    return [
        {"id": name, "passage": leak.train, "reason": reasons_text(leak)} for name, leak in leaks
    ]


def _gold_texts(
    retriever: Retriever,
    found: Sequence[QuestionResult],
    budgets: Sequence[int],
    top_k: int,
    count: Count,
    *,
    quiet: bool,
) -> dict[int, list[GoldTextResult]]:
    """Return the share of gold text at each limit, for the questions that have some."""
    texts: dict[int, list[GoldTextResult]] = {limit: [] for limit in budgets}
    with Bar("making contexts", "questions", len(found), quiet=quiet) as bar:
        for result in bar.over(found):
            hits = retriever.retrieve(result.question, reach(top_k))
            for limit in budgets:
                context = build_context(hits, limit=limit, count=count, top_k=top_k)
                texts[limit].append(measure_gold_text(result.question, context))
    return texts


def _by_budget(
    texts: Mapping[int, Sequence[GoldTextResult]], law: str | None = None
) -> dict[str, dict[str, float | int]]:
    """Return the figures at each limit, of one law's questions or of all."""
    return {
        str(limit): gold_text_figures([r for r in results if law in (None, r.question.law)])
        for limit, results in texts.items()
    }


def _counter(tokenizer: str | None) -> tuple[Count, str]:
    """Return how tokens are counted, and what to say of it."""
    estimate = f"tokens estimated from characters ({TOKENS_A_CHARACTER} a character)"
    if tokenizer is None:
        return estimated_tokens, estimate
    try:
        return token_counter(tokenizer), "tokens"
    except LawqaError as problem:
        logger.warning("note: %s", problem)
        logger.warning("note: %s", estimate)
        return estimated_tokens, estimate
