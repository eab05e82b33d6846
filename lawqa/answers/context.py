"""What the words around a label make of it: only supposed, only asked about, an example."""

from __future__ import annotations

import re

_QUESTIONED = re.compile(
    r"[ )\]}\"'$]{0,4}(?:が)?(?:正解|正答|答え|正しい|妥当|適切|誤り|誤っている)?"
    r"(?:なの)?(?:で(?:す|ある|しょう)|だ(?:ろう)?)?"
    r"(?:の?か(?:どうか|否か|もしれ|\?|。|$|を|は|が)|\?|の?場合(?:[、はに]|$)|なら(?:ば|、|\b)"
    r"|であれば|だとすると|とすると|とすれば"
    r"|と仮定|だとしたら|としても|とする(?:説|見解|意見|立場)|というわけでは|とも(?:言|い[えう]"
    r"|考え|取|とれ)"
    r"|[ ]?\((?:例|example)\)|のように|という(?:形|ように|フォーマット|書式)|の(?:形式|形で|書式)"
    r"|と(?:だけ)?(?:出力|記入|書)"
    r"|(?:这样)?的(?:格式|形式)|吗)"
)
_DOUBTFUL = re.compile(
    r"[ )\]}\"'$。]{0,4}(?:のみ|だけ)?(?:が[、 ]?)?(?:(?:最も|一番|もっとも) ?)?"
    r"(?:正解|正答|答え|正し(?:い|かった)|妥当|適切|適当|該当する?|最適|有力|近い|誤り|誤っている"
    r"|不適切|考えられる)?"
    r"(?:な(?:の|もの)|の)?(?:で(?:す|ある)|だ)?(?:の)?"
    r"(?:(?:で|じゃ)は?(?:ない|なかろう|ありません)(?:の)?(?:でしょう|だろう)?か(?!ら)(?!ら)"
    r"|か(?:も(?:しれ|知れ)|と(?:思|考|存じ|判断|推|は思)|な(?:[ぁあ]|と|[。\n]|\Z))"
    r"|(?:で(?:ある|す)?|だ|の|という)?可能性が(?:最も|一番|もっとも|より|非常に|極めて"
    r"|かなり)?(?:高い|高く|大きい|濃厚)"
    r"|(?:で(?:ある|す)|だ)?と(?:思われ(?!な)|推測|推定|推察|見られ|推し)|(?:が|で)?(?:無難"
    r"|有力(?:で|か|だ|と))"
    r"|のような気|で(?:は(?=\?|。|\n|\Z)|(?:いい|良い|よい)(?:かと|と思|でしょう|のでは))"
    r"|かと(?=。|\n|\Z)"
    r"|(?:で(?:ある)?|だ)?(?:はず|気が)(?:です|だ|で|し|す)|っぽい|らしい|に傾)"
)
_EXAMPLE = re.compile(
    r"(?:例如|比如|(?:出力|回答|解答|答案|输出|指定)(?:の)?(?:形式|フォーマット|書式|格式)|(?:形式"
    r"|格式|フォーマット|書式)(?:は|为|是|[:)])"
    r"|\b(?:output |answer |response )?format(?:ted)?(?: is| as)?[:) ]|(?<!\w)(?:例|例題|例示"
    r"|出力例|回答例"
    r"|解答例|記入例)[:)、 \]]|例えば|たとえば"
    r"|for (?:example|instance)|e\.g\.|\bexamples?\b[^\n.]{0,12}:)[^)\]]{0,45}\Z"
)
_SUCH_AS = re.compile(r"\b(?:e\.g\.|i\.e\.|such as|like),? ?[(\"'\[]{0,2}\Z")
_CONDITION = re.compile(
    r"どちらかと(?:言|い)え?[ばう]|あえて|敢えて|強いて|しいて|どうしても|無理に|もし(?!か)|仮に"
    r"|\bif (?:\w{1,12} ){0,4}(?:forced|had to|must|required|insists?|pressed|needed|assum"
    r"|choos|select|pick|answer)|\bif [^.\n]{1,60} (?:were|had)\b|\bforced to\b|\bassuming\b"
    r"|\bguess"
    r"|\bmust (?:be )?(?:choose|select|pick|chosen|selected|guess)"
)
_WINDOW = 160


def questioned(text: str, at: int) -> bool:
    """Whether what follows a label only asks or supposes (`b かどうか`, `b の場合`, `b?`)."""
    return _QUESTIONED.match(text, at) is not None


def doubtful(text: str, at: int) -> bool:
    """Whether what follows a label only thinks it likely (`c ではないでしょうか`, `c かもしれません`)."""
    return _DOUBTFUL.match(text, at) is not None


def sentence_start(text: str, at: int) -> int:
    """Where the sentence or line around this place begins; looks back 160 characters at most."""
    low = max(0, at - _WINDOW)
    return max(
        low,
        text.rfind("\n", low, at) + 1,
        text.rfind("。", low, at) + 1,
        text.rfind(". ", low, at) + 1,
    )


def in_example(text: str, at: int) -> bool:
    """Whether this sentence or line is an example of an answer and not an answer."""
    return (
        _EXAMPLE.search(text, sentence_start(text, at), at) is not None
        or _SUCH_AS.search(text, max(0, at - 12), at) is not None
    )


def conditional(text: str, at: int) -> bool:
    """Whether the sentence so far lays down a condition (`if forced to choose`, `強いて選ぶなら`)."""
    return _CONDITION.search(text, sentence_start(text, at), at) is not None
