"""Which sentences of a retrieved context are gold text: those that the question's own context quotes."""

from __future__ import annotations

import re

from lawqa.retrieval.gold_text import ENOUGH_GOLD_TEXT, line_grams
from lawqa.statutes.headings import article_lines, quoted_lines

Span = tuple[int, int]

_SENTENCE = re.compile(r"[^。\n]*(?:。|$)", re.MULTILINE)


class GoldMarks:
    """Finds the gold text of one question in contexts that were retrieved for it.

    A sentence counts from the share of its 12-character pieces on that counts for a whole context.

    Args:
        own_context: the context that the data set gives with the question.
    """

    def __init__(self, own_context: str) -> None:
        lines = list(article_lines(own_context)) or list(quoted_lines(own_context))
        self._pieces = line_grams([*lines, *(s for line in lines for s in _sentences(line))])
        self._known: dict[str, list[Span]] = {}

    def spans(self, retrieved: str) -> tuple[Span, ...]:
        """Return where its gold text is, as offsets; sentences that follow each other are one span.

        Args:
            retrieved: a context, its headings included.
        """
        marked: list[Span] = []
        start, lines = 0, set(quoted_lines(retrieved))
        for line in retrieved.split("\n"):
            for first, last in self._in_line(line) if line in lines else ():
                if marked and marked[-1][1] == start + first:
                    marked[-1] = marked[-1][0], start + last
                else:
                    marked.append((start + first, start + last))
            start += len(line) + 1
        return tuple(marked)

    def _in_line(self, line: str) -> list[Span]:
        if line not in self._known:
            self._known[line] = [
                match.span() for match in _SENTENCE.finditer(line) if self._is_gold(match[0])
            ]
        return self._known[line]

    def _is_gold(self, sentence: str) -> bool:
        pieces = line_grams([sentence])
        return bool(pieces) and len(pieces & self._pieces) >= ENOUGH_GOLD_TEXT * len(pieces)


def _sentences(line: str) -> list[str]:
    return [match[0] for match in _SENTENCE.finditer(line) if match[0]]
