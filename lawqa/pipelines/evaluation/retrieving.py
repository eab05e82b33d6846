"""What the flags of retrieval mean once defaults, the day and the reranker are resolved."""

from __future__ import annotations

import logging
from dataclasses import replace

from lawqa.errors import ConfigError
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.pipelines.evaluation.contexts import DEFAULT_MAX_CONTEXT_TOKENS, DEFAULT_TOP_K, RagConfig
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.settings import RetrievalSettings
from lawqa.statutes.days import day_of

logger = logging.getLogger(__name__)


def rag_config(
    settings: RetrievalSettings, tokenizer: str | None, revision: str | None = None
) -> RagConfig:
    """Return where contexts come from, as these settings say it.

    Args:
        settings: the settings.
        tokenizer: the model whose tokenizer counts a context; None where there is none.
        revision: its revision.

    Raises:
        ConfigError: there is no index, or settings contradict each other.
    """
    if settings.index is None:
        raise ConfigError(
            "the condition rag (also meant by --top-k without --no-rag) needs --index DIR",
            "lawqa index build --articles ARTICLES.jsonl --output-dir DIR  builds one",
        )
    as_of = day_of(settings.as_of)
    if settings.as_of_strict and as_of is None:
        raise ConfigError("--as-of-strict needs --as-of", "--as-of 2025-06-01")
    top_k = DEFAULT_TOP_K if settings.top_k is None else settings.top_k
    limit = settings.max_context_tokens
    return RagConfig(
        with_reranker(
            RetrieverConfig(
                settings.index, SearchSettings(follow=settings.follow), dense=settings.dense
            ),
            use=settings.use_reranker,
            model=settings.reranker_model,
            depth=top_k,
        ),
        top_k=kept_after_reranking(top_k, settings.rerank_top_n, use=settings.use_reranker),
        max_context_tokens=DEFAULT_MAX_CONTEXT_TOKENS if limit is None else limit,
        tokenizer=tokenizer,
        revision=revision,
        as_of=as_of,
        as_of_strict=settings.as_of_strict,
    )


def with_reranker(
    config: RetrieverConfig, *, use: bool, model: str | None, depth: int
) -> RetrieverConfig:
    """Return the settings with a cross-encoder over the first `depth` articles, where one is used.

    Raises:
        ConfigError: it is to be used and no model is named.
    """
    if use and model is None:
        raise ConfigError("--use-reranker needs --reranker-model", "--reranker-model DIRECTORY")
    if model is not None and not use:
        logger.warning("note: --reranker-model unused: --use-reranker is not given")
    return replace(config, reranker_model=model, rerank_depth=depth) if use else config


def kept_after_reranking(top_k: int, rerank_top_n: int | None, *, use: bool) -> int:
    """Return how many articles stay.

    Raises:
        ConfigError: more than are retrieved, or none.
    """
    if rerank_top_n is None or not use:
        if rerank_top_n is not None:
            logger.warning("note: --rerank-top-n unused: --use-reranker is not given")
        return top_k
    if not 1 <= rerank_top_n <= top_k:
        raise ConfigError(f"--rerank-top-n is {rerank_top_n}, expected 1 to {top_k} (--top-k)")
    return rerank_top_n
