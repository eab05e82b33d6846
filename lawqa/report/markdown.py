"""A report as Markdown: claim, warnings and tables; the question browser is left to the page."""

from __future__ import annotations

import re

from lawqa.report.cautions import cautions_of
from lawqa.report.claims import claims_of, headline
from lawqa.report.content import Report
from lawqa.report.label_tables import calibration_table, label_tables
from lawqa.report.paired import (
    MOST_CHANGED,
    ChangedQuestion,
    changes,
    gold_text_table,
    paired_table,
)
from lawqa.report.phrase import Phrase
from lawqa.report.run_tables import accuracy_tables, cost_table
from lawqa.report.table import markdown_text, render_markdown
from lawqa.report.words import WORDS, further_phrase


def report_markdown(report: Report, language: str = "en") -> str:
    """Return the report in one language.

    Args:
        report: what it shows.
        language: `ja` or `en`.
    """
    parts = [*_head(report, language), *_runs(report, language), *_paired(report, language)]
    if report.notes:
        noted = [
            f"- {markdown_text(question)}: "
            + markdown_text(" ".join((*(f"[{tag}]" for tag in note.tags), note.text)))
            for question, note in report.notes.items()
        ]
        parts += [f"## {_text(WORDS['notes'], language)}", "\n".join(noted)]
    parts.append(f"## {_text(WORDS['provenance'], language)}")
    for run in report.runs:
        parts.append(f"### {markdown_text(run.title)}\n\n{markdown_text(run.path)}")
        if run.command:
            parts.append(_code("\n".join(run.command)))
    parts.append(f"lawqa {report.version}, {report.made}")
    return "\n\n".join(parts) + "\n"


def _text(phrase: Phrase, language: str) -> str:
    return markdown_text(phrase.in_(language))


def _head(report: Report, language: str) -> list[str]:
    """Write what is read first: title, claims and warnings."""

    def text(phrase: Phrase) -> str:
        return _text(phrase, language)

    parts = [f"# {markdown_text(report.title)}", f"**{text(headline(report).text)}**"]
    claims = claims_of(report)
    if len(claims) > 1:
        parts.append("\n".join(f"- {text(claim.text)}" for claim in claims))
    cautions = cautions_of(report)
    if cautions:
        lines = [
            f"- {'⚠ ' if w.severe else ''}{w.where}{': ' if w.where else ''}{text(w.text)}"
            for w in cautions
        ]
        parts += [f"## {text(WORDS['warnings'])}", "\n".join(lines)]
    else:
        parts.append(text(WORDS["no_warnings"]))
    return parts


def _runs(report: Report, language: str) -> list[str]:
    """Write which runs there are, and their tables."""
    about = [
        f"- {run.id}: {markdown_text(run.name)} — {markdown_text(run.model)}"
        + (f" + {markdown_text(run.adapter)}" if run.adapter else "")
        + (f", {markdown_text(run.spec)}" if run.spec else "")
        for run in report.runs
    ]
    calibration = calibration_table(report.runs)
    tables = [*accuracy_tables(report), *label_tables(report)]
    tables += [calibration] if calibration else []
    return [
        f"## {_text(WORDS['runs'], language)}",
        "\n".join(about),
        f"## {_text(WORDS['results'], language)}",
        *(render_markdown(table, language) for table in (*tables, cost_table(report.runs))),
    ]


def _paired(report: Report, language: str) -> list[str]:
    """Write each run against its base, and the questions whose answers changed."""
    paired = paired_table(report)
    if paired is None:
        return []
    parts = [f"## {_text(WORDS['paired'], language)}", render_markdown(paired, language)]
    split = gold_text_table(report)
    parts += [render_markdown(split, language)] if split else []
    for pair in report.pairs:
        if pair.comparison is None:
            continue
        base, run = report.run(pair.base), report.run(pair.other)
        gained, lost = changes(base, run)
        nothing = _text(WORDS["none_changed"], language)
        parts.append(f"### {markdown_text(base.title)} → {markdown_text(run.title)}")
        parts.append(_changes(_text(WORDS["gained"], language), gained, nothing, language))
        parts.append(_changes(_text(WORDS["lost"], language), lost, nothing, language))
    return parts


def _changes(
    title: str, questions: tuple[ChangedQuestion, ...], nothing: str, language: str
) -> str:
    lines = [
        f"- {markdown_text(c.question_id)}: {c.before} → {c.after} ({c.gold})"
        + (f" ×{c.prompts}" if c.prompts > 1 else "")
        for c in questions[:MOST_CHANGED]
    ]
    if len(questions) > MOST_CHANGED:
        lines.append(f"- {further_phrase(len(questions) - MOST_CHANGED).in_(language)}")
    return f"{title} ({len(questions)})\n\n" + ("\n".join(lines) or nothing)


def _code(text: str) -> str:
    """Return a fenced block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}console\n{text}\n{fence}"
