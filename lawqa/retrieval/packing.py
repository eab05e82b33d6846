"""What of the found articles is shown within a limit: the best paragraphs, of huge ones a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from lawqa.retrieval.hits import Hit
from lawqa.retrieval.pages import OMISSION, ShownLines
from lawqa.retrieval.passages import lines_by_relevance, paragraph_scores, parents
from lawqa.statutes.locations import article_heading

Count = Callable[[str], int]
"""How long a text is: `len` for characters, a tokenizer's count for tokens."""

_HUGE, _HUGE_SHARE = 0.6, 0.5
"""A paragraph over 0.6 of the limit first gets half of it. Tuned on the dev half."""
_REFILLS = 3
"""How often the room that an overestimated length leaves is used."""
_LEAST_CUT = 60
"""Where this much is left and no line fits, the beginning of one is shown."""
_LEAST_ROOM = 24
"""Less than this is not worth filling: it holds no more than headings."""


class Packer:
    """Chooses what to show within a limit.

    Args:
        hits: best first, each article once.
        limit: the greatest length of the text, headings included, in the unit of `count`.
        count: how long a text is.
    """

    def __init__(self, hits: Sequence[Hit], limit: int, count: Count) -> None:
        self._pages = ShownLines(hits)
        self._limit, self._count = limit, count
        self._used = 0
        self._omission = count(OMISSION + "\n")
        self._costs: dict[tuple[int, int], list[int]] = {}
        self._whole_costs: dict[tuple[int, int], int] = {}
        self._open: Counter[int] = Counter()  # hit -> how many of its paragraphs are shown
        self._heading_costs: dict[tuple[int, int], int] = {}
        self._opening_costs: dict[int, int] = {}
        self._relevance: dict[tuple[int, int], tuple[list[int], list[tuple[int, ...]]]] = {}
        self._taken: list[tuple[tuple[int, int], set[int]]] = []  # in order, to be undone
        scores = paragraph_scores(hits)
        self._order = sorted(
            ((n, i) for n, own in enumerate(scores) for i in range(len(own))),
            key=lambda key: (-scores[key[0]][key[1]], key),
        )

    def packed(self) -> ShownLines:
        """Return the pages filled as far as the limit allows; no line where not even the beginning of one
        fits.
        """
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
                whole = self._whole_cost(key)
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
        if not shown and self._whole_cost(key) > room and len(lines) == 1:
            return
        rest = set(range(len(lines))) - shown
        if self._cost_of(key, rest) <= room:
            chosen = rest
        elif len(lines) == 1:
            return
        else:
            chosen = self._best_lines(key, room, shown)
        if chosen:
            self._used += self._cost_of(key, chosen)
            self._open[key[0]] += not shown
            self._pages.shown[key] = shown | chosen
            self._taken.append((key, chosen))

    def _best_lines(self, key: tuple[int, int], room: int, shown: set[int]) -> set[int]:
        lines = self._lines(key)
        costs = self._line_costs(key)
        room -= 2 * self._omission + self._cost_of(key, ())
        chosen: set[int] = set()
        if 0 not in shown:
            chosen.add(0)
            room -= costs[0]
        if room < 0:
            return set()
        if key not in self._relevance:
            order = lines_by_relevance(lines, self._pages.hits[key[0]])
            self._relevance[key] = order, parents(lines)
        order, above = self._relevance[key]
        for i in order:
            more = {*above[i], i} - shown - chosen
            cost = sum(costs[line] for line in more)
            if more and cost <= room:
                chosen |= more
                room -= cost
        return chosen

    def _undo(self) -> None:
        key, chosen = self._taken.pop()
        self._pages.shown[key] -= chosen
        if not self._pages.shown[key]:
            del self._pages.shown[key]
            self._open[key[0]] -= 1

    def _beginning(self) -> None:
        """Take the beginning, as long as fits, of the best paragraph of which not even a line does."""
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
        """Return what showing more lines of a paragraph takes, headings it opens included;
        rather too much.
        """
        costs = self._line_costs(key)
        cost = sum(costs[line] for line in chosen)
        return cost if key in self._pages.shown else cost + self._headings_cost(key)

    def _whole_cost(self, key: tuple[int, int]) -> int:
        """Return what showing all of a paragraph takes of which nothing is shown."""
        if key not in self._whole_costs:
            self._whole_costs[key] = sum(self._line_costs(key))
        return self._whole_costs[key] + self._headings_cost(key)

    def _headings_cost(self, key: tuple[int, int]) -> int:
        """Return the cost of the headings that a paragraph opens."""
        n = key[0]
        cost = self._heading_cost(key) if len(self._pages.lines[n]) > 1 else 0
        return cost if self._open[n] else cost + self._opening_cost(n)

    def _line_costs(self, key: tuple[int, int]) -> list[int]:
        if key not in self._costs:
            self._costs[key] = [self._count(line + "\n") for line in self._lines(key)]
        return self._costs[key]

    def _heading_cost(self, key: tuple[int, int]) -> int:
        """Return the cost of the heading of a paragraph and the mark of what is left out before it."""
        if key not in self._heading_costs:
            number = self._pages.hits[key[0]].article.paragraphs[key[1]].num
            self._heading_costs[key] = self._count(f"#### 第{number}項\n") + self._omission
        return self._heading_costs[key]

    def _opening_cost(self, n: int) -> int:
        """Return the cost of the title and the heading of an article, and the mark of what is left out after
        it.
        """
        if n not in self._opening_costs:
            article = self._pages.hits[n].article
            headings = (f"## {article.law_title}\n", f"{article_heading(article)}\n")
            self._opening_costs[n] = sum(map(self._count, headings)) + self._omission
        return self._opening_costs[n]
