"""Retrieved articles as a context for a prompt, set as the data set's own contexts are.

    ## 金融商品取引法
    ### 第27条の13
    #### 第1項
    公開買付者は、…

Best article first, each once, within a limit. What does not fit as a whole is chosen passage by passage
over all articles (`passages`): the best paragraphs, wherever they are, each whole; of one that would take
most of the limit its lead and best items. … marks every place where text was left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from lawqa.errors import ConfigError
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.passages import lines_by_relevance, paragraph_scores, parents
from lawqa.statutes.locations import article_heading, location

Count = Callable[[str], int]
"""How long a text is: `len` for characters, a tokenizer's count for tokens."""

OMISSION = "…"
"""What marks text that did not fit."""

CONTEXT_MAKER = "passages-1"
"""The name of this way to make contexts. Runs without a name shared the limit among the articles."""

_HUGE, _HUGE_SHARE = 0.6, 0.3
"""A paragraph over 0.6 of the limit first gets 0.3 of it. Tuned on the dev half."""
_REFILLS = 3
"""How often the room that an overestimated length leaves is used."""
_LEAST_CUT = 60
"""Where this much is left and no line fits, the beginning of one is shown."""
_LONGEST_TOKEN = 16
"""A text of more characters than this for each token of the limit is not counted: it does not fit."""
_LEAST_ROOM = 24
"""Less than this is not worth filling: it holds no more than headings."""


@dataclass(frozen=True)
class Source:
    """An article that a context quotes."""

    id: str
    """The article's id."""
    law_title: str
    """Its law."""
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


@dataclass(frozen=True)
class Context:
    """A context and where it comes from."""

    text: str
    """What goes into the prompt; empty where nothing fits."""
    sources: tuple[Source, ...]
    """The quoted articles, best first."""
    size: int
    """The length of the text, in the units of the limit."""


