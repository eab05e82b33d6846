"""One spelling for texts that are compared."""

from __future__ import annotations

import unicodedata

from lawqa.statutes.numerals import arabic


def fold(text: str) -> str:
    """The text in NFKC and without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def canonical(text: str) -> str:
    """The folded text with the numbers of articles, paragraphs and items in Arabic digits."""
    return arabic(fold(text))
