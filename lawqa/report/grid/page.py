"""A summary as one HTML file that needs nothing else."""

from __future__ import annotations

from lawqa.report.grid.content import GridContent, GridRow
from lawqa.report.grid.text import (
    WORDS,
    cell_name,
    label,
    missing_of,
    plotted,
    tables_of,
    warnings_of,
)
from lawqa.report.page.environment import page_environment, script_hash, storable_page, trusted
from lawqa.report.phrase import Phrase
from lawqa.report.plots.grid_plots import interval_plot
from lawqa.report.plots.svg import svg_of
from lawqa.scoring.comparisons import Judged

_TEMPLATES = ("grid.html.j2", "tables.html.j2", "report.css.j2", "language.js")


def grid_html(grid: GridContent, language: str | None = None) -> str:
    """Return the page, in both languages.

    Args:
        grid: what it shows.
        language: `ja` or `en` first; None for the language of the reader's browser.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    environment, sources = page_environment(_TEMPLATES)
    script = sources["language.js"]
    page = environment.get_template("grid.html.j2").render(
        grid=grid,
        language=language,
        words=WORDS,
        tables=tables_of(grid),
        missing=missing_of(grid),
        warnings=warnings_of(grid),
        plots=_plots(grid),
        script=trusted(script),
        hash=script_hash(script),
        svg=trusted,
    )
    return storable_page(page)


def _plots(grid: GridContent) -> list[tuple[str, str]]:
    """Return the two drawings, each with the name of its caption."""
    runs = plotted(grid)
    drawn = []
    if runs:
        values = [
            (label(run), run.accuracy.value, run.accuracy.interval.low, run.accuracy.interval.high)
            for run in runs
        ]
        drawn.append(
            ("accuracy_plot", svg_of(interval_plot("grid-accuracy", values, dotted=0.25, unit="%")))
        )
    compared = [(row, row.judged) for row in grid.compared if row.judged is not None]
    if compared:
        differences = [_named(row, judged) for row, judged in compared]
        drawn.append(
            (
                "difference_plot",
                svg_of(interval_plot("grid-difference", differences, dotted=0.0, unit="")),
            )
        )
    return drawn


def _named(row: GridRow, judged: Judged) -> tuple[Phrase, float, float, float]:
    c = judged.comparison
    return cell_name(row), c.difference, c.interval.low, c.interval.high
