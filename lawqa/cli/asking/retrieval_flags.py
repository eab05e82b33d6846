"""The flags of retrieved contexts, shared by the commands that build prompts."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lawqa.errors import ConfigError
from lawqa.settings import RetrievalSettings
from lawqa.statutes.days import day_of

if TYPE_CHECKING:
    from lawqa.pipelines.corpus.indexes.building import RetrieverConfig
    from lawqa.pipelines.evaluation.rag import RagConfig
    from lawqa.prompting import Condition

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RetrievalFlags(RetrievalSettings):
    """Retrieved context, for the condition rag."""

    def given(self) -> dict[str, object]:
        """Return the flags by name; None or False where one was not given."""
        return {
            "--top-k": self.top_k,
            "--index": self.index,
            "--max-context-tokens": self.max_context_tokens,
            "--no-follow": not self.follow,
            "--dense": self.dense,
            "--use-reranker": self.use_reranker,
            "--reranker-model": self.reranker_model,
            "--rerank-top-n": self.rerank_top_n,
            "--as-of": self.as_of,
            "--as-of-strict": self.as_of_strict,
        }

    def unused(self, rag: RagConfig | None) -> list[str]:
        """Return a remark where flags were given and no prompt has a retrieved context.

        Args:
            rag: what `config` made of them.
        """
        given = [name for name, value in self.given().items() if value not in (None, False)]
        if rag is not None or not given:
            return []
        return [f"{', '.join(given)} unused: no prompt has a retrieved context"]

    def config(
        self, conditions: tuple[Condition, ...], tokenizer: str | None, revision: str | None = None
    ) -> RagConfig | None:
        """Return what the flags mean; None where no condition is `rag`.

        Args:
            conditions: the conditions of all prompts.
            tokenizer: the model whose tokenizer counts a context; None where there is none.
            revision: its revision.

        Raises:
            ConfigError: there is no index, or flags contradict each other.
        """
        if "rag" not in conditions:
            return None
        if self.index is None:
            raise ConfigError(
                "the condition rag (also meant by --top-k without --no-rag) needs --index DIR",
                "lawqa index build --articles ARTICLES.jsonl --output-dir DIR  builds one",
            )
        from lawqa.pipelines.corpus.indexes.building import RetrieverConfig
        from lawqa.pipelines.evaluation.rag import (
            DEFAULT_MAX_CONTEXT_TOKENS,
            DEFAULT_TOP_K,
            RagConfig,
        )
        from lawqa.retrieval.ranking.settings import SearchSettings

        as_of = day_of(self.as_of)
        if self.as_of_strict and as_of is None:
            raise ConfigError("--as-of-strict needs --as-of", "--as-of 2025-06-01")
        top_k = DEFAULT_TOP_K if self.top_k is None else self.top_k
        limit = self.max_context_tokens
        return RagConfig(
            with_reranker(
                RetrieverConfig(self.index, SearchSettings(follow=self.follow), dense=self.dense),
                use=self.use_reranker,
                model=self.reranker_model,
                depth=top_k,
            ),
            top_k=kept_after_reranking(top_k, self.rerank_top_n, use=self.use_reranker),
            max_context_tokens=DEFAULT_MAX_CONTEXT_TOKENS if limit is None else limit,
            tokenizer=tokenizer,
            revision=revision,
            as_of=as_of,
            as_of_strict=self.as_of_strict,
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
