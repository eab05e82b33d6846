"""Choices named by their number: `選択肢3`, `3番`, `the third option`, `正解は III`."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.answers.text.mapping import Edit
from lawqa.answers.text.page import Page
from lawqa.answers.wording import family, find_each, opening, wording

_COUNTED = r"(?! ?(?:つ|個|種|択|問|件|通り|点|%|年|条|項|号|人|者|回|日|月|目))"
_NUMBERED = family(
    opening(
        "選択肢|选项|選項",
        rf"[选選](?:択肢|项|項)(?:の?番号)? ?[(「]?(?P<number>[1-4])(?![0-9]){_COUNTED}",
    ),
    opening("肢", rf"肢(?<![一-龠]肢) ?(?P<number>[1-4])(?![0-9]){_COUNTED}"),
    opening(
        "option |choice ",
        r"(?:option|choice) (?:no\. ?|number )?(?P<number>[1-4]|one\b|two\b|three\b|four\b)",
        rf"(?![0-9]){_COUNTED}",
    ),
    # III, and the numbers that only a judgement right behind them tells from a count
    opening(
        "正解|正答|答え|回答|解答|answer",
        r"(?:正解|正答|答え|回答|解答|answer)(?: ?(?:は|:)| is:?) {0,2}[(\"']?(?P<roman>i{1,3}|iv)"
        r"(?=[)\"']? ?(?:で(?:す|ある)|だ|と(?:な|考|思)|。|\.?(?:\n|\Z)))",
    ),
    opening(
        "no.|number |#",
        r"(?:no\. ?|number |#)(?<![a-z][^\w])(?P<counted>[1-4])",
        r"(?= (?:is|would be) (?:the )?(?:correct|right|answer|best))",
    ),
    wording(
        "番が",
        r"(?P<counted>[一二三四])(?<![0-9a-z一-龠がで][一二三四])番(?=が(?:正解|正答|答え|正しい|適切|妥当|最も))",
    ),
    wording(
        "番目が|つ目が|番目を|つ目を|番目です|つ目です|番目で|つ目で|番目だ|つ目だ",
        r"(?P<counted>[1-4一二三四])(?<![0-9a-z一-龠][1-4一二三四])(?:番目|つ目)"
        r"(?=が(?:正解|正答|答え|正し|適切|妥当|該当|最も|誤り|誤って)|を選|で(?:す|ある)|だ(?:。|と))",
    ),
    wording(
        "番",
        r"(?P<counted>[1-4])(?<![0-9a-z第][1-4])番(?!目|号|地|町|線|組)",
        r"(?= ?(?:です|が|を|だ|で(?:ある|しょ)|と(?:考|判|思)|に(?:な|該)|[。)\n]|\Z))",
    ),
    wording(
        "番目|つ目",
        r"(?P<counted>[1-4一二三四])(?<![0-9a-z一-龠][1-4一二三四])(?:番目|つ目)の?(?:選択肢|肢|記述)",
    ),
    opening(
        "第",
        r"第 ?(?P<counted>[1-4一二三四])の?(?:選択肢|肢)",
        keys="の選択肢|の肢|1選|2選|3選|4選|一選|二選|三選|四選|1肢|2肢|3肢|4肢|一肢|二肢|三肢|四肢",
    ),
    opening(
        "the first|the second|the third|the fourth|the last|the final",
        r"the (?<![a-z]the )(?P<counted>first|second|third|fourth|last|final) (?:option|choice"
        r"|statement)\b(?! [abcd]\b)",
    ),
    early=True,
)
_VALUE = {
    word: value
    for value, words in enumerate(
        ("1 一 first one i", "2 二 second two ii", "3 三 third three iii", "4 四 fourth four iv")
    )
    for word in words.split()
} | {"last": 3, "final": 3}


def numbered(page: Page) -> Iterator[Edit]:
    """Yield the edits that put the label in the place of its number; a bare 3 may count anything."""
    for match in find_each(_NUMBERED, page):
        group = match.lastgroup or ""
        span = match.span() if group == "counted" else match.span(group)
        yield Edit(*span, text="①②③④"[_VALUE[match[group]]])
