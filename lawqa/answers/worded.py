"""Rules that read a commitment in words of its own, without the word 'answer' before it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lawqa.answers.context import conditional, in_example, questioned
from lawqa.answers.labels import BRACKETS, FORM, MARK, in_a_list, labels_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import TAKEN_BACK, denied, doubted, not_ours, only_possible
from lawqa.answers.page import Page
from lawqa.answers.slots import Reading
from lawqa.answers.wording import Wording, find_each, word, wording

_CLOSE = rf"[ {BRACKETS}]{{0,6}}"
_OPEN = rf"[ {BRACKETS}]{{0,4}}"
_LONE = rf"[{MARK}](?<![a-z0-9_][{MARK}])(?![a-z0-9])"
_GOOD = r"(?:correct|right|best|appropriate|suitable|plausible|accurate|valid|supported)"
_GRADE = rf"(?:{_GOOD}|incorrect|wrong|inaccurate|false|invalid)"
_NOUN = (
    r"(?:answer|option|choice|statement|selection|response|exception|one|description|combination)\b"
)
_NAMED = r"(?:選択肢|肢|(?:the )?(?:option|choice|answer|statement|letter) )?"
_COPULA = (
    r"(?:のみ|だけ)?"
    r"(?:です|である|だ(?!け)|とな[りる]|にな[りる]|と(?:判断|考え|結論|いえ|言え|思)|。|\n|\Z)"
)
_STOP = rf"(?={_CLOSE}(?:[.,;\n]|\Z|as\b|because\b|since\b|which\b))"
_DEGREE = (
    r"(?:(?:clearly|likely|most likely|probably|indeed|therefore|thus|also|still|then|the|an?|only|most|"
    r"single|best|more|overall|legally|directly) ){0,4}"
)

_ASSERTED = (
    wording(
        "が",
        rf"{_LONE}{_CLOSE}(?:のみ|だけ)?が[、 ]{{0,2}}",
        r"(?:(?:最も|一番|唯一|明らかに|法的に|この中で|本問の|この問題の)の?[、 ]{0,2}){0,2}",
        r"(?:正解|正答|答え|回答|解答|正し|適切|妥当|適当|最適|ふさわし|適し|適合|該当す|該当し(?!な|ま[せい])",
        r"|誤|間違|不適|不正|違反|最も)",
    ),
    wording(
        "正解",
        rf"{_LONE}{_CLOSE}(?:は[、 ]{{0,2}}|[:→(] ?)正解(?:です|である|だ|と|[)。\n]|\Z)",
    ),
    wording(
        "is |are |be |comes |remains |represents |seems ",
        rf"{_LONE}{_CLOSE}",
        r"(?:is|are|would be|must be|should be|comes|remains|represents|seems|appears to be) ",
        rf"(?:{_DEGREE}(?:{_GRADE} )?{_NOUN}",
        rf"|(?:the )?(?:most )?(?:likely|probably|most|best) (?:the )?(?:{_GRADE}|answer)",
        r"|(?:the )?(?:closest|nearest|least (?:in)?(?:correct|wrong|accurate)))",
    ),
)
_CHOSEN = (
    wording(
        "を",
        rf"{_LONE}{_CLOSE}を[、 ]{{0,2}}(?:(?:正解|最も適切|回答|解答|答え)と|推奨|回答(?:し|する)",
        r"|選択し(?!な|得)|選択(?:する|します|いたし)(?!こと|場合|と)",
        r"|選(?:び(?!ませ|たくな|がち|やす|かね)|ぶ(?!こと|場合|と)|ん(?!だ場合|だ人)))",
    ),
    wording("とし|とする", rf"{_LONE}{_CLOSE}と(?:する|します|いたします)(?=[。\n]|\Z)"),
    wording(
        "choose |select |pick |go with |opt for ",
        rf"(?:{word('i', 'we', 'would', 'will', 'must', 'should', 'to')}|'d|'ll|,|\.|:) ",
        r"(?:please |just |therefore |then )?(?:choose|select|pick|go with|opt for) ",
        rf"{_NAMED}{_OPEN}[{MARK}]",
    ),
)
_CONCLUDED = (
    wording(
        "したがって|従って|よって|ゆえに|故に|以上|このため|そのため|結論として",
        r"(?:したがって|従って|よって|ゆえに|故に|以上|そのため|このため|結論として)",
        r"(?:より|から|のことから|を踏まえ(?:ると|て)?)?",
        rf"[、,: ]{{0,3}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}{_COPULA}",
    ),
    wording(
        "therefore|thus|hence|consequently|so |so,|only ",
        rf"(?:{word('therefore', 'thus', 'hence', 'consequently', 'so', 'only')})",
        rf"[,: ]{{0,3}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}",
        rf"(?:\.|\n|\Z|is (?:the )?(?:most )?{_GOOD})",
    ),
)
_SINGLED_OUT = (
    wording(
        "は|と|ば|ら",
        r"(?:は(?<!または)(?<!るいは)(?<![又く]は)|選ぶと|選択すると|すると|考えると|判断すると|検討すると|選べば|すれば",
        r"|選ぶなら|選ぶとすれば|選ぶとしたら|選択するなら|答えるなら|強いて言えば|あえて言えば)",
        rf"(?=[、,: \n選肢to{BRACKETS}{FORM}])[、,: ]{{0,3}}{_NAMED}",
        rf"[ \n{BRACKETS}]{{0,5}}[{MARK}]{_CLOSE}{_COPULA}",
    ),
    wording("うち", rf"うち[、 ]{{0,2}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}(?:です|である|が)"),
    wording(
        "なく",
        rf"{_LONE}{_CLOSE}(?:では|で)なく[、 ]{{0,2}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}",
        rf"(?:が|を|{_COPULA})",
    ),
    wording(
        "のは|ものは|選択肢は|記述は",
        rf"(?:のは|ものは|選択肢は|記述は)[、,: ]{{0,3}}{_NAMED}{_OPEN}[1-4]{_CLOSE}{_COPULA}",
    ),
    wording(
        "is|be|remains|'s",
        rf"(?:{word('is', 'be', 'remains')}|'s):? {{1,3}}(?:most likely |likely |probably )?{_OPEN}",
        rf"(?:(?:option|choice|statement) {_OPEN}[{MARK}]{_STOP}",
        rf"|[{MARK}]{_CLOSE}(?:[.,;](?![a-z])|\n|(?:as|because|since)\b))",
    ),
    wording(": option|: choice", rf": (?:option|choice) {_OPEN}[{MARK}]{_STOP}"),
)
_LABEL = re.compile(rf"[{FORM}]")


def asserted(reading: Reading) -> Iterator[Mark]:
    """`b が正しい` and `option b is the correct answer` single out one; `b は正しい` only grades it."""
    return _worded(reading.page, _ASSERTED)


def chosen(reading: Reading) -> Iterator[Mark]:
    """`b を選びます` and `I would choose b` are choices made in so many words."""
    return _worded(reading.page, _CHOSEN)


def concluded(reading: Reading) -> Iterator[Mark]:
    """`したがって b。` and `Therefore, option b is correct.` end an argument with one label."""
    return _worded(reading.page, _CONCLUDED)


def singled_out(reading: Reading) -> Iterator[Mark]:
    """`誤っているのは c です` and `the only exception is option d` answer in the words of the question."""
    return _worded(reading.page, _SINGLED_OUT)


def _worded(page: Page, wordings: tuple[Wording, ...]) -> Iterator[Mark]:
    """The claims that wordings find; the last label of a match is the one it singles out."""
    text = page.text
    for found in find_each(wordings, text):
        at = _last_label(page, found)
        labels = labels_at(page, at) if at >= 0 else None
        if labels is None or labels.only is None or in_a_list(page, at):
            continue
        if _talked_about(page, at, found.end()) or _disowned(page.text, found):
            continue
        strength = Strength.FORCED if conditional(text, found.start()) else Strength.CLAIM
        yield Mark("claim", labels.only, strength, at, found.span())


def _last_label(page: Page, found: re.Match[str]) -> int:
    places = [m.start() for m in _LABEL.finditer(page.text, found.start(), found.end())]
    for at in reversed(places):
        if labels_at(page, at) is not None:
            return at
    return -1


_REST = re.compile(
    r"[^。\n、,]{0,8}?(?:とは(?:言|い|限|な)|(?:く|では|で|られ)(?:な[いくか]|ありません)|か(?:どうか|否か|もしれ|\?|。)"
    r"|の?場合|なら|であれば|可能性が(?:ある|あり)|という(?:説|主張|見解|意見)|と(?:すると|仮定|すれば|しても)"
    rf"|{TAKEN_BACK})"
)
_IS = ("is", "be", "remains", "'s")


def _talked_about(page: Page, at: int, end: int) -> bool:
    """Whether the words after it deny, doubt or suppose the claim, or the sentence is an example."""
    text = page.text
    return (
        denied(text, at + 1)
        or questioned(text, at + 1)
        or _REST.match(text, end) is not None
        or in_example(text, at)
    )


def _disowned(text: str, found: re.Match[str]) -> bool:
    """Whether the words before it doubt the claim, leave it open, or speak of others' answers."""
    at = found.start() + len("to ") * found[0].startswith("to ")
    return (
        doubted(text, at)
        or not_ours(text, at)
        or (found[0].startswith(_IS) and only_possible(text, at))
    )
