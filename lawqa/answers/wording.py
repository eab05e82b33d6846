"""Ways of wording something, found quickly: a text that lacks the key words is not searched at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

MOST_FOUND = 1000
"""So many places per wording are looked at; a loop has more, and they say the same."""


class Wording(NamedTuple):
    """One way to word something.

    Args:
        keys: a text that holds none of these strings cannot match.
        pattern: begins with literal letters, so that the search steps quickly over everything else.
    """

    keys: tuple[str, ...]
    pattern: re.Pattern[str]


def wording(keys: str, *pattern: str) -> Wording:
    """A wording from its keys, parted by `|`, and the parts of its pattern."""
    return Wording(tuple(keys.split("|")), re.compile("".join(pattern)))


def word(*words: str) -> str:
    """A pattern for any of these English words where it does not continue another word.

    It begins with the word's letter and then looks back, which lets the search skip ahead to it.
    """
    return "|".join(rf"{one[0]}(?<![a-z]{one[0]}){one[1:]}" for one in words)


def find_each(wordings: tuple[Wording, ...], text: str) -> Iterator[re.Match[str]]:
    """Every place that one of the wordings matches, wording by wording."""
    for keys, pattern in wordings:
        for key in keys:
            if key in text:
                yield from islice(pattern.finditer(text), MOST_FOUND)
                break
