"""The sentences and items that questions are made of, each with what its 前項 and 前条 stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lawqa.augment.provisions import Provision, ProvisionItem, context_of, deleted, sentences
from lawqa.augment.questions.self_contained import (
    RELATIVE,
    announces_list,
    item_stands_alone,
    stands_alone,
    stands_unaided,
    stands_with_list,
)
from lawqa.statutes.numerals import to_int

MIN_LENGTH, MAX_LENGTH = 14, 220
"""Shorter texts say too little to be distinguished; longer ones are no longer read, but searched."""

MAX_WITH_LIST = 320
"""The most characters of a sentence together with the list that it announces."""


@dataclass(frozen=True)
class Referent:
    """What a relative reference stands for."""

    term: str
    """As written: 前項, 前二項, 前条."""
    name: str
    """Such as 第38条第1項."""
    provisions: tuple[Provision, ...]
    """What a reader must see to follow it."""


@dataclass(frozen=True)
class Excerpt:
    """A sentence of a paragraph, or an item, that can be understood with its name."""

    provision: Provision
    """The paragraph that holds it."""
    text: str
    """Word for word."""
    item: ProvisionItem | None = None
    """The item it is; None for a sentence of the lead."""
    references: tuple[Referent, ...] = ()
    """Its relative references, each once."""
    excepted: bool = False
    """Whether a proviso (ただし…) follows it."""
    below: tuple[str, ...] = ()
    """The list that it announces, a line an item; without it the sentence would say nothing."""

    @property
    def name(self) -> str:
        """What it is cited as within its statute, such as 第29条の4第1項第2号."""
        return self.provision.name + (self.item.name if self.item else "")

    def quote(self, text: str) -> str:
        """Return the text, which is its own or an altered one, followed by its list."""
        return "\u3000".join([text, *self.below])

    @property
    def note(self) -> str:
        """A sentence that says what the relative references stand for; empty without any."""
        if not self.references:
            return ""
        resolved = "、".join(f"「{ref.term}」は{ref.name}" for ref in self.references)
        return f"なお、文中の{resolved}をいいます。"

    @property
    def context(self) -> str:
        """Its paragraph, and those it refers to, in the data set's heading form."""
        others = [provision for ref in self.references for provision in ref.provisions]
        return context_of([self.provision, *others], self.item)


def excerpts(provisions: Sequence[Provision]) -> Iterator[Excerpt]:
    """Yield all sentences and items that a question can quote, in the order of the provisions.

    Args:
        provisions: all paragraphs of the statutes, in order: 前条 is found by its place.
    """
    before = _articles_before(provisions)
    for provision in provisions:
        previous, own = before[provision.article.id]
        paragraphs = {paragraph.number: paragraph for paragraph in own}
        found = sentences(provision.lead)
        # A paragraph may be a list alone: then there is no sentence, and none follows.
        for sentence, following in zip(found, (*found, "")[1:], strict=True):
            below = _list_of(sentence, provision) if sentence == found[-1] else ()
            if not MIN_LENGTH <= len(sentence) <= MAX_LENGTH:
                continue
            if not (stands_with_list(sentence) if below else stands_alone(sentence)):
                continue
            references = _resolve(sentence, provision, paragraphs, previous)
            if references is not None:
                excepted = following.startswith(("ただし", "但し"))
                yield Excerpt(provision, sentence, None, references, excepted, below)
        for item in provision.items:
            if _is_item_excerpt(item):
                yield Excerpt(provision, item.text, item)


def _is_item_excerpt(item: ProvisionItem) -> bool:
    return (
        MIN_LENGTH <= len(item.text) <= MAX_LENGTH
        and not item.below
        and not re.search(r"[ \u3000]", item.text)  # two columns: a case and what holds for it
        and not deleted(item.text)
        and stands_unaided(item.text)
        and item_stands_alone(item.text)
    )


def _list_of(sentence: str, provision: Provision) -> tuple[str, ...]:
    """Return the items that a sentence announces, as lines; empty if it announces none, or too much."""
    lines = tuple(
        line
        for item in provision.items
        for line in (f"{item.name.removeprefix('第')} {item.text}", *item.below)
    )
    fits = len(sentence) + sum(map(len, lines)) <= MAX_WITH_LIST
    if not (lines and fits and announces_list(sentence)):
        return ()
    return lines if all(map(_is_list_line, lines)) else ()


def _is_list_line(line: str) -> bool:
    """Return whether a line of a list refers to nothing but other lines of the list."""
    return not any(match["unit"] != "号" for match in RELATIVE.finditer(line)) and (
        stands_with_list(f"{line}。")
    )


def _articles_before(
    provisions: Sequence[Provision],
) -> dict[str, tuple[tuple[Provision, ...], tuple[Provision, ...]]]:
    """Return for each article, the paragraphs of the article before it in the same statute, and its own."""
    grouped: dict[str, list[Provision]] = {}
    for provision in provisions:
        grouped.setdefault(provision.article.id, []).append(provision)
    found = {}
    previous: tuple[Provision, ...] = ()
    for key, own in grouped.items():
        preceding = previous if previous and adjacent(previous[0], own[0]) else ()
        found[key] = (preceding, tuple(own))
        previous = tuple(own)
    return found


def adjacent(earlier: Provision, later: Provision) -> bool:
    """Return whether no article number lies between; a repealed article in between would be the one meant."""
    if earlier.law != later.law:
        return False
    first = [int(part) for part in (earlier.article.article or "0").split("_")]
    second = [int(part) for part in (later.article.article or "0").split("_")]
    if len(second) == 1:
        return first[0] == second[0] - 1
    if second[-1] == 2:  # 第二条の二 follows 第二条
        return first == second[:-1]
    before = [*second[:-1], second[-1] - 1]
    return first[: len(before)] == before


def _resolve(
    text: str,
    provision: Provision,
    paragraphs: dict[int, Provision],
    previous: tuple[Provision, ...],
) -> tuple[Referent, ...] | None:
    """Return the relative references of a sentence; None where one is unclear."""
    found: dict[str, Referent] = {}
    for match in RELATIVE.finditer(text):
        count = match["count"]
        if match["way"] == "前" and match["unit"] == "項" and count != "各":
            several = to_int(count) if count else 1
            wanted = range(provision.number - (several or 0), provision.number)
            if several is None or any(number not in paragraphs for number in wanted):
                return None
            named = tuple(paragraphs[number] for number in wanted)
            name = "及び".join(p.name for p in named)
        elif match[0] == "前条" and previous:
            named, name = previous[:1], previous[0].article_name
        else:
            return None
        found.setdefault(match[0], Referent(match[0], name, named))
    return tuple(found.values())
