"""A summary as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from lawqa.errors import MissingExtraError, tame
from lawqa.report.grid.content import Grid, GridRow
from lawqa.report.grid.plots import interval_plot
from lawqa.report.grid.text import WORDS, label, missing_of, plotted, tables_of, warnings_of
from lawqa.report.page.html import cell_kind, phrase_of
from lawqa.scoring import Judged

_TEMPLATES = ("grid.html.j2", "tables.html.j2", "report.css.j2", "language.js")


def grid_html(grid: Grid, language: str | None = None) -> str:
    """The page, in both languages.

    Args:
        grid: what it shows.
        language: `ja` or `en` first; None for the language of the reader's browser.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    try:
        from jinja2 import DictLoader, Environment, StrictUndefined
        from markupsafe import Markup
    except ImportError:
        raise MissingExtraError("jinja2", "report") from None
    folder = files("lawqa.report.page").joinpath("templates")
    sources = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in _TEMPLATES}
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"kind": cell_kind, "phrase": phrase_of}
    script = sources["language.js"]
    page = environment.get_template("grid.html.j2").render(
        grid=grid,
        language=language,
        words=WORDS,
        tables=tables_of(grid),
        missing=missing_of(grid),
        warnings=warnings_of(grid),
        plots=_plots(grid),
        script=Markup(script),  # noqa: S704 - ours
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        svg=Markup,
    )
    return tame(page.encode("utf-8", "replace").decode("utf-8"))


def _plots(grid: Grid) -> list[tuple[str, str]]:
    """The two drawings, each with the name of its caption."""
    runs = plotted(grid)
    drawn = []
    if runs:
        values = [
            (label(run), run.accuracy.value, run.accuracy.interval.low, run.accuracy.interval.high)
            for run in runs
        ]
        drawn.append(
            ("accuracy_plot", interval_plot("grid-accuracy", values, dotted=0.25, unit="%"))
        )
    compared = [(row, row.judged) for row in grid.compared if row.judged is not None]
    if compared:
        differences = [_named(row, judged) for row, judged in compared]
        drawn.append(
            ("difference_plot", interval_plot("grid-difference", differences, dotted=0.0, unit=""))
        )
    return drawn


def _named(row: GridRow, judged: Judged) -> tuple[str, float, float, float]:
    c = judged.comparison
    return f"{row.way}-{row.condition}", c.difference, c.interval.low, c.interval.high
