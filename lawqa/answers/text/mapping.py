"""Offsets through edits: where a place of an edited text was before."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Pieces = Sequence[tuple[int, int]]
"""Pairs of offsets, in the new text and in the old one, where each piece begins; in order."""


class Edit(NamedTuple):
    """One change: this stretch is replaced by the stretch `kept` of it (empty: deleted), or by `text`.

    Args:
        start: where the stretch begins.
        end: where it ends.
        kept: the part of it that stays.
        text: what is put in its place where no part of it stays.
    """

    start: int
    end: int
    kept: tuple[int, int] = (0, 0)
    text: str = ""


def edited(texts: Sequence[str], edits: Iterable[Edit]) -> tuple[list[str], list[tuple[int, int]]]:
    """Apply edits, in order and without overlaps, to equally long texts.

    Returns:
        The new texts, and the pieces that lead back.
    """
    parts: list[list[str]] = [[] for _ in texts]
    pieces: list[tuple[int, int]] = []
    here = done = 0

    def take(first: int, last: int) -> None:
        nonlocal here
        if first < last:
            pieces.append((here, first))
            for part, text in zip(parts, texts, strict=True):
                part.append(text[first:last])
            here += last - first

    for edit in edits:
        if edit.start < done:
            continue
        take(done, edit.start)
        take(*edit.kept)
        if edit.text:
            pieces.append((here, edit.start))
            for part in parts:
                part.append(edit.text)
            here += len(edit.text)
        done = edit.end
    take(done, len(texts[0]))
    return ["".join(part) for part in parts], pieces or [(0, 0)]


def back(pieces: Pieces, at: int) -> int:
    """Return where this place of the new text was in the old one."""
    here, there = pieces[max(0, bisect_right(pieces, (at, sys.maxsize)) - 1)]
    return there + at - here


def back_span(pieces: Pieces, span: tuple[int, int]) -> tuple[int, int]:
    """Return where this half-open span of the new text was in the old one."""
    first, last = back(pieces, span[0]), back(pieces, span[1] - 1) + 1
    return first, max(last, first + 1)
