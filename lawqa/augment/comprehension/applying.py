"""Provisions that apply others mutatis mutandis (準用): what they name, for what, and how they reword it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lawqa.augment.numerals import LARGE_NUMERAL
from lawqa.augment.provisions import Provision
from lawqa.augment.questions.excerpts import adjacent
from lawqa.statutes.numerals import to_int

_ARTICLE = rf"第{LARGE_NUMERAL}+条(?:の{LARGE_NUMERAL}+)*"
_NAMED = rf"(?:{_ARTICLE}|前条)(?:第{LARGE_NUMERAL}+項)?(?:から{_ARTICLE}まで)?|前項"
_APPLIES = re.compile(
    rf"^(?P<named>(?:{_NAMED})(?:(?:、|及び|並びに)(?:{_NAMED}))*)"
    r"の規定は、(?P<subject>[^。「」（）]{4,60}?)について準用する。(?P<rest>[^\n]*)$"
)
_EACH = re.compile(
    rf"(?:(?P<article>{_ARTICLE})|(?P<before>前条))(?:第(?P<paragraph>{LARGE_NUMERAL}+)項)?"
    rf"(?:から(?P<last>{_ARTICLE})まで)?|(?P<above>前項)"
)
_CHANGE = re.compile(r"「(?P<before>[^「」]+)」とあるのは、?「(?P<after>[^「」]+)」")
_CHANGES = re.compile(
    rf"^この場合において、(?:(?:同[条項]|前[条項]|{_ARTICLE})(?:第{LARGE_NUMERAL}+項)?中)?"
    r"(?:「[^「」]+」とあるのは、?「[^「」]+」と、?)+(?:それぞれ)?読み替えるものとする。$"
)
_SENTENCE = re.compile(r"[^。]*準用(?:する|される)[^。]*")
_SPAN = re.compile(
    rf"(?P<first>{_ARTICLE})(?:第{LARGE_NUMERAL}+項)?(?P<to>から(?P<last>{_ARTICLE}))?"
)


@dataclass(frozen=True)
class Application:
    """A provision that applies others to something."""

    provision: Provision
    """What says so."""
    applied: tuple[Provision, ...]
    """The provisions that it applies; one where it changes words."""
    subject: str
    """What it is applied to: 配分委員会の委員."""
    changes: tuple[tuple[str, str], ...]
    """Words that are read as others (読み替え), as (before, after)."""


@dataclass(frozen=True)
class ApplyingSentence:
    """A sentence that speaks of provisions as applied elsewhere, however it does."""

    text: str
    articles: frozenset[str]
    """The articles that it names, ranges included, as article files number them."""


def applications(provisions: Sequence[Provision]) -> Iterator[Application]:
    """Yield the provisions of a statute that apply others of it.

    Left out: what changes words of several provisions at once, or does not say the changes in full, and
    names that cannot be resolved, such as of items or of a missing article.

    Args:
        provisions: of one statute, in order; some may be missing.
    """
    articles: dict[str, list[Provision]] = {}
    for provision in provisions:
        articles.setdefault(provision.article.article or "", []).append(provision)
    numbers = list(articles)
    for place, number in enumerate(numbers):
        previous = articles[numbers[place - 1]] if place else []
        for provision in articles[number]:
            found = _APPLIES.match(provision.lead)
            if found is None or provision.items or provision.table:
                continue
            parts = [
                _named(each, provision, articles, previous)
                for each in _EACH.finditer(found["named"])
            ]
            named = [p for part in parts for p in part]
            changes = _changes(found["rest"])
            if not all(parts) or changes is None or (changes and len(named) > 1):
                continue
            yield Application(provision, tuple(named), found["subject"], changes)


def applying_sentences(provisions: Iterable[Provision]) -> tuple[ApplyingSentence, ...]:
    """Return all sentences of a statute that speak of 準用, with the articles that they name."""
    every = list(provisions)
    order = list(dict.fromkeys(p.article.article or "" for p in every))
    return tuple(
        ApplyingSentence(sentence[0], frozenset(_articles(sentence[0], provision, order)))
        for provision in every
        for sentence in _SENTENCE.finditer(provision.text)
    )


def article_number(name: str) -> str:
    """Write 第三条の三十八 as article files number it: 3_38."""
    return "_".join(str(to_int(part)) for part in re.findall(rf"{LARGE_NUMERAL}+", name))


def _named(
    found: re.Match[str],
    provision: Provision,
    articles: dict[str, list[Provision]],
    previous: Sequence[Provision],
) -> list[Provision]:
    """Return the paragraphs that one name stands for; none where that is unclear."""
    if found["above"]:
        own = articles[provision.article.article or ""]
        return [p for p in own if p.number == provision.number - 1]
    first = article_number(found["article"]) if found["article"] else ""
    if found["before"] and previous and adjacent(previous[0], provision):
        first = previous[0].article.article or ""
    named = articles.get(first, [])
    if found["last"]:
        last, order = article_number(found["last"]), list(articles)
        if found["paragraph"] or not named or last not in articles:
            return []
        between = order[order.index(first) : order.index(last) + 1]
        return [p for number in between for p in articles[number]]
    if found["paragraph"]:
        return [p for p in named if p.number == to_int(found["paragraph"])]
    return named


def _changes(rest: str) -> tuple[tuple[str, str], ...] | None:
    """Return the changes of words; None where something else follows."""
    if not rest:
        return ()
    if not _CHANGES.match(rest):
        return None
    return tuple((m["before"], m["after"]) for m in _CHANGE.finditer(rest))


def _articles(sentence: str, provision: Provision, order: Sequence[str]) -> Iterator[str]:
    own = provision.article.article or ""
    if re.search(r"前[条項]|前[二三四五六七八九]条|同条", sentence):
        place = order.index(own)
        yield from order[max(0, place - 9) : place + 1]
    for match in _SPAN.finditer(sentence):
        first = article_number(match["first"])
        yield first
        if match["to"] and first in order:
            last = article_number(match["last"])
            end = order.index(last) if last in order else len(order) - 1
            yield from order[order.index(first) : end + 1]
