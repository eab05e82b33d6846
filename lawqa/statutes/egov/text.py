"""The text of an element of e-Gov's law XML, laid out in lines, with nothing lost but ruby readings.

Every character between the tags of an element comes out once, also those behind a child (`tail`) and
those of tags that are not known here, except:

- `Rt`, the reading of a ruby: the base text stays, the reading would run into it;
- white space that only lays out the XML file.

Put in are: line ends, a blank between a title and its sentence and between columns, ` | ` between the
cells of a table, `［図］` for a figure, `［算式：…］` around a formula, and `^` before superscript, since
`10<Sup>3</Sup>` would else be read as another number. A subscript is written on: `CO<Sub>2</Sub>` is CO2.

Tag names are those of 法令標準XMLスキーマ v3 (laws.e-gov.go.jp/file/XMLSchemaForJapaneseLaw_v3.xsd).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # egov_xml refuses DOCTYPE, so no entity is ever expanded
from collections.abc import Collection

FIGURE, SUPERSCRIPT, CELL = "［図］", "^", " | "
FORMULA_OPENS, FORMULA_CLOSES, FORMULA = "［算式：", "］", "［算式］"

_LEVELS = range(1, 11)
_SENTENCE_HOLDERS = frozenset(
    {"ParagraphSentence", "ItemSentence", "ClassSentence", "ListSentence", "AmendProvisionSentence"}
    | {f"Subitem{level}Sentence" for level in _LEVELS}
    | {f"Sublist{level}Sentence" for level in _LEVELS}
)
# Written on in the line that holds them, and so is a `Sentence` in them. Every tag that is neither here nor
# treated by name gets lines of its own.
_INLINE = _SENTENCE_HOLDERS | {"Ruby", "Line", "Sub", "Column"}
# A blank is between these and what follows in the same line.
_LABELS = frozenset(
    {"ItemTitle", "ParagraphNum", "ArticleTitle", "ClassTitle", "RemarksLabel"}
    | {f"Subitem{level}Title" for level in _LEVELS}
)
_ROWS = ("TableRow", "TableHeaderRow")
_MAX_SPAN = 100
"""The most columns or rows that a cell is taken to span, whatever its attribute says."""

_XML_SPACE = " \t\r\n"
_SPACES = re.compile(r"[ \t\r\n]+")


def text_of(element: ET.Element, without: Collection[ET.Element] = ()) -> str:
    """Return the text inside an element.

    Args:
        element: any element of a law.
        without: children whose content is left out; the text behind them is not.

    Returns:
        Lines joined by line feeds, none of them empty; empty if there is no text.
    """
    page = _Page()
    _write_inside(element, page, without)
    return page.text()


def outer_text_of(element: ET.Element) -> str:
    """Return the text of an element as it shows in its parent: nothing for `Rt`, a mark for a figure."""
    page = _Page()
    _write(element, "", page)
    return page.text()


class _Page:
    """Text being written: pieces, and the separator that is due before the next one."""

    _NOTHING, _SOFT, _GAP, _LINE = range(4)

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._due = self._NOTHING

    def add(self, text: str | None) -> None:
        """Write character data; white space at its ends or around a line feed is layout."""
        if not text:
            return
        core = text.strip(_XML_SPACE)
        if not core:
            self._wish(self._SOFT)
            return
        if text[0] in _XML_SPACE:
            self._wish(self._SOFT)
        if _SPACES.search(core):
            self._add_words(core)
        else:
            self._put(core)
        if text[-1] in _XML_SPACE:
            self._wish(self._SOFT)

    def mark(self, text: str) -> None:
        """Write something as it is."""
        if text:
            self._put(text)

    def gap(self) -> None:
        """Put a blank before what comes next in this line."""
        self._wish(self._GAP)

    def line(self) -> None:
        """Start a line for what comes next."""
        self._wish(self._LINE)

    def text(self) -> str:
        """Return all that was written; separators at the end are not."""
        return "".join(self._pieces)

    def _add_words(self, core: str) -> None:
        start = 0
        for space in _SPACES.finditer(core):
            self._put(core[start : space.start()])
            self._wish(self._SOFT if "\n" in space.group() else self._GAP)
            start = space.end()
        self._put(core[start:])

    def _wish(self, separator: int) -> None:
        self._due = max(self._due, separator)

    def _put(self, text: str) -> None:
        if self._pieces:
            self._pieces.append(self._separator(text))
        self._due = self._NOTHING
        self._pieces.append(text)

    def _separator(self, following: str) -> str:
        if self._due == self._SOFT:  # Japanese has no blanks between words
            return " " if self._pieces[-1][-1].isascii() and following[0].isascii() else ""
        return ("", "", " ", "\n")[self._due]


def _write_inside(element: ET.Element, page: _Page, without: Collection[ET.Element] = ()) -> None:
    page.add(element.text)
    for child in element:
        if child not in without:
            _write(child, element.tag, page)
        page.add(child.tail)


def _write(element: ET.Element, parent: str, page: _Page) -> None:
    tag = element.tag
    if tag == "Rt":
        return
    if tag == "Column":
        _write_column(element, page)
    elif tag in _INLINE or (tag == "Sentence" and parent in _INLINE):
        _write_inside(element, page)
    elif tag in _LABELS:
        _write_inside(element, page)
        page.gap()
    elif tag in _MARKED:
        page.mark(_marked(tag, text_of(element)))
    elif tag == "Table":
        _write_table(element, page)
    elif tag in _ROWS:
        _write_row(element, page, {})
    else:
        page.line()
        _write_inside(element, page)
        page.line()


_MARKED = ("Fig", "ArithFormula", "Sup")


def _marked(tag: str, text: str) -> str:
    if tag == "Fig":
        return FIGURE + text
    if tag == "Sup":
        return SUPERSCRIPT + text if text else ""
    return f"{FORMULA_OPENS}{text}{FORMULA_CLOSES}" if text else FORMULA


def _write_column(element: ET.Element, page: _Page) -> None:
    """Write one of several columns of a sentence, usually a term and what is said of it."""
    if element.get("LineBreak") == "true":
        page.line()
    page.gap()
    _write_inside(element, page)
    page.gap()


def _write_table(table: ET.Element, page: _Page) -> None:
    """Write a table, a line a row; where a cell spans rows or columns, the cells it covers are empty."""
    page.line()
    page.add(table.text)
    covered: dict[int, int] = {}
    for row in table:
        if row.tag in _ROWS:
            _write_row(row, page, covered)
        else:
            _write(row, table.tag, page)
        page.add(row.tail)
    page.line()


def _write_row(row: ET.Element, page: _Page, covered: dict[int, int]) -> None:
    """Write one row.

    Args:
        row: the row.
        page: where it is written.
        covered: for each column how many rows from here on a cell further up still covers; changed.
    """
    page.line()
    page.add(row.text)
    page.mark(_row_text(row, covered))
    page.line()


def _row_text(row: ET.Element, covered: dict[int, int]) -> str:
    cells: list[str] = []

    def skip_covered() -> None:
        while covered.get(len(cells), 0) > 0:
            covered[len(cells)] -= 1
            cells.append("")

    for cell in row:
        skip_covered()
        below = _span(cell, "rowspan") - 1
        text = " ".join([outer_text_of(cell), (cell.tail or "").strip(_XML_SPACE)])
        for content in [text, *[""] * (_span(cell, "colspan") - 1)]:
            covered[len(cells)] = below
            cells.append(" ".join(content.split("\n")).strip(" "))
    skip_covered()
    return CELL.join(cells).strip(" ") if any(cells) else ""


def _span(cell: ET.Element, attribute: str) -> int:
    value = cell.get(attribute, "1")
    digits = value.isascii() and value.isdigit() and len(value) <= 4
    return min(max(int(value), 1), _MAX_SPAN) if digits else 1
