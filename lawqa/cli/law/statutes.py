"""`lawqa statutes`: statutes in e-Gov's XML -> articles, and a look at such a file."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg, subcommand

from lawqa.amounts import counted
from lawqa.cli import EXIT_SOME_FAILED
from lawqa.cli.command_table import CommandGroup
from lawqa.cli.console import ConsoleFlags, resume_hint_on_interrupt
from lawqa.settings import ParseSettings, declaration, values_of

if TYPE_CHECKING:
    from lawqa.pipelines.corpus.statutes import ParseResult
    from lawqa.statutes.corpus_stats import CorpusStats


logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ParseStatutes(ParseSettings):
    """Write the articles of e-Gov's law XML as JSONL, one line an article.

    Of each law the newest revision in force is read. Broken files are left out and listed at the end
    (exit code 3).
    """

    # Here it is given by its place.
    input: Positional[Path] = field(metadata=declaration(ParseSettings, "input"))
    """e-Gov's bulk download: the zip itself or its unpacked folder; or one XML file."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.statutes import ParseConfig, parse_statutes

        config = ParseConfig(**values_of(ParseConfig, self, self.console))
        today = datetime.now().astimezone().date()
        with resume_hint_on_interrupt("finished work is kept; --resume resumes it"):
            result = parse_statutes(config, today=today)
        print(
            f"wrote {counted(result.articles, 'article')} of {counted(result.laws, 'law')} as of "
            f"{result.as_of} "
            f"to {self.output}"
        )
        remarks = remarks_text(result)
        if remarks:
            logger.warning(remarks.rstrip("\n"))
        return EXIT_SOME_FAILED if result.failures else 0


@dataclass(frozen=True)
class Stats:
    """Count laws, articles, paragraphs and characters of an article file."""

    file: Positional[Path]
    """JSONL from `lawqa statutes parse`, or of the earlier form; also .gz or .xz."""

    def run(self) -> int:
        from lawqa.statutes.articles import corpus_sha256, read_articles
        from lawqa.statutes.corpus_stats import count_articles

        print(stats_text(self.file, count_articles(read_articles(self.file))))
        print(f"sha256 {corpus_sha256(self.file)}")
        return 0


@dataclass(frozen=True)
class Statutes(CommandGroup):
    """Turn e-Gov's law XML into articles, and look at article files."""

    command: Annotated[
        Annotated[ParseStatutes, subcommand("parse")] | Annotated[Stats, subcommand("stats")],
        arg(name=""),
    ]


def remarks_text(result: ParseResult) -> str:
    """Return what a reader must know besides the figures: laws left out, and why; empty if nothing."""
    lines = []
    if result.later:
        lines.append(
            f"note: {counted(len(result.later), 'law is', 'laws are')} not in force on "
            f"{result.as_of}, left out: "
            f"{', '.join(result.later[:5])}{' …' if len(result.later) > 5 else ''}"
        )
    if result.failures:
        lines.append(f"{counted(len(result.failures), 'file')} could not be read, left out:")
        lines.extend(f"  {failure.path}: {failure.message}" for failure in result.failures)
    return "".join(line + "\n" for line in lines)


def stats_text(file: Path, stats: CorpusStats) -> str:
    """Return counts by part of the law, and what is unusual in the file."""
    from lawqa.report.table import Table, render_text

    columns = ["part", "articles", "paragraphs", "characters"]
    rows: list[list[str]] = []
    for part, counts in [*stats.by_part.items(), ("all", stats.total)]:
        rows.append(
            [part, f"{counts.articles:,}", f"{counts.paragraphs:,}", f"{counts.characters:,}"]
        )
    first, last = stats.revisions
    return "\n".join(
        [
            f"{file}: {counted(stats.total.articles, 'article')} of {counted(stats.laws, 'law')}",
            "",
            render_text(Table(columns, rows)),
            "",
            f"revisions in force from {first or 'unknown'} to {last or 'unknown'}",
            f"amending laws with supplementary provisions: {stats.amending_laws:,}",
            f"articles that say only 削除: {stats.deleted:,}",
            f"articles without text: {stats.empty:,}",
            f"longest: {stats.longest_id} ({stats.longest_characters:,} characters)",
        ]
    )
