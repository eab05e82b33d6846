"""A report as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

from lawqa.report.cautions import caution_kinds, cautions_of
from lawqa.report.claims import claims_of, headline
from lawqa.report.content import Report
from lawqa.report.label_tables import calibration_table, label_tables
from lawqa.report.page.browser import browser_data, embedded_json, manifests_data
from lawqa.report.page.environment import page_environment, script_hash, storable_page, trusted
from lawqa.report.paired import MOST_CHANGED, changes, gold_text_table, paired_table
from lawqa.report.plots.drawing import Drawing
from lawqa.report.plots.run_plots import (
    accuracy_plot,
    difference_plot,
    histogram_plot,
    law_plot,
    reliability_plot,
    votes_plot,
)
from lawqa.report.plots.svg import svg_of
from lawqa.report.plots.training_plots import training_plots
from lawqa.report.run_tables import accuracy_tables, cost_table
from lawqa.report.words import WORDS, further_phrase, shown_phrase

_SCRIPTS = ("report.js", "notes.js", "language.js")
_TEMPLATES = ("report.html.j2", "tables.html.j2", "report.css.j2", *_SCRIPTS)


def report_html(report: Report, language: str | None = None) -> str:
    """Return the page.

    Everything from runs and questions is text in it: escaped where the page is written, and set as text
    by its script. A content security policy forbids the page to load or run anything else.

    Args:
        report: what it shows.
        language: `ja` or `en` first; None for the language of the reader's browser.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    environment, sources = page_environment(_TEMPLATES)
    scripts = {name: trusted(sources[name]) for name in _SCRIPTS}
    page = environment.get_template("report.html.j2").render(
        **_content(report),
        language=language,
        words=WORDS,
        scripts=scripts,
        hashes=[script_hash(sources[name]) for name in scripts],
        data=trusted(embedded_json(browser_data(report))),
        manifests=trusted(embedded_json(manifests_data(report))),
        svg=trusted,
    )
    return storable_page(page)


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
        "plots": {name: svg_of(drawing) if drawing else None for name, drawing in _plots(report).items()},
        "trainings": [(training, training_plots(training, number))
                      for number, training in enumerate(report.all_trainings)],
        "laws": sorted({question.law for question in report.questions}),
        "shown": shown_phrase(len(report.questions), report.asked),
        "most_changed": MOST_CHANGED,
        "further": further_phrase,
        "outcomes": ("correct", "wrong", "unparsed", "truncated", "failed"),
    }  # fmt: skip


def _plots(report: Report) -> dict[str, Drawing | None]:
    return {
        "difference": difference_plot(report),
        "accuracy": accuracy_plot(report.runs),
        "laws": law_plot(report.runs),
        "votes": votes_plot(report.runs),
        "histogram": histogram_plot(report.runs),
        "reliability": reliability_plot(report.runs),
    }
