"""What the words around a label make of it: only supposed, only asked about, an example."""

from __future__ import annotations

import re

_WINDOW = 160
_HEAD = 45
"""A heading is no longer than this, and what it is over begins within as many signs."""


class WordsBefore:
    r"""A pattern for the words of a sentence before a place in it.

    Such a search begins at every sign of the sentence, so one that holds none of the keys is not searched.

    Args:
        keys: strings one of which is in every match, parted by `|`.
        pattern: ends with `\Z` where the words must be right before the place.
    """

    def __init__(self, keys: str, *pattern: str) -> None:
        self.keys = tuple(keys.split("|"))
        self.pattern = re.compile("".join(pattern))

    def before(self, text: str, at: int) -> bool:
        """Return whether the words of the sentence before this place match."""
        start = sentence_start(text, at)
        words = text[start:at]
        for key in self.keys:
            if key in words:
                return self.pattern.search(text, start, at) is not None
        return False


REPORTED = (
    r"(?:だ)?と(?:いう|の|する|(?:主張|指摘|説明|判断)する|(?:言|考え|思|見|解)(?:う|る|する|ている)?)"
    r"(?:人|者|説|見解|意見|立場|声|向き|学説|論者|主張|指摘)(?:[はがも]|に)"
)
"""What makes a claim one of others; the inside of a pattern."""

_QUESTIONED = re.compile(
    r"[ )\]}\"'$]{0,4}(?:が)?(?:正解|正答|答え|正しい|妥当|適切|誤り|誤っている)?"
    r"(?:なの)?(?:で(?:す|ある|しょう)|だ(?:ろう)?)?"
    r"(?:の?か(?:どうか|否か|もしれ|\?|。|$|を|は|が)|\?|の?場合(?:[、はに]|$)|なら(?![なうびわ])"
    r"|であれば|だとすると|とすると|とすれば"
    r"|と仮定|だとしたら|としても|とする(?:説|見解|意見|立場)|というわけでは|とも(?:言|い[えう]"
    r"|考え|取|とれ)"
    r"|[ ]?\((?:例|example)\)|のように(?!思|見え|感じ)|のような(?:1文字|一文字|形)|という(?:形|ように"
    r"|フォーマット|書式)|の(?:形式"
    r"|形で|書式)"
    r"|(?:など)?と(?:だけ)?(?:出力|記入|書|記載|記せ|表示)"
    r"|(?:だ|である|が(?:正解|正しい|適切)だ?)?か?と(?:思(?:った|いました|われた|われました)"
    r"|考え(?:た|ました))(?:が|けど|けれど|ものの)"
    rf"|(?:这样)?的(?:格式|形式)|吗|(?:で(?:ある|す)|だ)?{REPORTED}|(?:である)?可能性も(?:否定|排除|捨て)(?:でき|き))"
)
_DOUBTFUL = re.compile(
    r"[ )\]}\"'$。]{0,4}(?:のみ|だけ)?(?:が[、 ]?)?(?:(?:最も|一番|もっとも) ?)?"
    r"(?:正解|正答|答え|正し(?:い|かった)|妥当|適切|適当|該当する?|最適|有力|近い|誤り|誤っている"
    r"|不適切|考えられる)?"
    r"(?:な(?:の|もの)|の)?(?:で(?:す|ある)|だ)?(?:の)?"
    r"(?:(?:で|じゃ)は?(?:ない|なかろう|ありません)(?:の)?(?:でしょう|だろう)?か(?!ら)(?!ら)"
    r"|か(?:も(?:しれ|知れ)|と(?:(?:思|考)(?!(?:った|いました|えた|えました)(?:が|けど|もの))|存じ|判断"
    r"|推|は思)|な(?:[ぁあ]|と|[。\n]|\Z))"
    r"|(?:で(?:ある|す)?|だ|の|という)?可能性が(?:最も|一番|もっとも|より|非常に|極めて"
    r"|かなり)?(?:高い|高く|大きい|濃厚)"
    r"|(?:で(?:ある|す)|だ)?と(?:思われ(?!な)|推測|推定|推察|見られ|推し)|(?:が|で)?(?:無難"
    r"|有力(?:で|か|だ|と))"
    r"|のような気|で(?:は(?=\?|。|\n|\Z)|(?:いい|良い|よい)(?:かと|と思|でしょう|のでは))"
    r"|かと(?=。|\n|\Z)"
    r"|(?:で(?:ある)?|だ)?(?:はず|気が)(?:です|だ|で|し|す)|っぽい|らしい|に傾)"
)
_FORM = r"(?:形式|フォーマット|書式|格式|テンプレート|ひな形|雛形|雛型|書き方|書きかた|模板|format|template)"
SAMPLE = (
    r"(?:(?:出力|入力|回答|解答|答え|応答|返答|記入|記載|表示|作答|答题|输出|答案|回答文)(?:の)?"
    rf"(?:例示?|サンプル|見本|イメージ|示例|样例|范例|例子|{_FORM})(?:例|サンプル)?"
    r"|サンプル(?:の)?(?:出力|回答|解答|応答|答え)?|(?:期待され(?:る|た)|期待する|想定される|望ましい|指定され(?:た|る)|指定の|求められる)"
    rf"(?:出力|回答形式|形式|{_FORM})|例題|例示|示例(?:输出|答案|回答)?|样例(?:输出|答案|回答)?|范例|例子|例|見本|{_FORM}"
    r"|(?:an? |the )?(?:example|sample)s?(?: of)?(?: an?| the| your)?(?: (?:final|correct|valid))?"
    r"(?: (?:output|answer|response|reply|completion)s?)?(?: format)?"
    r"|(?:expected|desired|required) (?:output|response|answer|reply)? ?(?:format|template|output|response)"
    r"|(?:output|answer|response|reply) (?:format|template|example|sample))"
)
"""What a heading calls a sample of an answer, or its form; the inside of a pattern."""

