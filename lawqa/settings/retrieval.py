"""Which contexts are retrieved, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import RESULT, by_content


@dataclass(frozen=True, kw_only=True)
class RankingSettings(Settings):
    """How articles are ranked."""

    index: Path | None = field(default=None, metadata=by_content(RESULT))
    """The retrieval index, a directory that `lawqa index build` wrote."""
    follow: bool = field(default=True, metadata=RESULT)
    """Follow references from and to the best article one step."""
    dense: str | None = field(default=None, metadata=RESULT)
    """Fuse in the ranking of the embedding model that the index was built with."""
    use_reranker: bool = field(default=False, metadata=RESULT)
    """Let a cross-encoder reorder the retrieved articles."""
    reranker_model: str | None = field(default=None, metadata=RESULT)
    """The cross-encoder: a local directory, or a name in the Hugging Face cache."""


@dataclass(frozen=True, kw_only=True)
class RetrievedSettings(RankingSettings):
    """Which of the ranked articles are shown."""

    rerank_top_n: int | None = field(default=None, metadata=RESULT)
    """How many of the --top-k articles to keep after reranking. Without it: all."""
    as_of: str | None = field(default=None, metadata=RESULT)
    """The day whose law is asked about, such as 2025-06-01: warn of articles of a later revision or none."""
    as_of_strict: bool = field(default=False, metadata=RESULT)
    """Refuse such articles instead."""


@dataclass(frozen=True, kw_only=True)
class RetrievalSettings(RetrievedSettings):
    """Retrieved context, for the condition rag."""

    top_k: int | None = field(default=None, metadata=RESULT)
    """How many articles to retrieve. Without it: 5. From 5 on, passages of the next best may join."""
    max_context_tokens: int | None = field(default=None, metadata=RESULT)
    """The most tokens of a retrieved context. Without it: 2048."""
