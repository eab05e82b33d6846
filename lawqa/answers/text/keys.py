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
_BY_SIGN: dict[str, dict[str, tuple[str, bool]]] = {}
"""By the rarest sign of a key: the key, the next rarest, and whether only a text with English needs it."""


def key_bits(keys: Iterable[str], *, english: bool) -> int:
    """Register keys, and give the set of them as bits, the form of `keys_in`.

    Args:
        keys: strings, folded as texts are.
        english: they need not be looked for in a text without English.
    """
    bits = 0
    for key in keys:
        if key not in _BITS:
            _BITS[key] = 1 << len(_BITS)
        bits |= _BITS[key]
        rarest, second, *_ = [*sorted(key, key=_rarity, reverse=True), key[0]]
        those = _BY_SIGN.setdefault(rarest, {})
        those[key] = second, english and those.get(key, ("", True))[1]
    return bits


def _rarity(sign: str) -> int:
    return _RANK.get(sign, len(_RANK))


def keys_in(text: str, signs: frozenset[str], *, english: bool) -> int:
    """The registered keys that a text holds, as bits.

    Args:
        text: the text, folded.
        signs: every sign of it; there may be others among them.
        english: it may hold English.
    """
    bits = 0
    for sign in _BY_SIGN.keys() & signs:
        for key, (second, only_english) in _BY_SIGN[sign].items():
            if second in signs and (english or not only_english) and key in text:
                bits |= _BITS[key]
    return bits