_EXAMPLE = WordsBefore(
    "例|比如|たとえば|形式|フォーマット|書式|格式|format|for instance|e.g.|example| form |something like",
    r"(?:例如|比如|(?:出力|回答|解答|答案|输出|指定)(?:の)?(?:形式|フォーマット|書式|格式)|(?:形式"
    r"|格式|フォーマット|書式)(?:は|为|是|[:)])"
    r"|\b(?:output |answer |response )?format(?:ted)?(?: is| as)?[:) ]|something like |\bin the form "
    r"|of the form "
    r"|(?<!\w)(?:例|例題|例示|示例|样例|例子"
    r"|出力例|回答例"
    r"|解答例|記入例)[:)、 \]]|例えば|たとえば"
    r"|for (?:example|instance)|e\.g\.|\bexamples?\b[^\n.]{0,12}:)[^)\]]{0,45}\Z",
)
_HEAD_OF_SAMPLE = re.compile(rf"(?<!\w){SAMPLE} ?[0-9]{{0,2}}[)\]]? ?\Z")
_CLOSED = re.compile(r"[)\]。]")
_SAMPLE_ENDS = tuple("例プル本方形型ジ示样例范子式トマ書格板力答え输出案tesmn")
_SUCH_AS_ENDS = ".se, (\"'["
_SUCH_AS = re.compile(r"\b(?:e\.g\.|i\.e\.|such as|like),? ?[(\"'\[]{0,2}\Z")
_CONDITION = WordsBefore(
    "どちらかと|えて|いて|どうしても|無理に|もし|仮に|if |forced to|assuming|guess|must ",
    r"どちらかと(?:言|い)え?[ばう]|あえて|敢えて|強いて|しいて|どうしても|無理に|もし(?!か)|仮に"
    r"|\bif (?:\w{1,12} ){0,4}(?:forced|had to|must|required|insists?|pressed|needed|assum"
    r"|choos|select|pick|answer)|\bif [^.\n]{1,60} (?:were|had)\b|\bforced to\b|\bassuming\b"
    r"|\bguess"
    r"|\bmust (?:be )?(?:choose|select|pick|chosen|selected|guess)",
)


_EXCEPTING = re.compile(r"以外[にはで]{0,2}[、 ]?\Z")


def questioned(text: str, at: int) -> bool:
    """Return whether what follows a label only asks or supposes (`b かどうか`, `b の場合`, `b?`)."""
    return _QUESTIONED.match(text, at) is not None


def doubtful(text: str, at: int) -> bool:
    """Return whether what follows a label only thinks it likely (`c ではないでしょうか`, `c
    かもしれません`).
    """
    return _DOUBTFUL.match(text, at) is not None


def sentence_start(text: str, at: int) -> int:
    """Return where the sentence or line around this place begins; looks back 160 characters at most."""
    if at == 0 or text[at - 1] == "\n":
        return at
    low = max(0, at - _WINDOW)
    return max(
        low,
        text.rfind("\n", low, at) + 1,
        text.rfind("。", low, at) + 1,
        text.rfind(". ", low, at) + 1,
    )


def in_example(text: str, at: int) -> bool:
    """Return whether this sentence or line is an example of an answer and not an answer."""
    if at == 0 or text[at - 1] == "\n":
        return False
    return (
        _EXAMPLE.before(text, at)
        or (
            text[at - 1] in _SUCH_AS_ENDS and _SUCH_AS.search(text, max(0, at - 12), at) is not None
        )
        or _under_sample(text, at)
    )


def _under_sample(text: str, at: int) -> bool:
    """Return whether the words up to the last colon of this line are the heading of a sample
    (`出力サンプル：`).
    """
    colon = text.rfind(":", max(0, at - _HEAD, text.rfind("\n", 0, at) + 1), at)
    head = text[max(0, colon - _HEAD) : colon].rstrip(" )]0123456789") if colon > 0 else ""
    return (
        head.endswith(_SAMPLE_ENDS)
        and _CLOSED.search(text, colon, at) is None
        and _HEAD_OF_SAMPLE.search(head) is not None
    )


def excepting(text: str, at: int) -> bool:
    """Return whether what begins here is said of all but something (`a 以外に適切なものはない`)."""
    low = max(0, at - 6)
    return "以外" in text[low:at] and _EXCEPTING.search(text, low, at) is not None


def conditional(text: str, at: int) -> bool:
    """Return whether the sentence so far lays down a condition (`if forced to choose`, `強いて選ぶなら`)."""
    return _CONDITION.before(text, at)
