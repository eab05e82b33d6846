"""Ways of wording something, found quickly: a text that lacks the key words is not searched at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from lawqa.answers.text.keys import key_bits
from lawqa.answers.text.page import Page

_A_LABEL = "[a-d"
"""How the class of label signs in a pattern begins."""

_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]")

MOST_FOUND = 500
"""At most this number of places per wording are looked at; a loop has more, and they say the same."""

_MOST_PLACES = 2000
"""At most this number of strings that a wording may begin with are tried."""


class Wording(NamedTuple):
    """One way to word something.

    Args:
        keys: a text that holds none of these strings cannot match.
        pattern: begins with literal letters, so that the search steps quickly over everything else.
        english: it cannot match where no two Latin letters stand together.
        labelled: it cannot match where no label stands alone.
        at_label: it begins with a label, so that it is only tried where one stands.
        bits: the keys as `Page.keys` holds them; 0 where `behind` says where to look.
        behind: signs one of which follows the label that it begins with, brackets left out; empty: any may.
        starts: what every match begins with, so that it is only tried where one stands, each with its bit;
            empty: unknown.
    """

    keys: tuple[str, ...]
    pattern: re.Pattern[str]
    english: bool
    labelled: bool
    at_label: bool
    bits: int
    behind: frozenset[str] = frozenset()
    starts: tuple[tuple[int, str], ...] = ()


def wording(keys: str, *pattern: str, behind: str = "") -> Wording:
    """A wording from its keys, parted by `|`, and the parts of its pattern.

    Args:
        keys: strings one of which is in every match.
        pattern: parts of the pattern.
        behind: what one of follows the label that the pattern begins with, brackets left out.
    """
    whole = "".join(pattern)
    at_label = whole.removeprefix("(?P<label>").startswith(_A_LABEL) and not _has_branches(whole)
    each = tuple(keys.split("|"))
    english = keys.isascii()
    return Wording(
        each,
        re.compile(whole),
        english,
        _A_LABEL in whole,
        at_label,
        0 if behind else key_bits(each, english=english),
        frozenset(behind),
    )


def opening(starts: str, *pattern: str, keys: str = "") -> Wording:
    """A wording every match of which begins with one of these strings, which is only tried where one stands.

    Args:
        starts: the strings, parted by `|`.
        pattern: parts of the pattern.
        keys: rarer strings one of which is in every match; empty: none is known.
    """
    one = wording(keys or starts, *pattern)
    places = [(key_bits([start], english=one.english), start) for start in starts.split("|")]
    return one._replace(at_label=False, starts=tuple(places))


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


def early(wordings: tuple[Wording, ...]) -> tuple[Wording, ...]:
    """The wordings, their keys looked for in every text, also where no rule is."""
    for one in wordings:
        starts = (start for _, start in one.starts)
        key_bits((*one.keys, *starts), english=one.english, early=True)
    return wordings


def find_each(wordings: tuple[Wording, ...], page: Page) -> Iterator[re.Match[str]]:
    """Every place that one of the wordings matches, wording by wording."""
    return _find(wordings, page, page.keys)


def find_early(wordings: tuple[Wording, ...], page: Page) -> Iterator[re.Match[str]]:
    """The same of `early` wordings."""
    return _find(wordings, page, page.early_keys)


def _find(wordings: tuple[Wording, ...], page: Page, keys: int) -> Iterator[re.Match[str]]:
    for one in wordings:
        if one.behind:  # a label with a certain sign behind it is rarer than most keys
            if one.behind.isdisjoint(page.behind):
                continue
        elif not one.bits & keys or (one.labelled and not page.letters):
            continue
        if one.english and not page.english:
            continue
        yield from _matches(one, page, keys)


def _matches(one: Wording, page: Page, keys: int) -> Iterator[re.Match[str]]:
    """The matches of a wording whose key a page holds."""
    text, pattern = page.text, one.pattern
    if one.behind:
        for sign, places in page.behind.items():
            if sign in one.behind:
                for at in places:
                    match = pattern.match(text, at)
                    if match:
                        yield match
    elif one.at_label:
        for at in page.letters:
            match = pattern.match(text, at)
            if match:
                yield match
    elif one.starts:
        yield from islice(_from_places(one, page, keys), MOST_FOUND)
    else:
        yield from islice(pattern.finditer(text), MOST_FOUND)


def _from_places(one: Wording, page: Page, keys: int) -> Iterator[re.Match[str]]:
    """The matches of a wording at the strings it may begin with, none of them inside another."""
    done = 0
    for at in _places(one.starts, page.text, keys):
        match = one.pattern.match(page.text, at) if at >= done else None
        if match:
            done = match.end()
            yield match


def _places(starts: tuple[tuple[int, str], ...], text: str, keys: int) -> list[int]:
    """Where a text holds one of these strings, in order."""
    places: list[int] = []
    for bit, key in starts:
        if bit & keys:
            at = text.find(key)
            for _ in range(_MOST_PLACES):
                if at < 0:
                    break
                places.append(at)
                at = text.find(key, at + 1)
    del places[_MOST_PLACES:]
    places.sort()
    return places
