"""`lawqa index`: build, search, look at and evaluate retrieval indexes."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg, subcommand

from lawqa.amounts import counted
from lawqa.cli.command_table import CommandGroup
from lawqa.cli.console import ConsoleFlags, JsonFlag
from lawqa.cli.law.index_text import audit_text, evaluation_text, hit_json, hit_text, info_text
from lawqa.settings import (
    IndexMeasureSettings,
    IndexSettings,
    QuerySettings,
    RankingSettings,
    RetrievedSettings,
    declaration,
    values_of,
)

if TYPE_CHECKING:
    from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig

SCHEMA_VERSION = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Build(IndexSettings):
    """Index an article file, documents, or both."""

    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index

        config = IndexConfig(**values_of(IndexConfig, self, self.console))
        manifest = build_index(config, logger.info)
        counts = manifest.counts
        print(
            f"indexed {counted(counts.articles, 'article')} of {counted(counts.laws, 'law')} "
            f"({counted(counts.units, 'paragraph')}) in {self.output_dir}"
        )
        if manifest.audit is not None:
            print(f"audit: {audit_text(manifest)}")
        return 0


@dataclass(frozen=True, kw_only=True)
class Ranked(RankingSettings):
    """How articles are ranked."""

    # Here it must be given.
    index: Path = field(metadata=declaration(RankingSettings, "index"))
    """The index directory."""

    def config(self, rerank_depth: int) -> RetrieverConfig:
        from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
        from lawqa.pipelines.evaluation.retrieving import with_reranker
        from lawqa.retrieval.ranking.settings import SearchSettings

        return with_reranker(
            RetrieverConfig(self.index, SearchSettings(follow=self.follow), dense=self.dense),
            use=self.use_reranker,
            model=self.reranker_model,
            depth=rerank_depth,
        )


@dataclass(frozen=True, kw_only=True)
class Search(QuerySettings, Ranked, RetrievedSettings):
    """Find articles for a question or a few words."""

    # Here it is given by its place.
    query: Positional[str] = field(default="", metadata=declaration(QuerySettings, "query"))
    """What to look for: a question, words, citations."""
    full: FlagCreatePairsOff[bool] = False
    """Show whole articles, not only the beginning of the best paragraph."""
    as_json: JsonFlag = False
    """Write JSON, articles whole."""

    def run(self) -> int:
        from lawqa.pipelines.corpus.indexes.search import retrieve
        from lawqa.pipelines.evaluation.retrieving import kept_after_reranking

        kept_after_reranking(self.top_k, self.rerank_top_n, use=self.use_reranker)
        config = self.config(self.top_k)
        retrieved = retrieve(
            self.query, self.index, choices=self.choices, top_k=self.top_k, follow=self.follow,
            dense=self.dense, reranker_model=config.reranker_model,
            rerank_top_n=self.rerank_top_n if self.use_reranker else None,
            words=self.words, as_of=self.as_of, as_of_strict=self.as_of_strict,
        )  # fmt: skip
        for sentence in retrieved.notes:
            logger.warning("note: %s", sentence)
        if self.as_json:
            rows = [hit_json(hit) for hit in retrieved.hits]
            content = {"schema_version": SCHEMA_VERSION, "query": self.query, "results": rows}
            print(json.dumps(content, ensure_ascii=False, indent=1))
        else:
            print(
                "\n\n".join(hit_text(hit, full=self.full) for hit in retrieved.hits)
                or "nothing found"
            )
        return 0


@dataclass(frozen=True)
class Info:
    """Show what an index is made of."""

    index: Path
    """The index directory."""
    verify: FlagCreatePairsOff[bool] = False
    """Read every file and compare it with what was built."""
    as_json: JsonFlag = False
    """Write the manifest as JSON."""

    def run(self) -> int:
        from lawqa.pipelines.corpus.indexes.manifest import IndexManifest

        manifest = IndexManifest.read(self.index)
        if self.verify:
            manifest.verify(self.index)
        if self.as_json:
            print(json.dumps(manifest.to_json(), ensure_ascii=False, indent=1))
        else:
            size = sum(path.stat().st_size for path in self.index.iterdir())
            print(info_text(self.index, manifest, size))
            if self.verify:
                print("verified    every file is as it was built")
        return 0


@dataclass(frozen=True, kw_only=True)
class Eval(IndexMeasureSettings, Ranked):
    """Measure which articles that the questions' own contexts quote are found, and how much of their text."""

    as_json: JsonFlag = False
    """Write JSON."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.indexes.evaluation import evaluate_index

        summary = evaluate_index(
            self.config(self.rerank_depth),
            self.questions,
            budgets=self.budgets,
            top_k=self.top_k,
            tokenizer=self.tokenizer,
            quiet=self.console.quiet,
        )
        if self.as_json:
            print(json.dumps(summary, ensure_ascii=False, indent=1))
        else:
            print(evaluation_text(summary))
        return 0


@dataclass(frozen=True)
class Index(CommandGroup):
    """Build, search, look at and evaluate retrieval indexes over statutes."""

    command: Annotated[
        Annotated[Build, subcommand("build")]
        | Annotated[Search, subcommand("search")]
        | Annotated[Info, subcommand("info")]
        | Annotated[Eval, subcommand("eval")],
        arg(name=""),
    ]
