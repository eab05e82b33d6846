"""What statutes are called: full titles, the usual abbreviations, and rules that make more of them.

A name that would mean two statutes means neither.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lawqa.statutes.abbreviations import ABBREVIATIONS
from lawqa.statutes.normalise import canonical, normalise

_TAIL = 4
_SUFFIXES = ("施行規則", "施行令", "施行法")
_LONG_ENDING = "に関する法律"
_FIRST_LAW_OF_NAME = re.compile(r".*?[0-9]号\((.+)\)")
_SHORT = 4
_WORD = re.compile(r"[一-龠々ァ-ヴーA-Za-z0-9]")


@dataclass(frozen=True)
class Mention:
    """A place in a text where a statute is named."""

    start: int
    """Where the name begins, counted in the normalised text."""
    end: int
    """Where it ends."""
    law: int
    """The statute's position in the list of titles."""


class LawNames:
    """All names of a set of statutes.

    Args:
        titles: the full titles, as e-Gov writes them; a position in this list identifies a statute.
        names: normalised name -> position, as `as_mapping` gave it; None to make them from the titles.
    """

    def __init__(self, titles: Sequence[str], names: Mapping[str, int] | None = None) -> None:
        self.titles = tuple(titles)
        self._names = dict(_all_names(titles) if names is None else names)
        lengths: dict[str, set[int]] = defaultdict(set)
        for name in self._names:
            lengths[name[-_TAIL:]].add(len(name))
        self._lengths = {tail: sorted(of_tail, reverse=True) for tail, of_tail in lengths.items()}
        self._short_tails = sorted({-len(tail) for tail in lengths if len(tail) < _TAIL})
        last_letters = "".join(sorted({name[-1] for name in self._names}))
        self._end = re.compile(f"[{re.escape(last_letters)}]" if last_letters else r"\Z.")
        self._parents: dict[int, int | None] = {}
        self._normalised: dict[int, str] = {}

    def as_mapping(self) -> dict[str, int]:
        """Return normalised name -> position in the titles; each statute's own title before its
        other names.
        """
        return dict(self._names)

    def law(self, name: str) -> int | None:
        """Return the statute of this name, whatever the spelling of its numerals; None where none has it."""
        return self._names.get(normalise(name))

    def derived(self, law: int, suffix: str) -> int | None:
        """Return the statute whose title is this one's and a suffix, such as 施行令; None where there is
        none.
        """
        return self._names.get(self._title(law) + suffix)

    def parent(self, law: int) -> int | None:
        """Return the statute whose title this one's begins with, as orders and rules are named after their
        act.
        """
        if law not in self._parents:
            title = self._title(law)
            heads = (title[:end] for end in range(len(title) - 1, 1, -1))
            parents = (self._names[head] for head in heads if head in self._names)
            self._parents[law] = next((other for other in parents if other != law), None)
        return self._parents[law]

    def mentions(self, normalised: str) -> Iterator[Mention]:
        """Yield the statutes named in a normalised text, left to right; of names that overlap the one begun
        first.

        A short name inside a longer word is none (商法 in 信託商法); neither is a name that continues as the
        name of another statute (薬機法 in 薬機法施行令 where only the former is known).
        """
        mentions = []
        for match in self._end.finditer(normalised):
            name = self._name_before(normalised, match.end())
            if name is not None:
                mentions.append(Mention(match.end() - len(name), match.end(), self._names[name]))
        end = 0
        for mention in sorted(mentions, key=lambda mention: (mention.start, -mention.end)):
            if mention.start >= end:
                yield mention
                end = mention.end

    def _title(self, law: int) -> str:
        """Return its title, normalised; not read off the names, which hold one of two statutes of the same
        title.
        """
        if law not in self._normalised:
            self._normalised[law] = normalise(self.titles[law])
        return self._normalised[law]

    def _name_before(self, text: str, end: int) -> str | None:
        """Return the longest name that ends here."""
        if text.startswith(_SUFFIXES, end):
            return None
        tails = [text[max(0, end - _TAIL) : end], *(text[end + n : end] for n in self._short_tails)]
        for length in (length for tail in tails for length in self._lengths.get(tail, ())):
            start = end - length
            if start < 0 or text[start:end] not in self._names:
                continue
            if length > _SHORT or start == 0 or not _WORD.match(text[start - 1]):
                return text[start:end]
        return None


def canonical_title(title: str) -> str:
    """Return the title by which a statute is compared where no list of statutes is at hand.

    金商法施行令 and 金融商品取引法施行令 have the same one: a known abbreviation is replaced by its full
    title, with a suffix or without. Of other titles, …に関する法律 is called …法, without の.

    Args:
        title: full title or abbreviation, in any width, without a law number.
    """
    whole = canonical(title)
    base, suffix = _without_suffix(whole)
    known = _names_of_the_table()
    for name, ending in ((whole, ""), (base, suffix)):
        law = known.law(name)
        if law is not None:
            return canonical(known.titles[law]) + ending
    return _shortened(base) + suffix


def law_names_of(title: str) -> Iterator[str]:
    """Yield what a statute can be called, normalised: its title first, then the rules, then the table.

    The rules: a statute named by its number, 昭和…号（…法律）, is called by what is in brackets;
    …に関する法律 is called …法, also without の, 等, and what follows 及び (資金決済法, 廃棄物処理法).
    """
    own = normalise(title)
    yield own
    numbered = _FIRST_LAW_OF_NAME.fullmatch(own)
    if numbered:
        own = numbered[1]
        yield own
    base, suffix = _without_suffix(own)
    for name in [*_by_rules(base), *_TABLE.get(base, ())]:
        yield name + suffix
    if suffix:
        yield from _TABLE.get(own, ())


def _without_suffix(title: str) -> tuple[str, str]:
    """Return a title and its 施行令, 施行規則 or 施行法; empty where it ends in none."""
    suffix = next((ending for ending in _SUFFIXES if title.endswith(ending)), "")
    return title.removesuffix(suffix), suffix


def _shortened(title: str) -> str:
    """Shorten …に関する法律 to …法, without の and 等; any other title is left as it is."""
    if not title.endswith(_LONG_ENDING):
        return title
    return title.removesuffix(_LONG_ENDING).replace("の", "").rstrip("等") + "法"


def _by_rules(base: str) -> Iterator[str]:
    if not base.endswith(_LONG_ENDING):
        return
    subject = base.removesuffix(_LONG_ENDING)
    for part in dict.fromkeys((subject, re.split("及び|並びに|、", subject)[0])):
        forms = (f"{part}法", f"{part.replace('の', '')}法", _shortened(part + _LONG_ENDING))
        for form in dict.fromkeys(forms):
            if len(form) > _SHORT:
                yield form


def _all_names(titles: Sequence[str]) -> dict[str, int]:
    """Return every name -> its statute: own titles win, a name made for two statutes is dropped."""
    names: dict[str, int] = {}
    for law, title in enumerate(titles):
        names.setdefault(normalise(title), law)
    made: dict[str, set[int]] = defaultdict(set)
    for law, title in enumerate(titles):
        for name in law_names_of(title):
            made[name].add(law)
    for name, laws in made.items():
        if len(laws) == 1:
            names.setdefault(name, min(laws))
    return names


@lru_cache(1)
def _names_of_the_table() -> LawNames:
    return LawNames(tuple(ABBREVIATIONS))


_TABLE = {
    normalise(title): tuple(map(normalise, names.split())) for title, names in ABBREVIATIONS.items()
}
