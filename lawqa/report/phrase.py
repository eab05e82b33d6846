"""A text in both languages of a report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """A text in both languages."""

    en: str
    ja: str

    def in_(self, language: str) -> str:
        """Return the text in `ja`, or else in English."""
        return self.ja if language == "ja" else self.en


def same(text: str) -> Phrase:
    """Return a text that is the same in both languages: a name, a number."""
    return Phrase(text, text)
