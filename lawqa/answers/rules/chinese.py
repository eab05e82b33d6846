"""Rules that read a commitment in Chinese words."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.answers.labels import next_heads_item
from lawqa.answers.marks import Mark
from lawqa.answers.rules.claims import CLOSE, LONE, MARK, OPEN, read_claims
from lawqa.answers.slots import Reading
from lawqa.answers.wording import family, opening, wording

# Chinese; simplified characters that Japanese lacks are the keys.
CHINESE = family(
    opening(
        "选|選",
        rf"[选選](?<![不未没候待备当可别勿莫][选選])(?<!不[应能会要该可][选選])(?<!不应该[选選])(?:择|擇|定|出)?(?:的是|了"
        rf"|为)?[: ]{{0,2}}(?:[选選][项項])?{OPEN}[{MARK}]{CLOSE}",
        r"(?:[项項])?(?:较为|比较|更为?|最为?)?(?:合适|恰当|妥当|正确)?(?=[。.,;:!\n、(]|\Z|是"
        r"|作为|作為|因为|吧|为)",
    ),
    opening(
        "故|因此|所以|综上|由此|可见|因而|从而|显然|只有|仅|即",
        rf"(?:故|因此|所以|综上(?:所述)?|由此|可见|因而|从而|显然|只有|仅有?"
        rf"|即)[,、 ]{{0,2}}(?:[选選][项項] ?)?{OPEN}",
        rf"[{MARK}]{CLOSE}(?:[选選]?[项項])?(?:的?(?:说法|表述|观点))?(?:是|为)?(?:唯一"
        rf"|最)?(?:正确|对的|错误|错的|符合"
        rf"|当选|恰当|答案|不正确|不符)",
    ),
    wording("当选|當選", rf"{LONE}{CLOSE}(?:[选選]?[项項])?[^。\n;]{{0,12}}[当當][选選]"),
    wording(
        "是|为",
        rf"{LONE}{CLOSE}(?:[选選]?[项項])?(?:是|为)(?:唯一|最)?",
        r"(?:正确|合适|恰当|妥当|符合题意|最佳|本题)的?(?:答案|选项|说法)?(?=[。.,;!\n、]|\Z)",
    ),
    opening(
        "正确|错误|妥当|恰当|合适|符合|不符|属于|成立|适用|可以|应当|不能|有效|无效|应为|应是",
        r"(?:(?:正确|错误|妥当|恰当|合适|符合|不符|属于|成立|适用|可以|应当|不能|有效"
        r"|无效)[^。\n,;:]{0,20}的?(?:[选選]?[项項]|说法|表述"
        r"|一项|做法|答案)?",
        r"(?<!可能)(?<!应该)(?<!大概)(?<!不)(?:是|为)|应[为是])[: ]{0,2}(?:[选選][项項] ?)?",
        rf"{OPEN}[{MARK}]{CLOSE}(?:[项項])?(?=[。.,;:!\n、(]|\Z|因为)",
    ),
)

_MOST_RESTATED = 400
"""The next of restated choices begins within this many characters, or it is not looked for."""


def claimed_in_chinese(reading: Reading) -> Iterator[Mark]:
    """`故本题选A`, `故B项正确`, `选项C是正确的` and `下列说法错误的是D` commit in Chinese."""
    page = reading.page
    for mark in read_claims(page, CHINESE):
        last = min(len(page.text), mark.at + _MOST_RESTATED)
        end = page.text.find("\n", mark.at, last)
        restated = mark.label not in (None, "d") and next_heads_item(
            page, mark.at, end if end >= 0 else last
        )
        if not restated:  # …期限为A:6个月;B:1年;C:2年;D:3年
            yield mark
