"""The text of a context: which lines of which paragraphs are shown, their headings, and … for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.retrieval.hits import Hit
from lawqa.statutes.locations import article_heading, location

OMISSION = "…"
"""What marks text that is left out."""


@dataclass(frozen=True)
class QuotedArticle:
    """An article that a context quotes."""

    id: str
    """The article's id."""
    law_title: str
    article: str | None
    """Its number, such as 27_13; None where it has none."""
    score: float
    """What it was ranked by."""
    complete: bool
    """Whether all of its text is in the context."""
    rank: int = 0
    """Its rank in the search, from 1."""
    law_id: str = ""
    """e-Gov's id of its law."""
    revision: str = ""
    """The revision of its law that is shown, date first; empty where unknown."""
    passages: tuple[str, ...] = ()
    """What of it is shown: 第24条の5第2項 for a whole paragraph, 第24条の5第2項第3号 for an item of one."""


class ShownLines:
    """Which lines of which paragraphs of the hits are shown.

    Args:
        hits: best first.
        whole: whether to show everything; else nothing is shown yet.
    """

    def __init__(self, hits: Sequence[Hit], *, whole: bool = False) -> None:
        self.hits = hits
        self.lines = [[p.text.split("\n") for p in hit.article.paragraphs] for hit in hits]
        self.cut: dict[tuple[int, int], str] = {}  # what the only line shown of one is shortened to
        self.shown: dict[tuple[int, int], set[int]] = {}
        self._captions = {n for n, hit in enumerate(hits) if whole and not hit.article.paragraphs}
        if whole:
            for n, paragraphs in enumerate(self.lines):
                self.shown |= {(n, i): set(range(len(p))) for i, p in enumerate(paragraphs)}

    def text(self) -> str:
        """Return the pages as they go into the prompt."""
        out: list[str] = []
        law = None
        for n, hit in enumerate(self.hits):
            if not self.is_open(n):
                continue
            if hit.article.law_title != law:
                law = hit.article.law_title
                out.append(f"## {law}")
            out.append(article_heading(hit.article))
            out += self._article(n)
        return "\n".join(out)

    def sources(self) -> tuple[QuotedArticle, ...]:
        """Return the articles shown, best first."""
        return tuple(
            QuotedArticle(
                hit.article.id, hit.article.law_title, hit.article.article, hit.score,
                self._is_whole(n), hit.rank, hit.article.law_id, hit.article.revision,
                tuple(self._passages(n)),
            )
            for n, hit in enumerate(self.hits)
            if self.is_open(n)
        )  # fmt: skip

    def is_open(self, n: int) -> bool:
        """Return whether anything of a hit is shown."""
        return n in self._captions or any((n, i) in self.shown for i in range(len(self.lines[n])))

    def _is_whole(self, n: int) -> bool:
        return all(
            len(self.shown.get((n, i), ())) == len(lines) and (n, i) not in self.cut
            for i, lines in enumerate(self.lines[n])
        )

    def _article(self, n: int) -> list[str]:
        out: list[str] = []
        paragraphs = self.hits[n].article.paragraphs
        for i, lines in enumerate(self.lines[n]):
            shown = self.shown.get((n, i))
            if shown is None:
                if not out or out[-1] != OMISSION:
                    out.append(OMISSION)
                continue
            if len(paragraphs) > 1 and paragraphs[i].num is not None:
                out.append(f"#### 第{paragraphs[i].num}項")
            if (n, i) in self.cut:
                out.append(self.cut[n, i])
                continue
            out += with_omissions(lines, shown)
        return out

    def _passages(self, n: int) -> list[str]:
        passages: list[str] = []
        article = self.hits[n].article
        for i, lines in enumerate(self.lines[n]):
            shown = self.shown.get((n, i))
            if shown is not None and len(shown) == len(lines):
                passages.append(location(article, i))
            elif shown is not None:
                passages += [location(article, i, lines, line) for line in sorted(shown)]
        return list(dict.fromkeys(passages))


def with_omissions(lines: Sequence[str], kept: set[int]) -> list[str]:
    """Return the kept lines, and … for each run of others."""
    shown: list[str] = []
    for i, line in enumerate(lines):
        if i in kept:
            shown.append(line)
        elif not shown or shown[-1] != OMISSION:
            shown.append(OMISSION)
    return shown
