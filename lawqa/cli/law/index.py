"""`lawqa index`: build, search, look at and evaluate retrieval indexes."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg, subcommand

from lawqa.cli.asking.evaluate import DEFAULT_DATA
from lawqa.cli.asking.retrieval_flags import kept_after_reranking, with_reranker
from lawqa.cli.console import ConsoleFlags
from lawqa.files import JsonObject

if TYPE_CHECKING:
    from lawqa.pipelines.corpus.index import RetrieverConfig
    from lawqa.retrieval.hits import Hit

SCHEMA_VERSION = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Build:
    """Index an article file, documents, or both."""

    output_dir: Path
    """The index directory."""
    articles: Path | None = None
    """Articles from `lawqa statutes parse`, or of the earlier form; also .gz or .xz."""
    documents: Path | None = None
    """A directory of guidelines, notices and the like: .md, .txt, .html, .pdf (extra documents)."""
    k1: float = 0.9
    """BM25: how soon a repeated word stops counting."""
    b: float = 0.4
    """BM25: how much long paragraphs are discounted, 0 to 1."""
    dense: str | None = None
    """Also store embeddings of this sentence-transformers model, for --dense in a search."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier index."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.index import IndexConfig, build_index
        from lawqa.retrieval.bm25 import Bm25Parameters

        parameters = Bm25Parameters(k1=self.k1, b=self.b)
        config = IndexConfig(
            self.articles, self.output_dir, parameters,
            dense=self.dense, fresh=self.fresh, quiet=self.console.quiet, documents=self.documents,
        )  # fmt: skip
        logger.info("indexing %s …", " and ".join(map(str, config.sources())))
        counts = build_index(config)["counts"]
        print(
            f"indexed {counts['articles']:,} articles of {counts['laws']:,} laws "
            f"({counts['units']:,} paragraphs) in {self.output_dir}"
        )
        return 0


@dataclass(frozen=True)
class Ranked:
    """How articles are ranked."""

    index: Path
    """The index directory."""
    follow: bool = True
    """Follow references from and to the best article one step."""
    dense: str | None = None
    """Fuse in the ranking of the embedding model that the index was built with."""
    use_reranker: FlagCreatePairsOff[bool] = False
    """Let a cross-encoder reorder the first articles."""
    reranker_model: str | None = None
    """The cross-encoder: a local directory, or a name in the Hugging Face cache."""

    def config(self, rerank_depth: int) -> RetrieverConfig:
        from lawqa.pipelines.corpus.index import RetrieverConfig
        from lawqa.retrieval.retriever import SearchSettings

        return with_reranker(
            RetrieverConfig(self.index, SearchSettings(follow=self.follow), dense=self.dense),
            use=self.use_reranker,
            model=self.reranker_model,
            depth=rerank_depth,
        )


@dataclass(frozen=True)
class Search(Ranked):
    """Find articles for a question or a few words."""

    query: Positional[str] = ""
    """What to look for: a question, words, citations."""
    choices: tuple[str, ...] = ()
    """The choices of the question."""
    top_k: int = 5
    """How many articles."""
    rerank_top_n: int | None = None
    """How many of them to keep after reranking. Without it: all."""
    words: Literal["rules", "sudachi"] = "rules"
    """How a short query is cut into words: by rules, or by SudachiPy (the extra words)."""
    as_of: str | None = None
    """The day whose law is asked about, such as 2025-06-01: warn of articles of a later revision or none."""
    as_of_strict: FlagCreatePairsOff[bool] = False
    """Refuse such articles instead."""
    full: FlagCreatePairsOff[bool] = False
    """Show whole articles, not only the beginning of the best paragraph."""
    as_json: Annotated[FlagCreatePairsOff[bool], arg(name="json")] = False
    """Write JSON, articles whole."""

    def run(self) -> int:
        from lawqa.pipelines.corpus.search import retrieve

        kept_after_reranking(self.top_k, self.rerank_top_n, use=self.use_reranker)
        config = self.config(self.top_k)
        found = retrieve(
            self.query, self.index, choices=self.choices, top_k=self.top_k, follow=self.follow,
            dense=self.dense, reranker_model=config.reranker_model,
            rerank_top_n=self.rerank_top_n if self.use_reranker else None,
            words=self.words, as_of=self.as_of, as_of_strict=self.as_of_strict,
        )  # fmt: skip
        for sentence in found.notes:
            logger.warning("note: %s", sentence)
        if self.as_json:
            rows = [hit_json(hit) for hit in found.hits]
            content = {"schema_version": SCHEMA_VERSION, "query": self.query, "results": rows}
            print(json.dumps(content, ensure_ascii=False, indent=1))
        else:
            print(
                "\n\n".join(hit_text(hit, full=self.full) for hit in found.hits) or "nothing found"
            )
        return 0


@dataclass(frozen=True)
class Info:
    """Show what an index is made of."""

    index: Path
    """The index directory."""
    verify: FlagCreatePairsOff[bool] = False
    """Read every file and compare it with what was built."""
    as_json: Annotated[FlagCreatePairsOff[bool], arg(name="json")] = False
    """Write the manifest as JSON."""

    def run(self) -> int:
        from lawqa.pipelines.corpus.index_files import read_index_manifest, verify_index

        manifest = read_index_manifest(self.index)
        if self.verify:
            verify_index(self.index, manifest)
        if self.as_json:
            print(json.dumps(manifest, ensure_ascii=False, indent=1))
        else:
            size = sum(path.stat().st_size for path in self.index.iterdir())
            print(info_text(self.index, manifest, size))
            if self.verify:
                print("verified    every file is as it was built")
        return 0


