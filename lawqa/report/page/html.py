"""A report as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files

from lawqa.errors import MissingExtraError, tame
from lawqa.report.cautions import caution_kinds, cautions_of
from lawqa.report.claims import claims_of, headline
from lawqa.report.content import Report
from lawqa.report.label_tables import calibration_table, label_tables
from lawqa.report.page.browser import browser_data, embedded_json
from lawqa.report.page.plots import (
    accuracy_plot,
    difference_plot,
    histogram_plot,
    law_plot,
    reliability_plot,
    votes_plot,
)
from lawqa.report.page.training_plots import training_plots
from lawqa.report.paired import changes, gold_text_table, paired_table
from lawqa.report.run_tables import accuracy_tables, cost_table
from lawqa.report.table import Cell, Share, Text
from lawqa.report.words import WORDS, Phrase, same
from lawqa.scoring import Accuracy

_SCRIPTS = ("report.js", "notes.js", "language.js")
_TEMPLATES = ("report.html.j2", "tables.html.j2", "report.css.j2", *_SCRIPTS)


def report_html(report: Report, language: str | None = None) -> str:
    """The page.

    Everything from runs and questions is text in it: escaped where the page is written, and set as text
    by its script. A content security policy forbids the page to load or run anything else.

    Args:
        report: what it shows.
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
    scripts = {name: Markup(sources[name]) for name in _SCRIPTS}  # noqa: S704 - ours
    page = environment.get_template("report.html.j2").render(
        **_content(report),
        language=language,
        words=WORDS,
        scripts=scripts,
        hashes=[_hash(sources[name]) for name in scripts],
        data=Markup(embedded_json(browser_data(report))),  # noqa: S704 - escaped for a script element
        svg=Markup,
    )
    # A lone surrogate, which only a damaged file holds, cannot be written as UTF-8.
    return tame(page.encode("utf-8", "replace").decode("utf-8"))


def _content(report: Report) -> dict[str, object]:
    calibration = calibration_table(report.runs)
    return {
        "report": report,
        "headline": headline(report),
        "claims": claims_of(report),
        "cautions": caution_kinds(cautions_of(report)),
        "tables": accuracy_tables(report),
        "labels": label_tables(report),
        "calibration": calibration,
        "cost": cost_table(report.runs),
        "paired": paired_table(report),
        "gold_text": gold_text_table(report),
        "changes": [(pair, *changes(report.run(pair.base), report.run(pair.other)))
                    for pair in report.pairs if pair.comparison is not None],
        "plots": {
            "difference": difference_plot(report),
            "accuracy": accuracy_plot(report.runs),
            "laws": law_plot(report.runs),
            "votes": votes_plot(report.runs),
            "histogram": histogram_plot(report.runs),
            "reliability": reliability_plot(report.runs),
        },
        "trainings": [(training, training_plots(training, number))
                      for number, training in enumerate(report.all_trainings)],
        "laws": sorted({question.law for question in report.questions}),
        "outcomes": ("correct", "wrong", "unparsed", "truncated", "failed"),
        "manifests": {
            run.id: json.dumps(
                run.manifest.to_json() if run.manifest else run.about, ensure_ascii=False, indent=1
            )
            for run in report.runs
        },
    }  # fmt: skip


def cell_kind(cell: Cell) -> str:
    """How the template writes a cell: `accuracy`, `share` or `text`."""
    if isinstance(cell, Accuracy):
        return "accuracy"
    return "share" if isinstance(cell, Share) else "text"


def phrase_of(text: Text) -> Phrase:
    """A heading or cell in both languages."""
    return same(text) if isinstance(text, str) else text


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
