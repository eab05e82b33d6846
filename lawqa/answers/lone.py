"""Rules that read a label standing by itself: on a line of its own, or opening the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lawqa.answers.context import denied, questioned
from lawqa.answers.labels import FORM, MARK, label_at, labels_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.page import Page
from lawqa.answers.slots import Reading
from lawqa.choices import LABELS

_MOST = 4000
_LONE_LINE = re.compile(
    r"\n[ >\-→#]{0,8}(?:(?:選択肢|option|choice) ?)?[ (\[\"'$]{0,4}"
    rf"([{MARK}])[)\]\"'$]{{0,4}}[ .。、!]{{0,20}}(?:です|である)?[ 。.)]{{0,6}}(?=\n|\Z)"
)
_SCRIPTS = ("abcd", "1234", "①②③④", "アイウエ")
_HEADING = re.compile(r"\n[ >\-→]{0,8}#")
_OPENING = re.compile(
    rf"[\s?:。、)(\"'\[>\-]{{0,12}}(?:選択肢|option |choice )? ?[(\"']{{0,2}}([{FORM}])[)\]\"']{{0,2}}"
    r"(?P<rest> {0,3}(?:[.:、。)→]|です|である|だ。|が|と考え|と判断|\n|\Z|- )| {1,4}(?=[^\x00-\x7f])(?![はもをの])| {0,4}\()"
)


def lone_line(reading: Reading) -> Iterator[Mark]:
    """A line that holds one letter and nothing else is an answer; as a heading over an analysis it is not."""
    page = reading.page
    text = "\n" + page.text
    for found in islice(_LONE_LINE.finditer(text), _MOST):
        at = found.start(1) - 1
        label = label_at(page, at)
        if label and not _HEADING.match(text, found.start()):
            yield Mark("claim", label, Strength.CLAIM, at, (at, at + 1), in_line=True)


def opening_label(reading: Reading) -> Iterator[Mark]:
    """A prompt that ends in `回答：` is answered by the first sign of the text, whatever follows it."""
    page = reading.page
    found = _OPENING.match(page.text)
    labels = labels_at(page, found.start(1)) if found else None
    if found is None or labels is None or labels.only is None:
        return
    at, rest = found.start(1), found["rest"]
    alone = not rest.strip() or "\n" in rest
    if page.text[at] in "1234" and not ("\n" in rest or found.end() == len(page.text)):
        return  # a numbered list
    if denied(page.text, at + 1) or questioned(page.text, at + 1):
        return
    if not alone and _begins_the_choices(page, at):
        return
    yield Mark("claim", labels.only, Strength.CLAIM, at, (at, at + 1), in_line=True)


def _begins_the_choices(page: Page, at: int) -> bool:
    """Whether a later line opens with the next label: then the text goes through the choices."""
    label = label_at(page, at)
    if label is None or label == "d":
        return False
    script = next(script for script in _SCRIPTS if page.text[at] in script)
    following = script[LABELS.index(label) + 1]
    return (
        re.search(
            rf"\n[ >\-#(]{{0,6}}(?:選択肢|option |choice )?{following}[ )]?[.:、,)→ は]", page.text
        )
        is not None
    )
