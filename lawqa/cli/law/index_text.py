"""What `lawqa index` prints: articles that were found, what an index is made of, how well it finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.amounts import counted, size_text
from lawqa.files import JsonObject

if TYPE_CHECKING:
    from lawqa.pipelines.corpus.indexes.manifest import IndexManifest
    from lawqa.retrieval.hits import Hit
    from lawqa.statutes.validity import Revisions


def hit_json(hit: Hit) -> dict[str, object]:
    """Return a found article as JSON."""
    return {
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "why": [{"kind": reason.kind, "detail": reason.detail} for reason in hit.reasons],
        **hit.article.to_row(),
    }


def hit_text(hit: Hit, *, full: bool = False) -> str:
    """Return a found article for a terminal: what it is, why it was found, its text or the best of it."""
    from lawqa.retrieval.context import build_context

    article = hit.article
    heading, *lines = build_context([hit], limit=None if full else 400).text.split("\n")[1:]
    name = heading.removeprefix("### ")
    caption = "" if name and name in article.caption else article.caption
    title = f"{hit.rank}. {article.law_title} {name}{caption}"
    why = [f"   {reason.kind}: {reason.detail}" for reason in hit.reasons]
    return "\n".join([f"{title}  [{hit.score:.3g}]", *why, *(f"   | {line}" for line in lines)])


def info_text(directory: Path, manifest: IndexManifest, size: int) -> str:
    """Return what an index is made of, in lines."""
    counts, corpus = manifest.counts, manifest.corpus
    parameters = " ".join(f"{name}={value}" for name, value in manifest.parameters.items())
    return "\n".join(
        [
            f"{directory}: {counted(counts.articles, 'article')} of {counted(counts.laws, 'law')}",
            f"paragraphs  {counts.units:,}",
            f"tokens      {counts.tokens:,} different, {counts.postings:,} postings",
            f"links       {counted(counts.links, 'pair')} of articles that cite one another",
            f"revisions   {_revisions_text(manifest.revisions)}",
            f"audit       {audit_text(manifest)}",
            f"size        {size_text(size)}",
            f"parameters  {parameters}",
            f"dense       {manifest.dense.model if manifest.dense else 'none'}",
            f"corpus      {corpus['path']}  sha256 {corpus['sha256']}",
            f"index       sha256 {manifest.index_sha256}",
            f"built       {manifest.ended}",
        ]
    )


def audit_text(manifest: IndexManifest) -> str:
    """Return whether an index was audited for questions that it gives away, and what was found."""
    audit = manifest.audit
    if audit is None:
        return "none (lawqa index build --audit QUESTIONS  looks for questions that are given away)"
    against = f"{counted(audit.questions, 'question')} of {audit.path}"
    if not audit.leaks:
        return f"gives away none of the {against}"
    given_away = len({leak.question for leak in audit.leaks})
    return (
        f"GIVES AWAY {given_away:,} of the {against}, in {counted(len(audit.leaks), 'passage')}: "
        f"{audit.leaks[0].passage} -> {audit.leaks[0].question}: {audit.leaks[0].reason}"
    )


def _revisions_text(revisions: Revisions | None) -> str:
    if revisions is None:
        return "not counted when it was built"
    without = f"{counted(revisions.without, 'article')} without one"
    known = f"in force from {revisions.first} to {revisions.last}, {without}"
    return known if revisions.first else without


def evaluation_text(summary: JsonObject) -> str:
    """Return hit rates by law and type of question, and the worst misses."""
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
        lines += [
            f"{counted(summary['without_gold'], 'question')} whose context quotes no statute",
            "",
        ]
    lines.append(
        f"{counted(len(summary['misses']), 'question')} whose first result is not a gold article:"
    )
    for miss in summary["misses"]:
        gold = ", ".join(f"{g['law_title']}{g['name']} ({_rank(g['rank'])})" for g in miss["gold"])
        lines.append(f"  {_rank(miss['rank']):>5}  {miss['id']}: {gold}")
    return "\n".join([*lines, "", *_gold_text_lines(summary)])


def _gold_text_lines(summary: JsonObject) -> list[str]:
    """Return how much of the gold text contexts hold, and the questions whose contexts hold least."""
    from lawqa.report.table import Table, render_text

    columns = ["", "context", "gold text", "of it >= .9", "n", "median length"]
    rows: list[list[str]] = []
    groups = [("all", summary["gold_text"])]
    groups += [(law, figures["gold_text"]) for law, figures in summary["by_law"].items()]
    for name, by_budget in groups:
        for budget, measured in by_budget.items():
            rows.append(
                [name or "(unknown)", budget, _figure(measured["gold_text_mean"]),
                 *(str(measured[key]) for key in ("gold_text_090", "questions", "tokens_median"))]
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
