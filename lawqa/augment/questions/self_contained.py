"""Which sentences of a statute can stand alone in a question, and which lean on words that are not shown."""

from __future__ import annotations

import re

from lawqa.augment.numerals import LARGE_NUMERAL

RELATIVE = re.compile(rf"(?P<way>[前次])(?P<count>各|{LARGE_NUMERAL}+)?(?P<unit>[項条号章節款段])")
"""前項, 前三条, 次号: what a reader can resolve only by knowing where the sentence is."""

# Announces the list that follows the sentence.
_LIST = re.compile(r"次に掲げる|次の(?:各号|いずれ|とおり)|次に定める|当該各号")
# Speaks of a list or table that is elsewhere.
_ELSEWHERE = re.compile(
    r"(?<!次の)(?<!当該)各号|次の(?!各号|いずれ|とおり)|左の|左に|(?<!次)に掲げる(?:事項|書類|者|もの|場合|金額|額)"
    r"|別表|様式|[下上中]欄|次表"
)
_POINTER = re.compile(r"同(?P<unit>[項条号法令表章])")
# What 同項, 同条, … may point back to within the sentence.
_ANTECEDENT = {
    "項": rf"(?:{LARGE_NUMERAL}|前|次)項",
    "条": rf"(?:{LARGE_NUMERAL}|前|次)条|条の",
    "号": rf"{LARGE_NUMERAL}号|号の",
    "法": r"法(?:律)?(?:（|第)",
    "令": r"令(?:（|第)",
    "表": "別表",
    "章": rf"{LARGE_NUMERAL}章",
}
_START = re.compile(
    r"ただし|この場合|この限り|その|当該|これ|それ|かかる|同[項条号法令表章]|なお|また|かつ|[（」、]"
    r"|この(?!法律|政令|省令|府令|章|節)|前段|後段"
)
# Sentences that only apply, reword or suspend other provisions say nothing by themselves.
_EMPTY = re.compile(
    r"読み替え|読替え|とあるのは|削除|準用する。|この限りでない。|前段|後段|同様(?:と|で)"
)


def stands_alone(text: str) -> bool:
    """Return whether a sentence can be understood beside the name of its paragraph, once its 前項 are known.

    It must be a whole sentence, begin with no word that points back, announce no list, and hold 同項 or
    同条 only after the paragraph or article meant.
    """
    return not _LIST.search(text) and stands_with_list(text)


def announces_list(text: str) -> bool:
    """Return whether a sentence can be understood only with the list that follows it."""
    return _LIST.search(text) is not None


def stands_with_list(text: str) -> bool:
    """Return the same as `stands_alone`, for a sentence that is shown with the list it announces."""
    return text.endswith("。") and not _START.match(text) and _is_closed(text)


def item_stands_alone(text: str) -> bool:
    """Return whether an item can be understood beside the lead of its paragraph, without the other items."""
    return (
        _is_closed(text)
        and not _LIST.search(text)
        and not re.search(r"[イロハニホヘト](?:に|から|又は|及び)|その他", text)
    )


def stands_unaided(text: str) -> bool:
    """Return whether a text holds no 前項, 次条 or the like at all."""
    return RELATIVE.search(text) is None


def _is_closed(text: str) -> bool:
    return not (
        _ELSEWHERE.search(text) or _EMPTY.search(text) or _points_outside(text)
    ) and _brackets_close(text)


def _points_outside(text: str) -> bool:
    return any(
        re.search(_ANTECEDENT[match["unit"]], text[: match.start()]) is None
        for match in _POINTER.finditer(text)
    )


def _brackets_close(text: str) -> bool:
    return all(
        text.count(opening) == text.count(closing)
        for opening, closing in zip("（「", "）」", strict=True)
    )
