"""Which key words a text holds, found once for all wordings: most of some 300 are not in it.

A key is only looked for where its rarest sign is in the text. That leaves one in five, which costs
a third of looking for each.
"""

from __future__ import annotations

from collections.abc import Iterable

_COMMONEST = (
    " a(cdb:eの、1osiにるすrしはいてnがと2なれでgたりま選あ的,択肢めこwさ定tら合も正m能hplやか可くうよっ理fu"
    "答えけ不yk解ずvどおそ第最xつ他考当有適用回以上q項判断切ば記検"
)
"""Signs that are in most texts, the commonest first: a poor choice of what to look at."""

_RANK = {sign: rank for rank, sign in enumerate(_COMMONEST)}
_BITS: dict[str, int] = {}
_BySign = dict[str, list[tuple[str, int, str, int]]]
_EARLY: _BySign = {}
_ALL: _BySign = {}
"""By the rarest sign of a key: the next rarest, the languages it is of use in, the key and its bit."""
_ENGLISH, _ANY = 1, 2
"""Whether only a text with English needs a key, or any text."""


def keys_of(words: str) -> int:
    """Register keys parted by `|` that are looked for early and in any language, and give them as bits."""
    return key_bits(words.split("|"), english=False, early=True)


def key_bits(keys: Iterable[str], *, english: bool, early: bool = False) -> int:
    """Register keys, and give the set of them as bits, the form of `keys_in`.

    Args:
        keys: strings, folded as texts are.
        english: they need not be looked for in a text without English.
        early: they are looked for before it is known whether any rule has to read the text.
    """
    by_sign = _EARLY if early else _ALL
    bits = 0
    for key in keys:
        bit = _BITS.setdefault(key, 1 << len(_BITS))
        bits |= bit
        rarest, second, *_ = [*sorted(key, key=_rarity, reverse=True), key[0]]
        listed = by_sign.setdefault(rarest, [])
        before = [entry for entry in listed if entry[2] == key]
        if not before or not english:
            others = [entry for entry in listed if entry[2] != key]
            listed[:] = [*others, (second, _ENGLISH if english else _ANY, key, bit)]
    return bits


def _rarity(sign: str) -> int:
    return _RANK.get(sign, len(_RANK))


def keys_in(text: str, signs: frozenset[str], *, english: bool, early: bool = False) -> int:
    """The registered keys that a text holds, as bits.

    Args:
        text: the text, folded.
        signs: every sign of it; there may be others among them.
        english: it may hold English.
        early: only look for the keys that were registered as early ones.
    """
    by_sign = _EARLY if early else _ALL
    least = _ENGLISH if english else _ANY
    bits = 0
    for sign in by_sign.keys() & signs:
        for second, of_use, key, bit in by_sign[sign]:
            if second in signs and of_use >= least and key in text:
                bits |= bit
    return bits
