"""Which running sequence holds pages full of the tokens that another prompt begins with."""

from __future__ import annotations

from lawqa.backends.hf.engine.sequence import Running

_NOBODY: tuple[None, int] = (None, 0)


class PromptBeginnings:
    """Sequences that hold pages, by the beginnings of their prompts, a page at a time.

    Args:
        page: tokens of a page.
    """

    def __init__(self, page: int) -> None:
        self._page = page
        self._digests: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._held: dict[int, list[Running]] = {}

    def full_pages(self, sequence: Running) -> int:
        """Return pages full of its prompt, which it never writes to again.

        The prompt's last token is not counted: a sequence that joins by a copy feeds it.
        """
        return (len(sequence.request.ids) - 1) // self._page

    def lender(self, sequence: Running) -> tuple[Running | None, int]:
        """Return the sequence that holds most of this one's beginning, and how many full pages of it; 0 for
        none.
        """
        digests = self._digests_of(sequence)
        for count in range(len(digests), 0, -1):
            for holder in self._held.get(digests[count - 1], ()):
                # A digest finds it, the tokens decide: pages of other tokens would be read as these.
                end = count * self._page
                if holder.request.ids[:end] == sequence.request.ids[:end]:
                    return holder, count
        return _NOBODY

    def add(self, sequence: Running) -> None:
        """Note that from now on the sequence holds pages with its prompt."""
        for digest in self._digests_of(sequence):
            self._held.setdefault(digest, []).append(sequence)

    def remove(self, sequence: Running) -> None:
        """Forget a sequence that holds no pages any more; nothing happens where it held none."""
        for digest in self._digests_of(sequence):
            left = [holder for holder in self._held.get(digest, ()) if holder is not sequence]
            if left:
                self._held[digest] = left
            else:
                self._held.pop(digest, None)

    def _digests_of(self, sequence: Running) -> tuple[int, ...]:
        """Return for each of its full pages a digest of all tokens up to its end."""
        ids = sequence.request.ids
        if ids not in self._digests:
            digests, before = [], 0
            for number in range(self.full_pages(sequence)):
                before = hash((before, ids[number * self._page : (number + 1) * self._page]))
                digests.append(before)
            self._digests[ids] = tuple(digests)
        return self._digests[ids]
