"""Rules that read what a text says of single choices: this one is wrong, that one is right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lawqa.answers.context import sentence_start
from lawqa.answers.labels import BRACKETS, MARK, in_a_list, label_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import denied
from lawqa.answers.rules.announced import SECOND_THOUGHTS
from lawqa.answers.slots import Reading
from lawqa.answers.wording import family, find_each, wording

_LONE = rf"[{MARK}](?<![a-z0-9_][{MARK}])(?![a-z0-9])[ {BRACKETS}]{{0,6}}"
DENIED = family(
    wording(
        "正解では|正答では",
        rf"{_LONE}[はが][、 ]{{0,2}}(?:正解|正答)では(?:な|あり)",
        behind="はが",
    ),
    wording(
        "でした|だった", rf"{_LONE}は[、 ]{{0,2}}(?:誤り|間違い)(?:でした|だった)", behind="は"
    ),
    wording(
        "not|n't",
        rf"{_LONE}(?:is|was)(?: not|n't) (?:the |a )?(?:correct |right )?(?:answer|option"
        rf"|choice)\b",
        behind="iw",
    ),
)
GRADED = family(
    wording(
        "は",
        rf"{_LONE}は[、 ]{{0,2}}(?:(?P<good>正し(?:い|く[、あ])|適切|妥当)|誤|間違|不適"
        rf"|正しく(?:な|あり))",
        behind="は",
    ),
    wording(
        "適切|正しい|妥当|適して",
        rf"{_LONE}の(?:\([^()\n]{{1,80}}\)|[^。、\n()]{{1,40}}?)は、?[^。\n]{{0,60}}?",
        r"(?P<good>正しい|適切|妥当|適して)(?:な[^。\n、]{1,8})?",
        r"(?:である|です|だ|と(?:考え|判断|いえ|言え|な)|い(?:る|ます))(?![なまは])",
        behind="の",
    ),
    wording(
        "と考え|と判断|といえ|と言え",
        rf"{_LONE}は[^。\n]{{1,60}}?[、 で](?:(?P<good>正しい|適切|妥当)|不適切"
        rf"|誤り)(?:な[^。\n、]{{1,8}})?(?:である"
        rf"|だ)?と(?:考え|判断|いえ|言え)(?![なま]せ?[いん])",
        behind="は",
    ),
    wording(
        "is |was ",
        rf"{_LONE}(?:is|was) (?:also |therefore |clearly |likely )?",
        r"(?:(?P<good>correct|right|valid|accurate|appropriate)|incorrect|wrong|false|invalid"
        r"|inaccurate)\b",
        behind="iw",
    ),
)
_NAMED = re.compile(r"[、, ]{0,3}(?:選択肢|option )?[ (\"']{0,3}")
_FINISHED = re.compile(r"[。.!)\"' ]\Z")


def denial(reading: Reading) -> Iterator[Mark]:
    """`b は正解ではない`, `b は誤りでした` and `いや、b は誤り` take back a b that was said before."""
    text = reading.page.text
    for match in find_each(DENIED, reading.page):
        label = label_at(reading.page, match.start())
        if label:
            yield Mark("retract", label, Strength.STATED, match.start(), match.span())
    for match in find_each(SECOND_THOUGHTS, reading.page):
        named = _NAMED.match(text, match.end())
        at = named.end() if named else match.end()
        label = label_at(reading.page, at)
        if label and denied(text, at + 1):
            yield Mark("retract", label, Strength.STATED, at, (match.start(), at + 1))


def closing_grade(reading: Reading) -> Iterator[Mark]:
    """A finished last sentence may mean as the answer the one choice that it grades unlike all others."""
    text = reading.page.text
    graded = find_each(GRADED, reading.page)
    last = max(graded, key=lambda match: match.start(), default=None)
    if last is None or not _FINISHED.search(text):
        return
    if last.start() < sentence_start(text, len(text) - 1) or in_a_list(reading.page, last.start()):
        return
    good = {text[m.start()] for m in graded if m["good"]}
    bad = {text[m.start()] for m in graded if not m["good"]}
    label = label_at(reading.page, last.start())
    # Analyses strike out wrong choices one by one: a bad grade is an answer only beside good ones.
    if label and (len(good) == 1 if last["good"] else len(bad) == 1 and len(good) > 1):
        yield Mark("claim", label, Strength.HINT, last.start(), last.span())
