"""Which words of a query an article holds: for people to see why it was found."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[\w%/.]+")
_PARTICLES = "のをにはがでともや"
_SHORT_WORD = re.compile("[々一-龠ァ-ヴーa-z]{2}")
_LEAST = 2
_LONGEST_TEXT = 5_000


def shared_phrases(query: str, text: str, *, limit: int = 4) -> list[str]:
    """Return the longest strings that a query and a text share, longest first, none inside another.

    Three characters at least, or a word of two without hiragana, such as 転貸.

    Args:
        query: normalised.
        text: normalised; only its first 5,000 characters are looked at.
        limit: how many phrases at most.
    """
    text = text[:_LONGEST_TEXT]
    shared: dict[str, None] = {}
    for word in dict.fromkeys(_WORDS.findall(query)):
        start, end = 0, _LEAST
        while end <= len(word):
            if word[start:end] not in text:
                start, end = start + 1, max(end, start + 1 + _LEAST)
                continue
            while end < len(word) and word[start : end + 1] in text:
                end += 1
            phrase = word[start:end].strip(_PARTICLES)
            if len(phrase) > _LEAST or _SHORT_WORD.fullmatch(phrase):
                shared[phrase] = None
            start, end = start + 1, end + 1
    phrases: list[str] = []
    for phrase in sorted(shared, key=lambda phrase: (-len(phrase), query.index(phrase))):
        if not any(phrase in longer for longer in phrases):
            phrases.append(phrase)
    return phrases[:limit]
