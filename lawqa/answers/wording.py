"""Ways of wording something, found quickly: a text that lacks the key words is not searched at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from lawqa.answers.page import Page

_A_LABEL = "[a-d"
"""How the class of label signs in a pattern begins."""

_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]")

MOST_FOUND = 500
"""So many places per wording are looked at; a loop has more, and they say the same."""


class Wording(NamedTuple):
    """One way to word something.

    Args:
        keys: a text that holds none of these strings cannot match.
        pattern: begins with literal letters, so that the search steps quickly over everything else.
        english: it cannot match where no two Latin letters stand together.
        labelled: it cannot match where no label stands alone.
        at_label: it begins with a label, so that it is only tried where one stands.
        signs: the first signs of the keys; a text with none of them needs no search for the keys.
        behind: signs one of which follows the label that it begins with, brackets left out; empty: any may.
    """

    keys: tuple[str, ...]
    pattern: re.Pattern[str]
    english: bool
    labelled: bool
    at_label: bool
    signs: frozenset[str]
    behind: str = ""


def wording(keys: str, *pattern: str, behind: str = "") -> Wording:
    """A wording from its keys, parted by `|`, and the parts of its pattern.

    Args:
        keys: strings one of which is in every match.
        pattern: parts of the pattern.
        behind: what one of follows the label that the pattern begins with, brackets left out.
    """
    whole = "".join(pattern)
    compiled = re.compile(whole)
    return Wording(
        tuple(keys.split("|")),
        compiled,
        keys.isascii(),
        _A_LABEL in whole,
        whole.startswith(_A_LABEL) and not _has_branches(whole),
        frozenset(key[0] for key in keys.split("|")),
        behind,
    )


def _has_branches(pattern: str) -> bool:
    """Whether a pattern is an alternation: a | of its own level, outside of groups and classes."""
    depth = 0
    for part in _PARTS.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(part[0], 0)
        if part[0] == "|" and depth == 0:
            return True
    return False


def word(*words: str) -> str:
    """A pattern for any of these English words where it does not continue another word.

    It begins with the word's letter and then looks back, which lets the search skip ahead to it.
    """
    return "|".join(rf"{one[0]}(?<![a-z]{one[0]}){one[1:]}" for one in words)


def find_each(wordings: tuple[Wording, ...], page: Page) -> Iterator[re.Match[str]]:
    """Every place that one of the wordings matches, wording by wording."""
    text, present = page.text, page.signs
    for keys, pattern, english, labelled, at_label, signs, behind in wordings:
        if signs.isdisjoint(present):
            continue
        if (english and not page.english) or (labelled and not page.letters):
            continue
        for key in keys:
            if key in text:
                if behind:
                    for sign in behind:
                        for at in page.behind.get(sign, ()):
                            found = pattern.match(text, at)
                            if found:
                                yield found
                elif at_label:
                    for at in page.letters:
                        found = pattern.match(text, at)
                        if found:
                            yield found
                else:
                    yield from islice(pattern.finditer(text), MOST_FOUND)
                break
