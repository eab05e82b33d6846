"""Amounts as sentences say them, with their nouns and units; and what a share of a whole is."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as `1 answer` or `1,200 answers`.

    Args:
        count: how many.
        noun: what one is called.
        plural: what several are called; empty for the noun with an s.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def percent(share: float, decimals: int = 1) -> str:
    """Return a share as a percentage such as `35.7%`, the one form in which figures are written.

    Args:
        share: from 0 to 1; a difference may be below 0.
        decimals: how many.
    """
    return f"{share:.{decimals}%}"


def size_text(size: int) -> str:
    """Return a size such as `512 bytes`, `12.5 kB`, `3.4 MB` or `16.4 GB`, in powers of 1,000."""
    if size < 1000:
        return counted(size, "byte")
    for power, unit in ((1e3, "kB"), (1e6, "MB")):
        if size < 999.95 * power:
            return f"{size / power:.1f} {unit}"
    return f"{size / 1e9:,.1f} GB"


def part_of_whole(size: float, whole: int) -> int:
    """Return how many of a whole a share below 1 means, rounded; a count of 1 or more is itself."""
    return round(whole * size) if size < 1 else int(size)


_SHOWN = 3
"""Names of many that a message shows."""


def few_of(names: Sequence[str]) -> str:
    """Return the first few of many names, such as `a, b, c and 4 more`."""
    more = f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else ""
    return ", ".join(names[:_SHOWN]) + more
