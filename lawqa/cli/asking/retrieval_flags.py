"""The flags of retrieved contexts, shared by the commands that build prompts."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.days import day_of
from lawqa.errors import ConfigError

if TYPE_CHECKING:
    from lawqa.pipelines.index import RetrieverConfig
    from lawqa.pipelines.rag import RagConfig
    from lawqa.prompting import Condition

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RetrievalFlags:
    """Retrieved context, for the condition rag."""

    index: Path | None = None
    """The retrieval index, a directory that `lawqa index build` wrote."""
    top_k: int | None = None
    """How many articles to retrieve. Without it: 5. From 5 on, passages of the next best may join."""
    max_context_tokens: int | None = None
    """The most tokens of a retrieved context. Without it: 2048."""
    follow: bool = True
    """Follow references from and to the best article one step."""
    dense: str | None = None
    """Fuse in the ranking of the embedding model that the index was built with."""
    use_reranker: FlagCreatePairsOff[bool] = False
    """Let a cross-encoder reorder the retrieved articles."""
    reranker_model: str | None = None
    """The cross-encoder: a local directory, or a name in the Hugging Face cache."""
    rerank_top_n: int | None = None
    """How many of the --top-k articles to keep after reranking. Without it: all."""
    as_of: str | None = None
    """The day whose law is asked about, such as 2025-06-01: warn of articles of a later revision or none."""
    as_of_strict: FlagCreatePairsOff[bool] = False
    """Refuse such articles instead."""

    def given(self) -> dict[str, object]:
        """The flags by name; None or False where one was not given."""
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

    def config(
        self, conditions: tuple[Condition, ...], tokenizer: str | None, revision: str | None = None
    ) -> RagConfig | None:
        """What the flags mean; None where no condition is `rag`.

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
        from lawqa.pipelines.index import RetrieverConfig
        from lawqa.pipelines.rag import DEFAULT_MAX_CONTEXT_TOKENS, DEFAULT_TOP_K, RagConfig
        from lawqa.retrieval.retriever import SearchSettings

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
    """The settings with a cross-encoder over the first `depth` articles, where one is used.

    Raises:
        ConfigError: it is to be used and no model is named.
    """
    if use and model is None:
        raise ConfigError("--use-reranker needs --reranker-model", "--reranker-model DIRECTORY")
    if model is not None and not use:
        logger.warning("note: --reranker-model unused: --use-reranker is not given")
    return replace(config, reranker_model=model, rerank_depth=depth) if use else config


def kept_after_reranking(top_k: int, rerank_top_n: int | None, *, use: bool) -> int:
    """How many articles stay.

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
