"""The weakest of the spellings that texts are compared in; `normalise` has the stronger ones."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Return the text in NFKC and without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())
