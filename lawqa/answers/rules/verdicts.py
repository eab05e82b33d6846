"""Rules that read verdicts on the choices: a column of circles and crosses, three of four denied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lawqa.answers.labels import BRACKETS, MARK, label_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.slots import Reading
from lawqa.answers.wording import family, find_each, wording
from lawqa.choices import LABELS, Label

_RIGHT = "○◯〇⭕✓✔✅☑◎"
_WRONG = "×✗✘❌✖✕╳"
_ROW = re.compile(
    r"(?:^|(?<=\n))[ \t　|>*・(（\[【「\-]{0,8}(?:選択肢|[Oo]ption"
    r"|[Cc]hoice)?[ 　]{0,2}(?P<label>[^\W_])[ 　)）\]】」*]{0,4}"
    rf"[.．:：、|→ 　\t-]{{0,4}}(?:[^|\n]{{1,80}}\|)?[ 　*]{{0,4}}(?P<sign>[{_RIGHT}{_WRONG}])[ 　*"
    rf"|]{{0,6}}(?=\n|$)"
)
_WORD = (
    r"正(?:しい|解|答)?|誤(?:り|答|っている)?|不?適切?|不?妥当?"
    r"|(?i:true|false|(?:in)?correct|right|wrong|yes|no|ok|ng)"
)
_LABEL = r"[(（「]?(?:選択肢)?[A-Da-dＡ-Ｄａ-ｄ1-4１-４①-④ア-エ][)）」]?"
_HANDED_IN = re.compile(
    r"(?:[→⇒➡➔∴]|=>|->)[ 　]{0,2}[(（「]?(?P<label>[^\W_])[)）」]?[ 　]{0,2}(?:です|である)?[。.]?"
    r"(?=[ 　]{0,4}(?:\n|\Z))"
)
_VERDICTS_BEFORE = re.compile(
    rf"(?:{_LABEL}[ 　:：=＝→はが.．-]{{0,4}}(?:[{_RIGHT}{_WRONG}]|{_WORD})"
    r"[ 　/／、，,;；|。.．・\n]{0,4}){2,4}\Z"
)
_LONGEST_RUN = 100
_MOST_ARROWS = 100
_FOLDED_ARROWS = ("→", "=>", "->")
_MOST = 400
_CLOSE = rf"[ {BRACKETS}]{{0,4}}"
_ALL = r"(?:いずれも|すべて|全て|どれも|それぞれ|みな|全部|均|都|皆|are all |are )?"
DENIED = family(
    wording(
        "誤|不適|間違|正しく|該当|不正|×|错|不正确|不符",
        rf"[{MARK}](?<![a-z0-9_][{MARK}]){_CLOSE}(?:の(?:選択肢|記述))?(?:[选選]?[项項])?(?:は"
        rf"|が)?{_ALL}[、 ]{{0,2}}(?:明らかに)?",
        r"(?:誤|不適|間違|正しく(?:な|あ)|該当し(?:な|ま)|適切で(?:な|は)|不正解|×|是?错误?|不正确"
        r"|不符合)",
    ),
    wording(
        "wrong|incorrect|false|eliminated|ruled out|excluded",
        rf"[{MARK}](?<![a-z0-9_][{MARK}]){_CLOSE}(?:are|can be) (?:all |therefore |clearly "
        rf"|thus )?",
        r"(?:wrong|incorrect|false|eliminated|ruled out|excluded)",
    ),
)
_LIST_START = re.compile(
    rf"[{MARK}](?:[ 、,・と及和and選択肢{BRACKETS}]{{1,9}}[{MARK}e-h]){{2,4}}\Z"
)


def verdicts_summed_up(reading: Reading) -> Iterator[Mark]:
    """`a：× b：○ c：× → b` goes through the choices and says behind an arrow what that comes to."""
    page = reading.verbatim
    if not any(arrow in page.text for arrow in _FOLDED_ARROWS):
        return
    for arrow in islice(_HANDED_IN.finditer(page.raw), _MOST_ARROWS):
        label = label_at(page, arrow.start("label"))
        run = _VERDICTS_BEFORE.search(page.raw, max(0, arrow.start() - _LONGEST_RUN), arrow.start())
        if label is not None and run is not None:
            span = (run.start(), arrow.end())
            yield Mark("claim", label, Strength.CLAIM, arrow.start("label"), span)


def verdict_table(reading: Reading) -> Iterator[Mark]:
    """A table or list of circles and crosses hands in the one choice that is marked unlike the others."""
    raw = reading.verbatim.raw
    if not any(sign in raw for sign in _RIGHT + _WRONG):
        return
    signs: dict[Label, tuple[bool, int]] = {}
    for row in islice(_ROW.finditer(raw), _MOST):
        label = label_at(reading.verbatim, row.start("label"))
        if label is not None:
            signs[label] = row["sign"] in _RIGHT, row.start("label")
    for kind in (True, False):
        alike = [label for label, (right, _) in signs.items() if right is kind]
        if len(alike) == 1 and (kind or len(signs) > 2):
            at = signs[alike[0]][1]
            yield Mark("claim", alike[0], Strength.HINT, at, (at, at + 1))
            return


def elimination(reading: Reading) -> Iterator[Mark]:
    """`a、b、d は誤り` leaves one choice of the four."""
    page = reading.page
    for match in find_each(DENIED, page):
        start = _LIST_START.search(page.text, max(0, match.start() - 40), match.start() + 1)
        if start is None:
            continue
        places = range(start.start(), match.start() + 1)
        listed = {label for at in places if (label := label_at(page, at))}
        if len(listed) == len(LABELS) - 1:
            (left,) = (label for label in LABELS if label not in listed)
            yield Mark("claim", left, Strength.HINT, places[0], (places[0], match.end()))