@dataclass(frozen=True)
class Eval(Ranked):
    """Measure which articles that the questions' own contexts quote are found, and how much of their text."""

    questions: Path = DEFAULT_DATA
    """The questions: lawqa_jp JSON, or JSONL."""
    rerank_depth: int = 20
    """How many articles the cross-encoder reorders."""
    budgets: tuple[int, ...] = (1024, 2048, 3072, 4096)
    """The lengths of a context to measure, in tokens."""
    top_k: int = 5
    """How many articles a context is made of."""
    tokenizer: str | None = None
    """The directory of the tokenizer that counts. Without it, or where it cannot be loaded: an estimate."""
    as_json: Annotated[FlagCreatePairsOff[bool], arg(name="json")] = False
    """Write JSON."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.index_evaluation import evaluate_index

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
class Index:
    """Build, search, look at and evaluate retrieval indexes over statutes."""

    command: Annotated[
        Annotated[Build, subcommand("build")]
        | Annotated[Search, subcommand("search")]
        | Annotated[Info, subcommand("info")]
        | Annotated[Eval, subcommand("eval")],
        arg(name=""),
    ]

    def run(self) -> int:
        return self.command.run()


def hit_json(hit: Hit) -> dict[str, object]:
    """A found article as JSON."""
    return {
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "why": [{"kind": reason.kind, "detail": reason.detail} for reason in hit.reasons],
        **hit.article.to_row(),
    }


def hit_text(hit: Hit, *, full: bool = False) -> str:
    """A found article for a terminal: what it is, why it was found, its text or the best of it."""
    from lawqa.retrieval.context import build_context

    article = hit.article
    heading, *lines = build_context([hit], limit=None if full else 400).text.split("\n")[1:]
    name = heading.removeprefix("### ")
    caption = "" if name and name in article.caption else article.caption
    title = f"{hit.rank}. {article.law_title} {name}{caption}"
    why = [f"   {reason.kind}: {reason.detail}" for reason in hit.reasons]
    return "\n".join([f"{title}  [{hit.score:.3g}]", *why, *(f"   | {line}" for line in lines)])


def info_text(directory: Path, manifest: JsonObject, size: int) -> str:
    """What an index is made of, in lines."""
    counts, corpus, dense = manifest["counts"], manifest["corpus"], manifest["dense"]
    parameters = " ".join(f"{name}={value}" for name, value in manifest["parameters"].items())
    return "\n".join(
        [
            f"{directory}: {counts['articles']:,} articles of {counts['laws']:,} laws",
            f"paragraphs  {counts['units']:,}",
            f"tokens      {counts['tokens']:,} different, {counts['postings']:,} postings",
            f"links       {counts['links']:,} pairs of articles that cite one another",
            f"revisions   {_revisions(manifest.get('revisions'))}",
            f"size        {size / 1e6:,.1f} MB",
            f"parameters  {parameters}",
            f"dense       {dense['model'] if dense else 'none'}",
            f"corpus      {corpus['path']}  sha256 {corpus['sha256']}",
            f"index       sha256 {manifest['index_sha256']}",
            f"built       {manifest['ended']}",
        ]
    )


def _revisions(found: JsonObject | None) -> str:
    if found is None:
        return "not counted when it was built"
    without = f"{found['without']:,} articles without one"
    return (
        f"in force from {found['first']} to {found['last']}, {without}"
        if found["first"]
        else without
    )


def evaluation_text(summary: JsonObject) -> str:
    """Hit rates by law and type of question, and the worst misses."""
    from lawqa.report.table import Table, render_text

    names = ["n", "hit@1", "hit@3", "hit@5", "hit@10", "recall@5", "recall@10", "mrr"]
    groups = [("all", summary["overall"])]
    groups += [*summary["by_law"].items(), *summary["by_reference_type"].items()]
    columns = ["", *names]
    rows: list[list[str]] = []
    for group, figures in groups:
        rows.append([group or "(unknown)", *(_figure(figures[name]) for name in names)])
    lines = [render_text(Table(columns, rows)), ""]
    if summary["without_gold"]:
        lines += [f"{summary['without_gold']} questions whose context quotes no statute", ""]
    lines.append(f"{len(summary['misses'])} questions whose first result is not a gold article:")
    for miss in summary["misses"]:
        gold = ", ".join(f"{g['law_title']}{g['name']} ({_rank(g['rank'])})" for g in miss["gold"])
        lines.append(f"  {_rank(miss['rank']):>5}  {miss['id']}: {gold}")
    return "\n".join([*lines, "", *_gold_text_lines(summary)])


def _gold_text_lines(summary: JsonObject) -> list[str]:
    """How much of the gold text contexts hold, and the questions whose contexts hold least."""
    from lawqa.report.table import Table, render_text

    columns = ["", "context", "gold text", "of it >= .9", "n", "median length"]
    rows: list[list[str]] = []
    groups = [("all", summary["gold_text"])]
    groups += [(law, figures["gold_text"]) for law, figures in summary["by_law"].items()]
    for name, by_budget in groups:
        for budget, found in by_budget.items():
            rows.append(
                [name or "(unknown)", budget, _figure(found["gold_text_mean"]),
                 *(str(found[key]) for key in ("gold_text_090", "questions", "tokens_median"))]
            )  # fmt: skip
    misses = summary["gold_text_misses"]
    lines = [f"counted in {summary['counted_in']}:", render_text(Table(columns, rows)), ""]
    if misses["questions"]:
        lines.append(f"the questions that miss most of their gold text at {misses['budget']}:")
    for miss in misses["questions"]:
        lines.append(f"  {miss['share']:5.3f}  {miss['id']}")
        lines += [f"         {reason}" for reason in miss["why"]]
    return lines


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _rank(rank: int | None) -> str:
    return "none" if rank is None else str(rank)