def build_context(
    hits: Sequence[Hit],
    *,
    limit: int | None = None,
    count: Count = len,
    top_k: int | None = None,
) -> Context:
    """Set found articles as a context.

    Args:
        hits: found articles, best first.
        limit: the greatest length of the context, headings included; None for no limit.
        count: what the length is measured by: characters by default, or the function of a tokenizer.
        top_k: how many of them are shown whole where that fits; the others only give passages to a context
            that has room left, or better ones than theirs. None for all.

    Raises:
        ConfigError: the limit is below 1.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"the context limit is {limit}, expected 1 or more")
    found: dict[str, Hit] = {}
    for hit in hits:
        found.setdefault(hit.article.id, hit)
    once = list(found.values())
    if limit is None or len(once[:top_k]) == len(once):
        first = _Pages(once[:top_k], whole=True)
        text = first.text()
        fits = limit is None or len(text) <= _LONGEST_TOKEN * limit
        if fits and ((size := count(text)) <= (limit or size)):
            return Context(text, first.sources(), size)
    assert limit is not None  # noqa: S101 - without one all fits
    pages = _Packer(once, limit, count).packed()
    text = pages.text()
    return Context(text, pages.sources(), count(text))


class _Pages:
    """Which lines of which paragraphs of the hits are shown."""

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
        """The pages as they go into the prompt."""
        out: list[str] = []
        law = None
        for n, hit in enumerate(self.hits):
            if not self._is_open(n):
                continue
            if hit.article.law_title != law:
                law = hit.article.law_title
                out.append(f"## {law}")
            out.append(article_heading(hit.article))
            out += self._article(n)
        return "\n".join(out)

    def sources(self) -> tuple[Source, ...]:
        """The articles shown, best first."""
        return tuple(
            Source(
                hit.article.id, hit.article.law_title, hit.article.article, hit.score,
                self._is_whole(n), hit.rank, hit.article.law_id, hit.article.revision,
                tuple(self._passages(n)),
            )
            for n, hit in enumerate(self.hits)
            if self._is_open(n)
        )  # fmt: skip

    def _is_open(self, n: int) -> bool:
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
        found: list[str] = []
        article = self.hits[n].article
        for i, lines in enumerate(self.lines[n]):
            shown = self.shown.get((n, i))
            if shown is not None and len(shown) == len(lines):
                found.append(location(article, i))
            elif shown is not None:
                found += [location(article, i, lines, line) for line in sorted(shown)]
        return list(dict.fromkeys(found))


class _Packer:
    """Chooses what to show within a limit."""

    def __init__(self, hits: Sequence[Hit], limit: int, count: Count) -> None:
        self._pages = _Pages(hits)
        self._limit, self._count = limit, count
        self._used = 0
        self._costs: dict[str, int] = {}
        self._relevance: dict[tuple[int, int], tuple[list[int], list[tuple[int, ...]]]] = {}
        self._taken: list[tuple[tuple[int, int], set[int]]] = []  # in order, to be undone
        scores = paragraph_scores(hits)
        self._order = sorted(
            ((n, i) for n, own in enumerate(scores) for i in range(len(own))),
            key=lambda key: (-scores[key[0]][key[1]], key),
        )

    def packed(self) -> _Pages:
        pages = self._pages
        for _ in range(_REFILLS):
            before = len(self._taken)
            self._fill()
            while self._taken and self._size() > self._limit:
                self._undo()
            self._used = self._size()
            if len(self._taken) <= before or self._limit - self._used < _LEAST_ROOM:
                break
        if not pages.shown or self._limit - self._used >= _LEAST_CUT:
            self._beginning()
        return pages

    def _size(self) -> int:
        return self._count(self._pages.text())

    def _fill(self) -> None:
        for key in self._order:  # first the best paragraphs, of huge ones a part
            if self._limit - self._used < _LEAST_ROOM:
                return
            if key not in self._pages.shown:
                whole = self._cost_of(key, range(len(self._lines(key))))
                huge = whole > _HUGE * self._limit
                room = self._limit - self._used
                self._take(key, min(room, int(_HUGE_SHARE * self._limit)) if huge else room)
        for key in self._order:  # then more of those of which only a part fitted
            if self._limit - self._used < _LEAST_ROOM:
                return
            if len(self._pages.shown.get(key, ())) < len(self._lines(key)):
                self._take(key, self._limit - self._used)

    def _take(self, key: tuple[int, int], room: int) -> None:
        """Show a paragraph: whole if that fits, else its lead and its best items; or more of it."""
        lines = self._lines(key)
        shown = self._pages.shown.get(key, set())
        rest = set(range(len(lines))) - shown
        if self._cost_of(key, rest) <= room:
            chosen = rest
        elif len(lines) == 1:
            return
        else:
            chosen = self._best_lines(key, room, shown)
        if chosen:
            self._used += self._cost_of(key, chosen)
            self._pages.shown[key] = shown | chosen
            self._taken.append((key, chosen))

    def _best_lines(self, key: tuple[int, int], room: int, shown: set[int]) -> set[int]:
        lines = self._lines(key)
        room -= 2 * self._cost(OMISSION) + self._cost_of(key, ())
        chosen: set[int] = set()
        if 0 not in shown:
            chosen.add(0)
            room -= self._cost(lines[0])
        if room < 0:
            return set()
        if key not in self._relevance:
            order = lines_by_relevance(lines, self._pages.hits[key[0]])
            self._relevance[key] = order, parents(lines)
        order, above = self._relevance[key]
        for i in order:
            more = {*above[i], i} - shown - chosen
            cost = sum(self._cost(lines[line]) for line in more)
            if more and cost <= room:
                chosen |= more
                room -= cost
        return chosen

    def _undo(self) -> None:
        key, chosen = self._taken.pop()
        self._pages.shown[key] -= chosen
        if not self._pages.shown[key]:
            del self._pages.shown[key]

    def _beginning(self) -> None:
        """The beginning, as long as fits, of the best paragraph of which not even a line does."""
        pages = self._pages
        key = next((key for key in self._order if key not in pages.shown), None)
        if key is None:
            return
        line = self._lines(key)[0]
        pages.shown[key] = {0}
        low, high = 0, len(line)
        while low < high:
            middle = (low + high + 1) // 2
            pages.cut[key] = line[:middle] + OMISSION
            low, high = (middle, high) if self._size() <= self._limit else (low, middle - 1)
        pages.cut[key] = line[:low] + OMISSION
        if not low:
            del pages.cut[key], pages.shown[key]

    def _lines(self, key: tuple[int, int]) -> list[str]:
        return self._pages.lines[key[0]][key[1]]

    def _cost_of(self, key: tuple[int, int], chosen: Collection[int]) -> int:
        """What showing more lines of a paragraph takes, headings it opens included; rather too much."""
        n, i = key
        article = self._pages.hits[n].article
        cost = sum(self._cost(self._lines(key)[line]) for line in chosen)
        if key not in self._pages.shown:
            if len(article.paragraphs) > 1:
                cost += self._cost(f"#### 第{article.paragraphs[i].num}項") + self._cost(OMISSION)
            if not any((n, other) in self._pages.shown for other in range(len(article.paragraphs))):
                cost += self._cost(f"## {article.law_title}")
                cost += self._cost(article_heading(article)) + self._cost(OMISSION)
        return cost

    def _cost(self, line: str) -> int:
        if line not in self._costs:
            self._costs[line] = self._count(line + "\n")
        return self._costs[line]


def with_omissions(lines: Sequence[str], kept: set[int]) -> list[str]:
    """The kept lines, and … for each run of others."""
    shown: list[str] = []
    for i, line in enumerate(lines):
        if i in kept:
            shown.append(line)
        elif not shown or shown[-1] != OMISSION:
            shown.append(OMISSION)
    return shown
