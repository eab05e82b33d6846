"""The one table of every output: cells without any format, rendered as plain text or Markdown.

The page's template renders the same table as HTML (`templates/report.html.j2`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lawqa.amounts import percent
from lawqa.errors import tame
from lawqa.report.phrase import Phrase
from lawqa.scoring import Accuracy

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


@dataclass(frozen=True)
class Share:
    """A count with its share of a whole, which HTML shows as a shade."""

    count: int
    share: float
    """From 0 to 1."""
    emphasised: bool = False
    """Whether the count is one of right answers."""


Text = str | Phrase
"""A string is the same in both languages."""
Cell = Text | Accuracy | Share


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row heads it."""

    columns: Sequence[Text]
    rows: Sequence[Sequence[Cell]]
    """As many cells a row as there are columns."""
    title: Phrase | None = None
    note: Phrase | None = None
    """What a reader must know to read it."""
    id: str = ""
    """Its anchor on the page."""


def render_text(table: Table, language: str = "en") -> str:
    """Return the table in columns of equal width on a terminal, with a rule under the headings."""
    cells = [
        [in_language(column, language) for column in table.columns],
        *([cell_text(cell, language) for cell in row] for row in table.rows),
    ]
    widths = [max(map(text_width, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = (
        "  ".join(
            cell + " " * (width - text_width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", tame(" ".join(text.split())))


def pipes_escaped(text: str) -> str:
    """Return text for a Markdown cell that people also read unrendered: only what would end the cell is
    escaped.
    """
    return text.replace("|", "\\|")


def render_markdown(
    table: Table, language: str = "en", escape: Callable[[str], str] = markdown_text
) -> str:
    """Return the table as Markdown, with its title as a heading of the third level and its note below.

    Args:
        table: what to render.
        language: `ja` or `en`.
        escape: makes a cell's text safe.
    """
    heads = [escape(in_language(column, language)) for column in table.columns]
    lines = [] if table.title is None else [f"### {escape(table.title.in_(language))}", ""]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in table.rows:
        cells = [
            f"**{cell.count}**"
            if isinstance(cell, Share) and cell.emphasised
            else escape(cell_text(cell, language))
            for cell in row
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if table.note is not None:
        lines += ["", escape(table.note.in_(language))]
    return "\n".join(lines)


def cell_text(cell: Cell, language: str) -> str:
    """Return a cell as text."""
    if isinstance(cell, Accuracy):
        low, high = percent(cell.interval.low), percent(cell.interval.high)
        return f"{percent(cell.value)} ({low} – {high}, n = {cell.asked})"
    return str(cell.count) if isinstance(cell, Share) else in_language(cell, language)


def in_language(text: Text, language: str) -> str:
    """Return a heading or phrase in `ja`, or else in English."""
    return text.in_(language) if isinstance(text, Phrase) else text


def text_width(text: str) -> int:
    """Return columns of a terminal that a text takes: full-width characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
