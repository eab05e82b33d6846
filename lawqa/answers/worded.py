"""Rules that read a commitment in words of its own, without the word 'answer' before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lawqa.answers.context import (
    conditional,
    denied,
    in_example,
    questioned,
)
from lawqa.answers.labels import BRACKETS, FORM, MARK, in_a_list, labels_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.page import Page, word
from lawqa.answers.slots import Reading

_MOST = 1000
_CLOSE = rf"[ {BRACKETS}]{{0,6}}"
_OPEN = rf"[ {BRACKETS}]{{0,4}}"
_LONE = rf"[{MARK}](?<![a-z0-9_][{MARK}])(?![a-z0-9])"
_GRADE = (
    r"(?:correct|right|best|appropriate|suitable|plausible|accurate|valid|supported"
    r"|incorrect|wrong|inaccurate|false|invalid)"
)
_NOUN = (
    r"(?:answer|option|choice|statement|selection|response|exception|one|description|combination)\b"
)
_NAMED = r"(?:選択肢|肢|(?:the )?(?:option|choice|answer|statement|letter) )?"
_COPULA = (
    r"(?:です|である|だ(?!け)|とな[りる]|にな[りる]|と(?:判断|考え|結論|いえ|言え|思)|。|\n|\Z)"
)
_STOP = rf"(?={_CLOSE}(?:[.,;\n]|\Z|as\b|because\b|since\b|which\b))"
_DEGREE = (
    r"(?:(?:clearly|likely|most likely|probably|indeed|therefore|thus|also|still|then|the|an?|only|most|"
    r"single|best|more|overall|legally|directly) ){0,4}"
)

# Each pattern begins with literal letters, so that the search steps quickly over everything else.
_ASSERTED = (
    re.compile(
        rf"{_LONE}{_CLOSE}が[、 ]{{0,2}}"
        r"(?:(?:最も|一番|唯一|明らかに|法的に|この中で|本問の|この問題の)の?[、 ]{0,2}){0,2}"
        r"(?:正解|正答|答え|回答|解答|正し|適切|妥当|適当|最適|ふさわし|適し|適合|該当す|該当し(?!な|ま[せい])"
        r"|誤|間違|不適|不正|違反|最も)"
    ),
    re.compile(
        rf"{_LONE}{_CLOSE}(?:is|are|would be|must be|should be|comes|remains|represents|seems|appears to be) "
        rf"(?:{_DEGREE}(?:{_GRADE} )?{_NOUN}"
        rf"|(?:the )?(?:most )?(?:likely|probably|most|best) (?:the )?(?:{_GRADE}|answer)"
        r"|(?:the )?(?:closest|nearest|least (?:in)?(?:correct|wrong|accurate)))"
    ),
)
_CHOSEN = (
    re.compile(
        rf"{_LONE}{_CLOSE}を[、 ]{{0,2}}(?:(?:正解|最も適切|回答|解答|答え)と|推奨|回答(?:し|する)"
        r"|選択し(?!な|得)|選択(?:する|します|いたし)(?!こと|場合|と)"
        r"|選(?:び(?!ませ)|ぶ(?!こと|場合|と)|ん(?!だ場合|だ人)))"
    ),
    re.compile(
        rf"(?:{word('i', 'we', 'would', 'will', 'must', 'should', 'to')}|'d|'ll) (?:therefore |then )?"
        rf"(?:choose|select|pick|go with|opt for) {_NAMED}{_OPEN}[{MARK}]"
    ),
)
_CONCLUDED = (
    re.compile(
        r"(?:したがって|従って|よって|ゆえに|故に|以上|そのため|このため|結論として"
        rf"|{word('therefore', 'thus', 'hence', 'consequently')})"
        r"(?:より|から|のことから|を踏まえ(?:ると|て)?)?"
        rf"[、,: ]{{0,3}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}"
        rf"(?:{_COPULA}|\.|is (?:the )?(?:most )?{_GRADE})"
    ),
)
_SINGLED_OUT = (
    re.compile(
        r"(?:は|選ぶと|選択すると|すると|考えると|判断すると|検討すると|選べば|すれば)"
        rf"(?=[、,: \n選肢to{BRACKETS}{FORM}])[、,: ]{{0,3}}{_NAMED}[ \n{BRACKETS}]{{0,5}}[{FORM}]{_CLOSE}{_COPULA}"
    ),
    re.compile(
        rf"(?:{word('is', 'be', 'remains')}|:) {{1,3}}{_OPEN}(?:option|choice|statement) {_OPEN}[{MARK}]{_STOP}"
    ),
    re.compile(
        rf"(?:{word('guess', 'pick', 'match', 'bet', 'candidate', 'selection', 'statement', 'one')}"
        rf"|{word('exception', 'option', 'choice')}) (?:is|would be):? {{1,2}}(?:most likely |likely |probably )?"
        rf"{_NAMED}{_OPEN}[{MARK}]{_STOP}"
    ),
)
_LABEL = re.compile(rf"[{FORM}]")


def asserted(reading: Reading) -> Iterator[Mark]:
    """`b が正しい` and `option b is the correct answer` single one choice out; `b は正しい` only grades it."""
    return _worded(reading.page, _ASSERTED, first=True)


def chosen(reading: Reading) -> Iterator[Mark]:
    """`b を選びます` and `I would choose b` are choices made in so many words."""
    return _worded(reading.page, _CHOSEN, first=False)


def concluded(reading: Reading) -> Iterator[Mark]:
    """`したがって b。` and `Therefore, option b is correct.` end an argument with one label."""
    return _worded(reading.page, _CONCLUDED, first=False)


def singled_out(reading: Reading) -> Iterator[Mark]:
    """`誤っているのは c です` and `the only exception is option d` answer in the words of the question."""
    return _worded(reading.page, _SINGLED_OUT, first=False)


def _worded(page: Page, patterns: tuple[re.Pattern[str], ...], *, first: bool) -> Iterator[Mark]:
    """The claims that patterns find; the label opens the match (`first`) or is its last label."""
    text = page.text
    for found in _each(patterns, text):
        at = found.start() if first else _last_label(page, found)
        labels = labels_at(page, at) if at >= 0 else None
        if labels is None or labels.only is None or in_a_list(page, at):
            continue
        if _talked_about(page, at, found.end()):
            continue
        strength = Strength.FORCED if conditional(text, found.start()) else Strength.CLAIM
        yield Mark("claim", labels.only, strength, at, found.span())


def _each(patterns: tuple[re.Pattern[str], ...], text: str) -> Iterator[re.Match[str]]:
    for pattern in patterns:
        yield from islice(pattern.finditer(text), _MOST)


def _last_label(page: Page, found: re.Match[str]) -> int:
    places = [m.start() for m in _LABEL.finditer(page.text, found.start(), found.end())]
    for at in reversed(places):
        if labels_at(page, at) is not None:
            return at
    return -1


_REST = re.compile(
    r"[^。\n、,]{0,8}(?:とは(?:言|い|限|な)|(?:く|では|で|られ)(?:な[いくか]|ありません)|か(?:どうか|否か|もしれ|\?|。)|の?場合|なら|であれば"
    r"|可能性が(?:ある|あり)|という(?:説|主張|見解|意見)|と(?:すると|仮定|すれば|しても))"
)


def _talked_about(page: Page, at: int, end: int) -> bool:
    """Whether the words after it deny, doubt or suppose the claim, or the sentence is an example."""
    text = page.text
    return (
        denied(text, at + 1)
        or questioned(text, at + 1)
        or _REST.match(text, end) is not None
        or in_example(text, at)
    )
