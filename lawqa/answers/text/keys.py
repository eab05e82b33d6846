"""Which key words a text holds, found once for all wordings: most of some 400 are not in it.

One search finds the pairs of neighbouring signs of which the first is not among the commonest. Only the keys
that have such a pair of the text are looked for, and those of common signs alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from operator import add
from typing import NamedTuple

_COMMONEST = " aeitnrsocldhのがるはでumしとないすにれあまてかたもりこら.え"
"""Signs that are in most texts, the commonest first: poor choices of what to stop at."""

_RANK = {sign: rank for rank, sign in enumerate(_COMMONEST)}
_ENGLISH: tuple[set[str], set[str]] = (set(), set())
_ANY: tuple[set[str], set[str]] = (set(), set())
"""The keys of use in English, and those of use in any text: the early ones, the others."""


def register(keys: Iterable[str], *, english: bool = False, early: bool = False) -> frozenset[str]:
    """Have keys looked for, and give them as a set, the form of `keys_in`.

    Args:
        keys: strings, folded as texts are.
        english: they need not be looked for in a text without English.
        early: they are looked for before it is known whether any rule has to read the text.
    """
    keys = frozenset(keys)
    (_ENGLISH if english else _ANY)[not early].update(keys)
    _index.cache_clear()
    _stretches.cache_clear()
    return keys


def early_keys(words: str) -> frozenset[str]:
    """Register keys parted by `|` that are looked for early and in any language."""
    return register(words.split("|"), early=True)


class _Index(NamedTuple):
    """Keys by what shows that a text may hold them.

    Args:
        pairs: those that are themselves a pair that the search finds.
        by_pair: longer ones that have a rarer sign before the last, by the pair that it begins.
        others: the rest.
    """

    pairs: frozenset[str]
    by_pair: dict[str, tuple[str, ...]]
    others: tuple[str, ...]


@lru_cache(maxsize=4)
def _index(early: bool, english: bool) -> _Index:
    """Return the index of the keys of this use."""
    keys = _ANY[not early] | (_ENGLISH[not early] if english else set())
    by_pair: dict[str, tuple[str, ...]] = {}
    anchors = {key: _anchor(key) for key in sorted(keys)}
    for key, at in anchors.items():
        if at is not None and len(key) > 2:
            pair = key[at : at + 2]
            by_pair[pair] = (*by_pair.get(pair, ()), key)
    pairs = frozenset(key for key, at in anchors.items() if at is not None and len(key) == 2)
    return _Index(pairs, by_pair, tuple(key for key, at in anchors.items() if at is None))


@lru_cache(maxsize=1)
def _stretches() -> re.Pattern[str]:
    """Return what finds the signs that keys are looked for at: each stretch of them, with the
    sign behind it.
    """
    keys = set().union(*_ANY, *_ENGLISH)
    signs = {key[at] for key in keys if (at := _anchor(key)) is not None}
    return re.compile(f"[{re.escape(''.join(sorted(signs)))}]+.?", re.DOTALL)


def _anchor(key: str) -> int | None:
    """Return where the rarest sign of a key is, the last one left out; None where they are all common."""
    at = max(range(len(key) - 1), key=lambda at: _RANK.get(key[at], len(_RANK)), default=None)
    return None if at is None or key[at] in _RANK else at


def pairs_in(text: str) -> set[str]:
    """Return the pairs of neighbouring signs of a text that a key is looked for at, and perhaps more."""
    stretches = set(_stretches().findall(text))
    for stretch in [stretch for stretch in stretches if len(stretch) > 2]:
        stretches.update(map(add, stretch, stretch[1:]))
    return stretches


def keys_in(text: str, pairs: set[str], *, english: bool, early: bool = False) -> frozenset[str]:
    """Return the registered keys that a text holds.

    Args:
        text: the text, folded.
        pairs: its `pairs_in`.
        english: it may hold English; without, keys that only English wordings have are left out.
        early: only look for the keys that were registered as early ones.
    """
    whole, by_pair, others = _index(early, english)
    possible = chain.from_iterable(map(by_pair.__getitem__, by_pair.keys() & pairs))
    return (whole & pairs).union(filter(text.__contains__, chain(possible, others)))
