"""Whether an article is the law of a day: its revision's date in force against the day asked about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

Validity = Literal["in force", "later", "unknown"]
"""in force: since that day or before; later: only since after it; unknown: no revision is stored."""

_DATE = re.compile(r"([0-9]{8})(?:_|$)")
_NAMED = 5


class Dated(Protocol):
    """What has a law and a revision: an article, or a source of a context."""

    @property
    def law_title(self) -> str:
        """Its law."""

    @property
    def revision(self) -> str:
        """Date in force and amending law, `20250601_504AC0000000068`; empty where unknown."""


@dataclass(frozen=True)
class Revisions:
    """The revisions of the articles of an index."""

    first: str
    """The earliest date in force, YYYYMMDD; empty where none is known."""
    last: str
    """The latest."""
    without: int
    """How many articles have no revision."""


def in_force_from(revision: str) -> str:
    """Return the date in force that a revision begins with, YYYYMMDD; empty where it begins with none."""
    match = _DATE.match(revision)
    return match[1] if match else ""


def validity(revision: str, day: date) -> Validity:
    """Return whether a revision is in force on a day. That a later one has replaced it, nobody can see from
    it.
    """
    begins = in_force_from(revision)
    if not begins:
        return "unknown"
    return "later" if begins > day.strftime("%Y%m%d").zfill(8) else "in force"


class RevisionCount:
    """Counts revisions while articles stream by."""

    def __init__(self) -> None:
        self._dates: set[str] = set()
        self._without = 0

    def add(self, revision: str) -> None:
        """Take one article's revision."""
        begins = in_force_from(revision)
        if begins:
            self._dates.add(begins)
        else:
            self._without += 1

    def counted(self) -> Revisions:
        """Return what was taken so far."""
        return Revisions(min(self._dates, default=""), max(self._dates, default=""), self._without)


def not_known_in_force(shown: Iterable[Dated], day: date) -> list[str]:
    """Return a sentence for articles of a later revision, and one for those of none."""
    by_verdict: dict[Validity, list[Dated]] = {"later": [], "unknown": []}
    for one in shown:
        verdict = validity(one.revision, day)
        if verdict != "in force":
            by_verdict[verdict].append(one)
    said = []
    if by_verdict["later"]:
        named = dict.fromkeys(
            f"{one.law_title} ({in_force_from(one.revision)})" for one in by_verdict["later"]
        )
        said.append(
            f"{_articles(by_verdict['later'])} of a revision that came into force after {day}: "
            f"{_listed(list(named))}"
        )
    if by_verdict["unknown"]:
        named = dict.fromkeys(one.law_title for one in by_verdict["unknown"])
        said.append(
            f"{_articles(by_verdict['unknown'])} without a revision, so whether this is the law of {day} is "
            f"unknown: {_listed(list(named))}"
        )
    return said


def _articles(shown: Sequence[Dated]) -> str:
    return f"{len(shown)} shown article{'s are' if len(shown) > 1 else ' is'}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more laws" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
