"""Ways of wording something, found quickly: a text that lacks the key words is not searched at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from lawqa.answers.text.keys import register
from lawqa.answers.text.page import Page

_A_LABEL = "[a-d"
"""How the class of label signs in a pattern begins."""

_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]")

MOST_FOUND = 500
"""At most this number of places per wording are looked at; a loop has more, and they say the same."""

_MOST_PLACES = 2000
"""At most this number of strings that a wording may begin with are tried."""


class AnswerWording(NamedTuple):
    """One way to word something.

    Args:
        keys: a text that holds none of these strings cannot match.
        pattern: begins with literal letters, so that the search steps quickly over everything else.
        english: it cannot match where no two Latin letters are together.
        labelled: it cannot match where no label is alone.
        at_label: it begins with a label, so that it is only tried where one is.
        behind: signs one of which follows the label that it begins with, brackets left out; empty: any may.
        starts: what every match begins with, so that it is tried only where one of them is; empty: unknown.
    """

    keys: frozenset[str]
    pattern: re.Pattern[str]
    english: bool
    labelled: bool
    at_label: bool
    behind: frozenset[str] = frozenset()
    starts: frozenset[str] = frozenset()


def wording(keys: str, *pattern: str, behind: str = "") -> AnswerWording:
    """Return a wording from its keys, parted by `|`, and the parts of its pattern.

    Args:
        keys: strings one of which is in every match.
        pattern: parts of the pattern.
        behind: what one of follows the label that the pattern begins with, brackets left out.
    """
    whole = "".join(pattern)
    at_label = whole.removeprefix("(?P<label>").startswith(_A_LABEL) and not _has_branches(whole)
    each = frozenset(keys.split("|"))
    labelled = _A_LABEL in whole
    return AnswerWording(
        each, re.compile(whole), keys.isascii(), labelled, at_label, frozenset(behind)
    )


def opening(starts: str, *pattern: str, keys: str = "") -> AnswerWording:
    """Return a wording every match of which begins with one of these strings, which is only tried where one
    is.

    Args:
        starts: the strings, parted by `|`.
        pattern: parts of the pattern.
        keys: rarer strings one of which is in every match; empty: none is known.
    """
    one = wording(keys or starts, *pattern)
    return one._replace(at_label=False, starts=frozenset(starts.split("|")))


def _has_branches(pattern: str) -> bool:
    """Return whether a pattern is an alternation: a | of its own level, outside of groups and classes."""
    depth = 0
    for part in _PARTS.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(part[0], 0)
        if part[0] == "|" and depth == 0:
            return True
    return False


def word(*words: str) -> str:
    """Return a pattern for any of these English words where it does not continue another word.

    It begins with the word's letter and then looks back, which lets the search skip ahead to it.
    """
    return "|".join(rf"{one[0]}(?<![a-z]{one[0]}){one[1:]}" for one in words)


class Family(tuple[AnswerWording, ...]):
    """Wordings that say the same, looked for together: where none of them can match, none is looked at.

    Attributes:
        keys: those of the wordings for which no sign behind a label is known.
        behind: the signs behind a label of the others.
        early: their keys are looked for in every text, also where no rule is asked.
    """

    keys: frozenset[str]
    behind: frozenset[str]
    early: bool


def family(*wordings: AnswerWording, early: bool = False) -> Family:
    """Return a family of these wordings.

    Args:
        wordings: in the order in which their matches are given.
        early: look for their keys in every text, also where no rule is asked.
    """
    for one in wordings:
        if not one.behind:  # a label with a certain sign behind it is rarer than most keys
            register(one.keys | one.starts, english=one.english, early=early)
    whole = Family(wordings)
    whole.keys = frozenset().union(*(one.keys for one in wordings if not one.behind))
    whole.behind = frozenset().union(*(one.behind for one in wordings))
    whole.early = early
    return whole


def may_match(wordings: Family, page: Page) -> bool:
    """Return whether the text holds a key of the family, or one of its signs behind a label."""
    return not wordings.keys.isdisjoint(page.keys) or not wordings.behind.isdisjoint(page.behind)


def find_each(wordings: Family, page: Page) -> list[re.Match[str]]:
    """Return every place that one of the wordings matches, wording by wording."""
    held = page.early_keys if wordings.early else page.keys
    by_keys = not wordings.keys.isdisjoint(held)
    if not by_keys and (not wordings.behind or wordings.behind.isdisjoint(page.behind)):
        return []
    matches: list[re.Match[str]] = []
    for one in wordings:
        if one.behind:
            if not one.behind.isdisjoint(page.behind) and (page.english or not one.english):
                matches += _at_labels(one, page)
        elif (
            by_keys
            and not one.keys.isdisjoint(held)
            and (page.english or not one.english)
            and (page.letters or not one.labelled)
        ):
            if one.at_label:
                match = one.pattern.match
                matches += [hit for at in page.letters if (hit := match(page.text, at))]
            elif one.starts:
                matches += _at_places(one.pattern, page.text, one.starts & held)
            else:
                matches += islice(one.pattern.finditer(page.text), MOST_FOUND)
    return matches


def _at_labels(one: AnswerWording, page: Page) -> list[re.Match[str]]:
    """Return the matches of a wording at the labels with one of its signs behind them."""
    match, text, behind = one.pattern.match, page.text, page.behind
    return [
        hit
        for sign, places in behind.items()
        if sign in one.behind
        for at in places
        if (hit := match(text, at))
    ]


def _at_places(pattern: re.Pattern[str], text: str, starts: Iterable[str]) -> list[re.Match[str]]:
    """Return the matches of a pattern where one of these strings is, none of them inside another."""
    matches: list[re.Match[str]] = []
    done = 0
    for at in _places(starts, text):
        if at >= done and (match := pattern.match(text, at)):
            done = match.end()
            matches.append(match)
    return matches[:MOST_FOUND]


def _places(starts: Iterable[str], text: str) -> list[int]:
    """Return where a text holds one of these strings, in order."""
    places: list[int] = []
    find = text.find
    for start in starts:
        at = find(start)
        for _ in range(_MOST_PLACES):
            if at < 0:
                break
            places.append(at)
            at = find(start, at + 1)
    if len(places) > 1:
        places.sort()
    return places[:_MOST_PLACES]
