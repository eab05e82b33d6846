"""Paragraphs (項) of e-Gov's law XML, and text beside them, as `Paragraph` records."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # egov_xml refuses DOCTYPE, so no entity is ever expanded
from collections.abc import Collection

from lawqa.statutes.articles import Paragraph
from lawqa.statutes.egov.numbers import normalised_number, restates_paragraph
from lawqa.statutes.egov.text import outer_text_of, text_of

_MAX_DIGITS = 6


def read_paragraph(element: ET.Element) -> Paragraph:
    """Return a `Paragraph` element: its caption in a line of its own, sentences, items, tables.

    Its number is left out of the text where it says no more than `num`. A `Num` that is no whole number
    gives no `num`, and then the number that the text shows stays.
    """
    number = normalised_number(element.get("Num")) or ""
    num = int(number) if number.isdecimal() and len(number) <= _MAX_DIGITS else None
    marks = element.findall("ParagraphNum")[:1]
    restated = [mark for mark in marks if restates_paragraph(text_of(mark), num)]
    return Paragraph(num, text_of(element, without=restated))


def children_as_paragraphs(
    element: ET.Element, without: Collection[ET.Element] = ()
) -> list[Paragraph]:
    """Return a paragraph for each `Paragraph` in an element and for each other child or text that says
    anything.

    Args:
        element: an article or a preamble.
        without: children that are written elsewhere; text behind them is kept.
    """
    paragraphs = unnumbered(element.text)
    for child in element:
        if child.tag == "Paragraph":
            paragraphs.append(read_paragraph(child))
        elif child not in without:
            paragraphs += unnumbered(outer_text_of(child))
        paragraphs += unnumbered(child.tail)
    return paragraphs


def unnumbered(text: str | None) -> list[Paragraph]:
    """Return text that is no numbered paragraph, as one; nothing if there is only layout."""
    stripped = (text or "").strip(" \t\r\n")
    return [Paragraph(None, stripped)] if stripped else []
