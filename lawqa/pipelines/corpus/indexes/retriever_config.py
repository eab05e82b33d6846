"""Which index is searched, and how, as settings: known without the index or what searches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.settings import (
    RESULT,
    IndexMeasureSettings,
    RankingSettings,
    Settings,
    called,
    declaration,
)


@dataclass(frozen=True)
class RetrieverConfig(Settings):
    """Which index to search, and how.

    What `lawqa.settings.RankingSettings` mean: a reranker or none, and the ranking's own numbers, which have
    no flags.
    """

    index: Path = field(metadata=declaration(RankingSettings, "index"))
    settings: SearchSettings = field(
        default_factory=SearchSettings, metadata=called(RESULT, "how articles are ranked")
    )
    """How articles are ranked."""
    dense: str | None = field(default=None, metadata=declaration(RankingSettings, "dense"))
    """The embedding model whose ranking is fused in; the one the index was built with. None for none."""
    reranker_model: str | None = field(
        default=None, metadata=declaration(RankingSettings, "reranker_model")
    )
    """The cross-encoder that reorders the first articles; None for none."""
    rerank_depth: int = field(
        default=20, metadata=declaration(IndexMeasureSettings, "rerank_depth")
    )
    """How many it reorders."""
