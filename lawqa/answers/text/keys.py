"""Which key words a text holds, found once for all wordings: most of some 440 are not in it.

A key is only looked for where its rarest sign is in the text. That leaves one in five, which costs
a third of looking for each.
"""

from __future__ import annotations

from collections.abc import Iterable

_COMMONEST = (
    " eatoinshrldcumwfgypbvk"
    "のはにをがでるとてたすいしなかまりもれらこあさっきくえ、。"
    "正選択肢解答誤"
)
"""Signs that are in most texts, the commonest first: a poor choice of what to look at."""

_RANK = {sign: rank for rank, sign in enumerate(_COMMONEST)}
_BITS: dict[str, int] = {}
_BY_SIGN: dict[str, dict[str, bool]] = {}
"""By the rarest sign of a key: the key, and whether it is only of use in a text with English."""


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
        rarest = max(key, key=lambda sign: _RANK.get(sign, len(_RANK)))
        those = _BY_SIGN.setdefault(rarest, {})
        those[key] = english and those.get(key, True)
    return bits


def keys_in(text: str, signs: frozenset[str], *, english: bool) -> int:
    """The registered keys that a text holds, as bits.

    Args:
        text: the text, folded.
        signs: every sign of it; there may be others among them.
        english: it may hold English.
    """
    bits = 0
    for sign in _BY_SIGN.keys() & signs:
        for key, only_english in _BY_SIGN[sign].items():
            if (english or not only_english) and key in text:
                bits |= _BITS[key]
    return bits
