"""Rules that read a refusal to choose, in sentences of their own."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.answers.context import excepting, in_example
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.slots import Reading
from lawqa.answers.wording import Family, family, find_each, opening, word

_ABSENT = (
    r"[^。\n]{0,20}?(?:存在し(?:な|ませ|ず)|(?<!で)(?<!では)ありません|含まれて(?:い)?(?:な|ませ)"
    r"|見当たら"
    r"|(?<!で)(?<!では)な(?:い|し)(?:です|と|[。\n]|\Z))"
)
NO_ANSWER = family(
    opening(
        "正解|正答|正しい|適切な|該当する|答え",
        r"(?:正解|正答|正しい選択肢|正しい答え|正しいもの|適切な選択肢|適切なもの|該当する選択肢"
        r"|該当するもの|答え)",
        rf"[はがも]{_ABSENT}",
    ),
    opening(
        "いずれ|どれ|どの",
        r"(?:いずれ|どれ|どの選択肢|どの記述)(?:の(?:選択肢|記述))?も[^。\n]{0,20}?",
        r"(?:正しく(?:な|あ)|正解では|該当し(?:な|ませ)|適切では|選べ|当てはまら|誤り(?:です"
        r"|である|。|\n|\Z))",
    ),
    opening(
        "none of",
        rf"(?:{word('none of')}) (?:(?:them|these|those|above)\b(?! other)",
        r"|(?:the|these|those)(?! other| remaining| rest)(?: \w{1,20}){0,3} ",
        r"(?:options?|choices?|answers?|statements?|alternatives?|above)\b)",
    ),
    opening(
        "no ",
        rf"(?:{word('no')}) (?:\w{{1,20}} ){{0,2}}?(?:options?|choices?|answers?) ",
        r"(?:is|are|can|could|exists?|among|provided|seems?)\b",
    ),
    opening(
        "answer|option|choice|provision",
        r"(?:answer|option|choice|provision)s? (?:is|are) not (?:among|listed|provided|included"
        r"|present)",
    ),
)
CANNOT = family(
    opening(
        "回答|解答|答え|選択|判断|特定|決定|断定",
        r"(?:回答|解答|答え|選択|判断|特定|決定|断定)肢?を?(?:出す|選ぶ|選択する|特定する"
        r"|絞る)?(?:する)?",
        r"(?:ことが?は?)?(?:でき(?:な|ませ|ず|かね)|不可能|困難)",
    ),
    opening(
        "選べ|選ぶ|答え", r"(?:選べ(?:な|ませ|ず)|選ぶことはでき|答えられ(?:な|ませ)|答えかね)"
    ),
    opening(
        "正解|正答|答え|どれ|どちら|いずれ|いや",
        r"(?:(?:正解|正答|答え|どれ|どちら|いずれ)[がはか][^。\n]{0,10}?|いや、?)(?:分|わ)か(?:らな|りませ)",
    ),
    opening(
        "cannot|can not|could not|impossible to|not possible to|unable to|can't",
        rf"(?:{word('cannot', 'can not', 'could not', 'impossible to', 'not possible to', 'unable to')}",
        r"|can't) (?:be )?(?:definitively |reliably |properly )?",
        r"(?:determine|select|choose|identif|answer|provide|conclude|decide|chosen|selected"
        r"|commit)",
    ),
    opening(
        "question",
        r"question (?:itself )?(?:is|seems|appears)(?: to be)? ",
        r"(?:invalid|flawed|unanswerable|not answerable)",
    ),
)


def no_such_answer(reading: Reading) -> Iterator[Mark]:
    """`正しい選択肢は存在しない` and `none of the options is correct` deny that there is an answer."""
    return _refusals(reading, NO_ANSWER, Strength.CLAIM)


def cannot_tell(reading: Reading) -> Iterator[Mark]:
    """`判断できません` takes back a forced choice; next to a plain answer it is only a caveat."""
    return _refusals(reading, CANNOT, Strength.FORCED)


def _refusals(reading: Reading, wordings: Family, strength: Strength) -> Iterator[Mark]:
    text = reading.page.text
    for match in find_each(wordings, reading.page):
        if not in_example(text, match.start()) and not excepting(text, match.start()):
            yield Mark("void", None, strength, match.start(), match.span())
