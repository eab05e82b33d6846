"""Who runs and who waits for pages: sequences join early, and the last to join makes room.

A sequence joins as soon as its own tokens fit, not when its longest possible completion would: most end
long before their limit, and to compute the keys and values of known tokens again is some ten times
cheaper than the steps that an idle page costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lawqa.backends.hf.engine_cache import PagedCache
from lawqa.backends.hf.engine_sequence import Running


class SequenceQueue:
    """Running and waiting sequences, and their pages.

    Args:
        cache: where pages come from.
        sequences: all that are to be written.
        rows: the most that run at once.
        steps: steps between two calls, for which pages must be there.
    """

    def __init__(
        self, cache: PagedCache, sequences: Sequence[Running], *, rows: int, steps: int
    ) -> None:
        self._cache = cache
        self._rows = rows
        self._steps = steps
        # The next to join stands last: long prompts first, so that what does not fit is met early.
        self._waiting = sorted(sequences, key=lambda sequence: sequence.length)
        self.running: list[Running] = []
        self.preempted = 0

    def __bool__(self) -> bool:
        """Whether there is something left to write."""
        return bool(self._waiting or self.running)

    def admit(self, prefill_tokens: int) -> list[Running]:
        """Those that join now, pages in hand: as many as pages, rows and one prefill hold.

        While many run they are not let in one by one, for each prefill holds up all others.

        Args:
            prefill_tokens: the most tokens of one prefill; a longer sequence joins alone.
        """
        free_rows = self._rows - len(self.running)
        if not self._waiting or free_rows < min(len(self._waiting), max(1, self._rows // 16)):
            return []
        joined: list[Running] = []
        tokens = 0
        while self._waiting and len(joined) < free_rows:
            length, reach = self._waiting[-1].length, self._waiting[-1].reach(self._steps)
            if joined and tokens + length > prefill_tokens:
                break
            to_grow = len(self.running) + len(joined)  # a page for each that runs
            if self._cache.free < self._cache.pages_for(reach) + to_grow:
                break
            pages = self._cache.take(reach)
            if pages is None:
                break
            sequence = self._waiting.pop()
            sequence.pages = pages
            joined.append(sequence)
            tokens += length
        return joined

    def put_back(self, joined: Sequence[Running]) -> None:
        """Let sequences wait after all, in their order, before all others."""
        for sequence in reversed(joined):
            self.release(sequence)
            self._waiting.append(sequence)

    def give_up(self) -> Running:
        """The next in line, which does not fit although nothing runs."""
        return self._waiting.pop()

    def make_room(self) -> Iterator[Running]:
        """Give every running sequence the pages of the next steps; those that joined last make room.

        Yields:
            Sequences that fill the cache alone: they cannot go on.
        """
        for sequence in list(self.running):
            if sequence not in self.running:
                continue
            wanted = self._cache.pages_for(sequence.reach(self._steps))
            missing = wanted - len(sequence.pages)
            while missing > self._cache.free and self.running[-1] is not sequence:
                self._preempt(self.running.pop())
            pages = self._cache.take(missing * self._cache.page) if missing > 0 else []
            if pages is not None:
                sequence.pages.extend(pages)
                continue
            self.running.remove(sequence)
            if self.running:
                self._preempt(sequence)
            else:
                self.release(sequence)
                yield sequence

    def halve(self) -> None:
        """Let the half that joined last wait, and no more than the rest run at once from here on."""
        self._rows = max(1, len(self.running) // 2)
        while len(self.running) > self._rows:
            self._preempt(self.running.pop())

    def _preempt(self, sequence: Running) -> None:
        self.release(sequence)
        self.preempted += 1
        self._waiting.append(sequence)

    def release(self, sequence: Running) -> None:
        """Take a sequence's pages back."""
        self._cache.give_back(sequence.pages)
        sequence.pages = []
        sequence.cached = 0
