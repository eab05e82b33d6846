"""A report as Markdown: claim, warnings and tables; the question browser is left to the page."""

from __future__ import annotations

import re

from lawqa.errors import tame
from lawqa.report.claims import cautions_of, claims_of, headline
from lawqa.report.content import Report
from lawqa.report.cost_table import cost_table
from lawqa.report.label_tables import calibration_table, label_tables
from lawqa.report.paired import Change, changes, gold_text_table, paired_table
from lawqa.report.tables import Cell, Table, accuracy_tables
from lawqa.report.words import WORDS, Said, percent
from lawqa.scoring import Accuracy

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def report_markdown(report: Report, language: str = "en") -> str:
    """The report in one language.

    Args:
        report: what it shows.
        language: `ja` or `en`.
    """

    def said(text: Said) -> str:
        return _plain(text.in_(language))

    parts = [f"# {_plain(report.title)}", f"**{said(headline(report).text)}**"]
    claims = claims_of(report)
    if len(claims) > 1:
        parts.append("\n".join(f"- {said(claim.text)}" for claim in claims))
    cautions = cautions_of(report)
    if cautions:
        lines = [
            f"- {'⚠ ' if w.severe else ''}{w.where}{': ' if w.where else ''}{said(w.text)}"
            for w in cautions
        ]
        parts += [f"## {said(WORDS['warnings'])}", "\n".join(lines)]
    else:
        parts.append(said(WORDS["no_warnings"]))
    about = [
        f"- {run.id}: {_plain(run.name)} — {_plain(run.model)}"
        + (f" + {_plain(run.adapter)}" if run.adapter else "")
        + (f", {_plain(run.spec)}" if run.spec else "")
        for run in report.runs
    ]
    parts += [f"## {said(WORDS['runs'])}", "\n".join(about), f"## {said(WORDS['results'])}"]
    calibration = calibration_table(report.runs)
    tables = [*accuracy_tables(report), *label_tables(report)]
    tables += [calibration] if calibration else []
    parts += [_table(table, language) for table in (*tables, cost_table(report.runs))]
    paired = paired_table(report)
    if paired is not None:
        parts += [f"## {said(WORDS['paired'])}", _table(paired, language)]
        split = gold_text_table(report)
        parts += [_table(split, language)] if split else []
        for pair in report.pairs:
            if pair.comparison is None:
                continue
            base, run = report.run(pair.base), report.run(pair.other)
            gained, lost = changes(base, run)
            parts.append(f"### {_plain(base.title)} → {_plain(run.title)}")
            parts.append(_changes(said(WORDS["gained"]), gained, said(WORDS["none_changed"])))
            parts.append(_changes(said(WORDS["lost"]), lost, said(WORDS["none_changed"])))
    parts.append(f"## {said(WORDS['provenance'])}")
    for run in report.runs:
        parts.append(f"### {_plain(run.title)}\n\n{_plain(run.path)}")
        if run.command:
            parts.append(_code("\n".join(run.command)))
    parts.append(f"lawqa {report.version}, {report.made}")
    return "\n\n".join(parts) + "\n"


def _table(table: Table, language: str) -> str:
    lines = [
        f"### {_plain(table.title.in_(language))}",
        "",
        f"| {' | '.join(_plain(column.in_(language)) for column in table.columns)} |",
        "|---" * len(table.columns) + "|",
    ]
    lines += [f"| {' | '.join(_cell(cell, language) for cell in row)} |" for row in table.rows]
    if table.note:
        lines += ["", _plain(table.note.in_(language))]
    return "\n".join(lines)


def _cell(cell: Cell, language: str) -> str:
    if isinstance(cell, Said):
        return _plain(cell.in_(language))
    if isinstance(cell, Accuracy):
        low, high = cell.interval.low, cell.interval.high
        return f"{percent(cell.value)} ({percent(low)} – {percent(high)}, n = {cell.asked})"
    return f"**{cell.count}**" if cell.emphasised else str(cell.count)


def _changes(title: str, found: tuple[Change, ...], nothing: str) -> str:
    lines = [
        f"- {_plain(c.question_id)}: {c.before} → {c.after} ({c.gold})"
        + (f" ×{c.prompts}" if c.prompts > 1 else "")
        for c in found
    ]
    return f"{title} ({len(found)})\n\n" + ("\n".join(lines) or nothing)


def _plain(text: str) -> str:
    """Text that Markdown shows as it stands, on one line."""
    return _SPECIAL.sub(r"\\\1", tame(" ".join(text.split())))


def _code(text: str) -> str:
    """A fenced block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}console\n{text}\n{fence}"
