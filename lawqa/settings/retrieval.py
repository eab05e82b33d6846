"""Which contexts are retrieved, and how; what is looked for in an index, and by what it is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import RESULT, by_content, declaration
from lawqa.settings.evaluation import DEFAULT_DATA
from lawqa.settings.values import WordRules


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


@dataclass(frozen=True, kw_only=True)
class QuerySettings(Settings):
    """What is looked for in an index."""

    query: str = field(default="", metadata=RESULT)
    """What to look for: a question, words, citations."""
    choices: tuple[str, ...] = field(default=(), metadata=RESULT)
    """The choices of the question."""
    top_k: int = field(default=5, metadata=declaration(RetrievalSettings, "top_k"))
    """How many articles."""
    words: WordRules = field(default="rules", metadata=RESULT)
    """How a short query is cut into words: by rules, or by SudachiPy (the extra words)."""


@dataclass(frozen=True, kw_only=True)
class IndexMeasureSettings(Settings):
    """By what an index is measured."""

    questions: Path = field(default=DEFAULT_DATA, metadata=by_content(RESULT))
    """The questions: lawqa_jp JSON, or JSONL."""
    rerank_depth: int = field(default=20, metadata=RESULT)
    """How many articles the cross-encoder reorders."""
    budgets: tuple[int, ...] = field(default=(1024, 2048, 3072, 4096), metadata=RESULT)
    """The lengths of a context to measure, in tokens."""
    top_k: int = field(default=5, metadata=declaration(QuerySettings, "top_k"))
    """How many articles a context is made of."""
    tokenizer: str | None = field(default=None, metadata=by_content(RESULT))
    """The directory of the tokenizer that counts. Without it, or where it cannot be loaded: an estimate."""


@dataclass(frozen=True)
class RaftSettings(Settings):
    """How contexts to train on differ from those that are evaluated (RAFT, arXiv:2403.10131)."""

    distractors: int = field(default=0, metadata=RESULT)
    """Add this many articles that a question does not need to each retrieved context."""
    without_gold: float = field(default=0.0, metadata=RESULT)
    """Leave the gold articles out of the retrieved context of this share of the questions, 0 to 1."""
