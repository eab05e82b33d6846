"""Results as HTML for notebooks: the tables and sentences that the command line prints.

Nothing here has a colour, so a dark notebook shows it as well as a light one; all text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import singledispatch
from html import escape

from lawqa.amounts import counted, percent
from lawqa.errors import tame
from lawqa.report.comparisons import comparison_table, difference_lines
from lawqa.report.figures import interval_text
from lawqa.report.summary_text import law_figures, retrieval_figures, summary_figures
from lawqa.report.table import Table, cell_text, in_language
from lawqa.runs.stored import StoredRun
from lawqa.scoring import Calibration, Summary, summarise
from lawqa.scoring.comparisons import Judged

_LEFT = ' style="text-align:left"'


@singledispatch
def html_of(value: object) -> str:
    """Return what a notebook shows of a value.

    Raises:
        TypeError: nothing is known to show of it.
    """
    raise TypeError(f"{type(value).__name__} has no form for notebooks")


@html_of.register
def _(value: Summary) -> str:
    return summary_html({"this run": value})


@html_of.register
def _(value: StoredRun) -> str:
    return summary_html({value.path.name: summarise(value.answers())}, value.notes, str(value.path))


@html_of.register
def _(value: Calibration) -> str:
    bins = [
        (
            f"{one.low:.1f} - {one.high:.1f}", percent(one.confidence), percent(one.accuracy.value),
            interval_text(one.accuracy.interval), str(one.accuracy.asked),
        )
        for one in value.bins
    ]  # fmt: skip
    said = (
        f"ECE {value.ece:.3f}, Brier score {value.brier:.3f}, mean confidence {percent(value.confidence)}, "
        f"accuracy {percent(value.accuracy.value)}, {counted(value.prompts, 'answer')}"
    )
    table = Table(("confidence", "mean", "accuracy", "95% interval", "n"), bins)
    return _whole(sentence_html(said), table_html(table))


def summary_html(runs: Mapping[str, Summary], notes: Iterable[str] = (), where: str = "") -> str:
    """Return the figures of runs with what must be known first; of a single one also by law and retrieval.

    Args:
        runs: summaries by column title.
        notes: what a reader must know first.
        where: the run's directory; empty for none.
    """
    parts = [*map(_note_html, notes), table_html(summary_figures(runs))]
    if len(runs) == 1:
        (summary,) = runs.values()
        parts.append(table_html(law_figures(summary)))
        if summary.by_retrieval:
            parts.append(table_html(retrieval_figures(summary)))
    return _whole(*parts, *([sentence_html(f"run: {where}")] if where else []))


def comparison_html(
    base: str, judged: Mapping[str, Judged], notes: Iterable[str], runs: Mapping[str, Summary]
) -> str:
    """Return the differences in words, what must be known first, and the tables.

    Args:
        base: the base's name.
        judged: the comparisons by the other's name.
        notes: what a reader must know first.
        runs: the summaries of all, by name.
    """
    return _whole(
        *map(sentence_html, difference_lines(base, judged)),
        *map(_note_html, notes),
        table_html(comparison_table(judged)),
        table_html(summary_figures(runs)),
    )


def figures_html(rows: Iterable[tuple[str, str]], notes: Iterable[str] = ()) -> str:
    """Return named figures with what must be known first.

    Args:
        rows: name and figure.
        notes: what a reader must know first.
    """
    return _whole(*map(_note_html, notes), table_html(Table(("", ""), [*rows])))


def table_html(table: Table) -> str:
    """Return a table, its cells as a terminal shows them."""
    heads = "".join(f"<th>{_text(in_language(column, 'en'))}</th>" for column in table.columns)
    rows = []
    for first, *rest in table.rows:
        cells = "".join(f"<td>{_text(cell_text(cell, 'en'))}</td>" for cell in rest)
        rows.append(f'<tr><th scope="row"{_LEFT}>{_text(cell_text(first, "en"))}</th>{cells}</tr>')
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def sentence_html(text: str) -> str:
    """Return a sentence as a paragraph."""
    return f"<p>{_text(text.strip())}</p>"


def _note_html(note: str) -> str:
    return sentence_html(f"! {note}")


def _text(text: str) -> str:
    return escape(tame(text))


def _whole(*parts: str) -> str:
    return f"<div>{''.join(parts)}</div>"
