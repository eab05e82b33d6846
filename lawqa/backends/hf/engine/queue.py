"""Who runs and who waits for pages: sequences join early, and the last to join makes room.

A sequence joins as soon as its own tokens fit, not when its longest possible completion would: most end
long before their limit, and to compute the keys and values of known tokens again is some ten times
cheaper than the steps that an idle page costs.

Completions of one prompt follow each other and share the pages that hold nothing but the prompt. One that
joins while another runs is not prefilled: it copies the page where the prompt ends, and its first step
feeds the prompt's last token. Prompts that begin alike, as a question's do in every order of its choices
behind one context, share the pages that are full of their common beginning: what a step of their tails costs
stays, what they keep does not, so more of them run at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lawqa.backends.hf.engine.beginnings import PromptBeginnings
from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.sequence import Running


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
        first: dict[tuple[int, ...], int] = {}
        for number, sequence in enumerate(sequences):
            first.setdefault(sequence.request.ids, number)
        # The next to join is last: long prompts go first, so that one that does not fit fails early.
        self._waiting = sorted(sequences, key=lambda s: (s.length, first[s.request.ids]))
        self._holders: dict[tuple[int, ...], list[Running]] = {}  # of pages, by their prompts
        self._beginnings = PromptBeginnings(cache.page)
        self.running: list[Running] = []
        self.preempted = 0

    def __bool__(self) -> bool:
        """Return whether there is something left to write."""
        return bool(self._waiting or self.running)

    def admit(self, prefill_tokens: int) -> list[Running]:
        """Return the sequences that join now, pages in hand: as many as pages, rows and one prefill hold.

        While many run they are not let in one by one, for each prefill holds up all others.

        Args:
            prefill_tokens: the most tokens of one prefill; a longer sequence joins alone.

        Returns:
            Those that are to be prefilled; those that need not be run already.
        """
        # A prefill stops every running row for its time, so rows are let in by sixteenths.
        free_rows = self._rows - len(self.running)
        if not self._waiting or free_rows < min(len(self._waiting), max(1, self._rows // 16)):
            return []
        joined: list[Running] = []
        tokens = 0
        # What a sequence costs this prefill decides whether it still fits: nothing where a running one of
        # the same prompt lends its pages; one token where the one it copies is prefilled in this very batch;
        # all of its tokens otherwise, also after preemption, when what it wrote must be computed again.
        while self._waiting and len(self.running) + len(joined) < self._rows:
            sequence = self._waiting[-1]
            mate = next(iter(self._holders.get(sequence.request.ids, ())), None)
            lender, whole = mate, self._shareable(sequence)
            if mate is None:
                lender, whole = self._beginnings.lender(sequence)
            copied = mate is not None and mate.cached > 0 and not sequence.tokens
            if copied:
                length = 0
            elif mate is not None and not mate.tokens and not sequence.tokens:
                length = 1  # the mate of this prefill computes all of it, but for the next token
            elif lender is not None and lender.cached == 0:
                length = sequence.length - whole * self._cache.page  # this prefill computes it once
            else:
                length = sequence.length
            if joined and tokens + length > prefill_tokens:
                break
            to_grow = len(self.running) + len(joined)
            if not self._take(sequence, lender, whole, to_grow=to_grow):
                break
            self._waiting.pop()
            if mate is not None and copied:
                self._copy(sequence, mate)
                self.running.append(sequence)
            else:
                joined.append(sequence)
                tokens += length
        return joined

    def _take(self, sequence: Running, lender: Running | None, whole: int, *, to_grow: int) -> bool:
        """Give a sequence its pages, the first of them its lender's, if a page for each that runs is left."""
        needed = self._cache.pages_for(sequence.reach(self._steps)) - whole
        if self._cache.free < needed + to_grow:
            return False
        own = self._cache.take(needed * self._cache.page)
        if own is None:
            return False
        shared = [] if lender is None else self._cache.share(lender.pages[:whole])
        sequence.pages = shared + own
        sequence.shared = whole * self._cache.page
        self._holders.setdefault(sequence.request.ids, []).append(sequence)
        self._beginnings.add(sequence)
        return True

    def _copy(self, sequence: Running, mate: Running) -> None:
        """Take over all of the prompt but its last token, as it was computed for the mate."""
        sequence.cached = len(sequence.request.ids) - 1
        if sequence.cached > sequence.shared:
            page = self._shareable(sequence)
            self._cache.copy(mate.pages[page], sequence.pages[page])

    def _shareable(self, sequence: Running) -> int:
        """Return pages full of prompt, without the last token, which a sequence that joins by a
        copy feeds.
        """
        return self._beginnings.full_pages(sequence)

    def put_back(self, joined: Sequence[Running]) -> None:
        """Let sequences wait after all, in their order, before all others."""
        for sequence in reversed(joined):
            self.release(sequence)
            self._waiting.append(sequence)

    def give_up(self) -> Running:
        """Return the next in line, which does not fit although nothing runs."""
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
        holders = self._holders.get(sequence.request.ids, [])
        self._holders[sequence.request.ids] = [mate for mate in holders if mate is not sequence]
        self._beginnings.remove(sequence)
        self._cache.give_back(sequence.pages)
        sequence.pages = []
        sequence.cached = sequence.shared = 0
