"""A report as a file: an HTML page or a Markdown text of stored runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.files import write_text
from lawqa.pipelines.comparing.grid import GridConfig, make_grid
from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.report.claims import headline
from lawqa.report.content import Report
from lawqa.report.grid.page import grid_html
from lawqa.report.grid.text import grid_markdown, grid_text
from lawqa.report.markdown import report_markdown
from lawqa.report.notes import notes_path, read_notes
from lawqa.report.page.html import report_html
from lawqa.runs.directory import claim_output
from lawqa.settings import By, Language, StrPath, as_path, as_paths, checks_arguments


@dataclass(frozen=True)
class WrittenReport:
    """A report and where it was written."""

    path: Path
    report: Report
    """What it shows."""
    claim: str
    """Its headline: which difference is significant, in one sentence of the chosen language, else English."""
    size: int
    """Bytes of the file."""


@dataclass(frozen=True)
class WrittenGrid:
    """A summary and where it was written."""

    path: Path
    text: str
    """What a terminal shows of it, in the chosen language, else in English."""
    size: int
    """Bytes of the file."""


def write_grid(
    config: GridConfig, output: Path, *, lang: Language | None = None, fresh: bool = False
) -> WrittenGrid:
    """Write the summary of everything that was measured: as a page, as Markdown or as text.

    Args:
        config: what it is about.
        output: the file, .html, .md or .txt.
        lang: the language; None: the browser's, elsewhere English.
        fresh: replace an earlier file.

    Raises:
        ConfigError: the file is there already or has another ending, or there is no run to show.
    """
    suffix = output.suffix.lower()
    if suffix not in (".html", ".htm", ".md", ".txt"):
        raise ConfigError(
            f"--output {output}: the name ends in {suffix or 'nothing'}, expected .html, .md or .txt",
            "name a file such as summary.html",
        )
    claim_output(output, "--output", fresh=fresh, sources=config.paths)
    grid = make_grid(config)
    shown = grid_text(grid, lang or "en")
    text = shown
    if suffix == ".md":
        text = grid_markdown(grid, lang or "en")
    elif suffix != ".txt":
        text = grid_html(grid, lang)
    write_text(output, text)
    return WrittenGrid(output, shown, len(text.encode()))


@checks_arguments
def write_report(
    runs: StrPath | Iterable[StrPath],
    output: StrPath = "report.html",
    *,
    base: StrPath | None = None,
    by: By = "own",
    data: StrPath | Iterable[StrPath] = (),
    recorded: bool = False,
    lang: Language | None = None,
    title: str = "",
    fresh: bool = False,
) -> WrittenReport:
    """Write one self-contained page, or a Markdown text, of stored runs: claim, figures, every question.

    Tags and notes that a reader saved from an earlier page are in it: `report.notes.json` beside
    `report.html`.

    Example:
        >>> import lawqa
        >>> lawqa.write_report(["runs/base", "runs/adapter"], "report.pdf")
        Traceback (most recent call last):
        lawqa.errors.ConfigError: --output report.pdf: the name ends in .pdf, expected .html or .md

    Args:
        runs: run directories and result files; adapters for their training curves.
        output: the file, .html or .md.
        base: the run that all others are compared with. None: an adapter's run is compared with one that
            differs from it in the adapter alone.
        by: how the prompts of a question become its final answer.
        data: question files to take contexts from, besides those that the runs name.
        recorded: take the labels as they were recorded instead of reading the stored texts again.
        lang: the language shown first. None: the browser's, for Markdown English.
        title: the title; empty for one made of the runs' names.
        fresh: replace an earlier file.

    Raises:
        ConfigError: the file is there already or has another ending; or no evaluation is among the runs.
        DataError: a run, question file or the file of notes cannot be read.
    """
    paths, target, files = as_paths(runs, "runs"), as_path(output, "output"), as_paths(data, "data")
    chosen = None if base is None else as_path(base, "base")
    if not paths:
        raise ConfigError("no run was given", "lawqa report RUN... -o report.html")
    suffix = target.suffix.lower()
    if suffix not in (".html", ".htm", ".md"):
        raise ConfigError(
            f"--output {target}: the name ends in {suffix or 'nothing'}, expected .html or .md",
            "name a file such as report.html",
        )
    claim_output(target, "--output", fresh=fresh, sources=(*paths, chosen, *files))
    if chosen is not None and chosen not in paths:
        paths = (*paths, chosen)
    kept = notes_path(target)
    notes = read_notes(kept)  # before the runs, which take longer
    report = make_report(ReportConfig(paths, chosen, files, recorded=recorded, title=title, by=by))
    report = replace(report, notes=notes, notes_file=kept.name)
    text = report_markdown(report, lang or "en") if suffix == ".md" else report_html(report, lang)
    write_text(target, text)
    claim = headline(report).text
    return WrittenReport(target, report, claim.ja if lang == "ja" else claim.en, len(text.encode()))
