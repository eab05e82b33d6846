"""One title for a statute, whichever of its names a context uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lawqa.statutes.abbreviations import ABBREVIATIONS
from lawqa.statutes.folding import canonical

_SUFFIXES = ("施行規則", "施行令", "施行法")
_LONG_ENDING = "に関する法律"


def canonical_title(title: str) -> str:
    """The title by which a statute is compared: 金商法施行令 and 金融商品取引法施行令 have the same one.

    A known abbreviation stands for its full title. Of titles that the table does not hold, …に関する法律
    is called …法, without の.

    Args:
        title: full title or abbreviation, in any width, without a law number.
    """
    whole = canonical(title)
    base, suffix = whole, ""
    for ending in _SUFFIXES:
        if whole.endswith(ending):
            base, suffix = whole.removesuffix(ending), ending
    if whole in _FULL:
        return _FULL[whole]
    if base not in _FULL and base.endswith(_LONG_ENDING):
        return _shortened(base) + suffix
    return _FULL.get(base, base) + suffix


def _shortened(title: str) -> str:
    return title.removesuffix(_LONG_ENDING).replace("の", "").rstrip("等") + "法"


def _names(title: str, abbreviations: str) -> Iterator[str]:
    yield title
    yield from map(canonical, abbreviations.split())
    if title.endswith(_LONG_ENDING):
        yield _shortened(title)


def _full_titles() -> dict[str, str]:
    """Every name in the table -> its full title; a name of two statutes stands for neither."""
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for written, abbreviations in ABBREVIATIONS.items():
        title = canonical(written)
        for name in _names(title, abbreviations):
            titles[name].add(title)
    return {name: min(found) for name, found in titles.items() if len(found) == 1}


_FULL = _full_titles()
