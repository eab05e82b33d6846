"""The places where a text announces its answer, and what is written there.

`正解は「b」です`, `回答（1文字のみ）: a`, `The correct option is therefore d.`, a heading with a letter below
it: a cue, a gap of signs and small words, and then a label, several labels, a refusal, or other words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lawqa.answers.context import doubtful, excepting, in_example, questioned
from lawqa.answers.cues import FREE_NOTE, GAP, NOTE, Manner, find_cues, skip_gap
from lawqa.answers.labels import VERDICT, LabelList, label_at, labels_at, next_heads_item
from lawqa.answers.negation import denied, doubted, not_ours
from lawqa.answers.text.page import Page
from lawqa.choices import LABELS, Label

_COLON = re.compile(r"[:=→\n)\]>{#]")
_ITEM_END = re.compile(r"[ )\]\"'$]{0,3}(?:[.:、,)]|\n|\Z|です| )")
_LINE_END = re.compile(r"[ )\]}>\"'$.。!|]*(?:です|である|だ)?[ 。.)]*(?=\n|\Z)")
_AFTER_LABEL_ON_NEW_LINE = re.compile(
    r"[ ]*[)\]]|[ )\]}\"'$]*(?:[.:、。,\n(]|\Z|です|である|が|→|- )"
)
_NONE = re.compile(
    r"な(?:し|い(?=です|[ 。)\n]|\Z))|無し|無い|該当(?:する(?:もの|選択肢|記述))?(?:は|が)?"
    r"(?:な[しい]|無し|存在し|しない|しません|ありません)|存在し(?:な|ませ|ず)|ありません|不明"
    r"|(?:判断|特定|決定|選択|回答)"
    r"(?:する(?:こと(?:が|は))?)?(?:不能|不可|でき(?:ない|ません|ず|かね))|選べ(?:ない|ません)"
    r"|(?:いずれ(?:の選択肢)?|どれ|どの選択肢)も[^。\n]{0,20}(?:な|ません|誤)|无|没有|無法|无法"
    r"|(?:that )?(?:none|neither"
    r"|no (?:correct|valid|suitable|appropriate|clear|option|choice|answer|one|such))\b"
    r"|n/a\b|null\b|unknown\b|undetermin|indetermin|impossible|unable|unclear|cannot|can't"
    r"|could not"
    r"|not (?:among|listed|determin|provided|possible|available|applicable|included|given|present)"
)
_NOT_BEGINS = tuple("ncswmi")
_NOT = re.compile(
    r"(?:not|never|neither|cannot|(?:ca|could|should|would|must|is|wo)n't)"
    r"(?: (?:necessarily|likely|really|actually|going to|to))? (?:be )?(?:the )?(?:option "
    r"|choice )?"
)
_OPEN = re.compile(r"[(\[{][ ]*\Z")
_SHUT = re.compile(r"[ ]*[)\]}]")
_HEAD = re.compile(r"[ ]*[)\]][ ]*:[ ]*[^\s]")
_AMONG = re.compile(r"[ )\"']{0,4}の?(?:うち|中(?:で|から))")
_SPACE = re.compile(r"[ ]{1,3}(?=[a-d①-④])")
_BUT = re.compile(r"[ )\"',]{0,4}but (?:rather |is |it is )?(?:option |choice )?[ (\"']{0,3}")
_RATHER = re.compile(
    r"[ )\"']{0,4}(?:(?:では|で)なく|(?:と(?:いう|言う))?より[はも]?)"
    r"[、 ]{0,2}(?:むしろ)?[、 ]{0,2}(?:選択肢)?[ (\"']{0,3}"
    r"|[ )\"'、,。.;(-]{0,4}(?:(?:訂正|修正)[:、→ ]{1,3}|(?:いや|いえ|いいえ|正しくは|改め)[、,: ]{0,3}"
    r"|(?<![a-z])(?:no,? wait|no|wait|sorry|rather|actually|correction|edit|i mean)[,:]? )"
    r"(?:選択肢)?[ (\"']{0,3}"
)
_POINT = re.compile(r"[.)、] ?[^\n]{2,200}\n{1,2}[ >-]{0,4}[2-5][.)、]")
_LENGTH = re.compile(r"letter|single|文字")
_GRADE = re.compile(VERDICT)
_GRADED = re.compile(rf"[)\]\"']? ?(?:[:=→、,.-] ?)?{VERDICT}")
_ARROW = re.compile(r"[ )\"']{0,4}(?:→|-{1,2}>|=>)[ (\"']{0,4}(?:選択肢)?[ (\"']{0,3}")
_VALUES: dict[str, Label] = {label: label for label in LABELS}
_CHANGED = re.compile(r"[ )\"']{0,4}[にへ]?(?:訂正|変更|修正|改め)")


_NOTES = ((NOTE, "(", 5), (None, "", 0), (FREE_NOTE, ":", 25))
"""What may come between a cue and its answer, and the sign that it holds within a number of signs."""


class Slot(NamedTuple):
    """One announced answer.

    Args:
        manner: under a final cue, in a box, on an answer line, or in a sentence.
        content: what is written there.
        label: the label, where `content` is `label` or `denied`.
        span: from the cue to the end of what was read.
        at: where the label, or what replaces it, begins.
        soft: it is only thought likely (`c かもしれません`).
    """

    manner: Manner
    content: Literal["label", "several", "outside", "denied", "none", "other"]
    label: Label | None
    span: tuple[int, int]
    at: int
    soft: bool = False


@dataclass(frozen=True)
class Reading:
    """A page and its announced answers, which several rules look at.

    Args:
        page: the text, its choices named by their labels.
        slots: its announced answers, in the order of the text.
        verbatim: the text with the choices named as the model named them.
    """

    page: Page
    slots: tuple[Slot, ...]
    verbatim: Page


def read_slots(page: Page, verbatim: Page) -> Reading:
    """Find every announced answer of a page."""
    return Reading(page, tuple(_slots(page)), verbatim)


_PLAIN = re.compile(r"(?: {0,2}\(1文字(?:のみ|だけ|以内)?\))? {0,2}: {0,3}([a-d])(?=\n|\Z)")
"""A cue, a colon, a letter and the end of the line: what most answers look like, and nothing to look into."""


def _slots(page: Page) -> Iterator[Slot]:
    text = page.text
    for manner, start, end in find_cues(page):
        plain = None if manner == "boxed" else _PLAIN.match(text, end)
        at = plain.start(1) if plain else 0
        if plain and (at + 1 < len(text) or f"{text[at]}文字" not in text):
            slot: Slot | None = Slot(manner, "label", _VALUES[text[at]], (start, at + 1), at)
        else:
            slot = _slot(page, start, end, manner)
        if slot is None:
            continue
        if start and text[start - 1] != "\n":  # at the head of a line there are no words before it
            if in_example(text, start) or not_ours(text, end) or excepting(text, start):
                continue
            if slot.content == "label" and doubted(text, start):
                slot = slot._replace(content="denied")
        yield slot


def _slot(page: Page, start: int, end: int, manner: Manner) -> Slot | None:
    """Try the place behind a parenthesis such as （1文字のみ） first, then the place right after the cue."""
    other: Slot | None = None
    for pattern, sign, within in _NOTES:
        if sign not in page.text[end : end + within]:
            continue
        note = pattern.match(page.text, end) if pattern else None
        if pattern and note is None:
            continue
        slot = _fill(page, start, end, note.end() if note else end, manner)
        if slot is not None and slot.content != "other":
            return slot
        other = other or slot
    return other


def _fill(page: Page, start: int, cue_end: int, behind: int, manner: Manner) -> Slot | None:
    at = skip_gap(page.text, behind)
    gap = page.text[cue_end:at]
    if manner == "line" and not _COLON.search(gap):
        manner = "sentence"
    negated = _NOT.match(page.text, at) if page.text[at : at + 1] in _NOT_BEGINS else None
    labels = labels_at(page, negated.end() if negated else at)
    if labels is not None and negated:
        but = _BUT.match(page.text, labels.end)
        instead = label_at(page, but.end()) if but else None
        if but and instead:
            return Slot(manner, "label", instead, (start, but.end() + 1), but.end())
        return Slot(manner, "denied", labels.only, (start, labels.end), labels.at)
    if labels is None:
        if not gap:
            return None
        none = _NONE.match(page.text, at)
        if none and gap.strip():
            return Slot(manner, "none", None, (start, none.end()), at)
        return (
            Slot(manner, "other", None, (start, at), at)
            if _COLON.search(gap) or "は" in gap
            else None
        )
    if not _fits(page, labels, gap, free=behind != cue_end and ")" not in gap):
        return None
    return _judged(page, labels, start, manner)


def _fits(page: Page, labels: LabelList, gap: str, *, free: bool) -> bool:
    """Return whether the label really fills the slot, given how loosely it is tied to the cue."""
    end = labels.end
    head = _HEAD.match(page.text, end) if _OPEN.search(gap) else None
    if head and (":" not in gap or _GRADE.match(page.text, head.end() - 1)):
        return False  # 回答（a）: 誤り
    if end == len(page.text) and re.search(rf"(?<!\(){page.text[end - 1]}文字", page.text):
        return False  # 回答は1文字のみ, cut off behind its first sign
    if end == len(page.text) and _OPEN.search(gap) and _LENGTH.search(gap):
        return False  # a single letter (A, cut off
    if page.text[labels.at] in "1234" and _POINT.match(page.text, labels.end):
        return False  # the first of some numbered points
    if page.text[labels.at] in "1234" and (
        not gap or (_OPEN.search(gap) and not _SHUT.match(page.text, labels.end))
    ):
        return False  # 回答1 counts answers; 回答（1 is the instruction, cut off
    if free or not gap.strip(" 、,-#"):
        return _LINE_END.match(page.text, labels.end) is not None
    if "\n" in gap and page.text[labels.at] in "1234" and not _LINE_END.match(page.text, end):
        return False  # Answer:, and then the first of some numbered points
    if "\n" in gap:
        return _AFTER_LABEL_ON_NEW_LINE.match(
            page.text, labels.end
        ) is not None and not _opens_list(page, labels)
    return True


def _opens_list(page: Page, labels: LabelList) -> bool:
    """Return whether the next line continues with the next label: then these are the choices,
    not the answer.
    """
    following = _next_item(page, labels.end)
    label = labels.only
    if label is None or label == "d" or following is None:
        return False
    if _LINE_END.match(page.text, labels.end):
        return False
    return following == LABELS[LABELS.index(label) + 1]


def _next_item(page: Page, at: int) -> Label | None:
    """Return the label at the head of the next line, if there is one."""
    item = _next_item_at(page, at)
    return None if item is None else label_at(page, item)


def _next_item_at(page: Page, at: int) -> int | None:
    line_end = page.text.find("\n", at, at + 400)
    if line_end < 0:
        return None
    at = line_end
    for _ in range(4):
        skipped = GAP.match(page.text, at)
        at = skipped.end() if skipped else at
    return at if _ITEM_END.match(page.text, at + 1) else None


def _goes_through(page: Page, labels: LabelList) -> bool:
    """Return whether the next label is graded on the same line: then this one is only the first of all."""
    line_end = page.text.find("\n", labels.end, labels.end + 400)
    end = line_end if line_end >= 0 else min(len(page.text), labels.end + 400)
    return labels.only != "d" and next_heads_item(page, labels.at, end)


def _goes_on_below(page: Page, labels: LabelList) -> int | None:
    """Return where a list of answers continues on the next line (`正解は以下の通り：`, `- b`, `- d`), if it
    does.
    """
    heading = page.raw[max(0, labels.at - 12) : labels.at]
    bullet = heading[heading.rfind("\n") + 1 :].strip(" ")
    following = _next_item(page, labels.end)
    at = _next_item_at(page, labels.end)
    if following in (None, labels.only) or not (
        bullet or not _LINE_END.match(page.text, labels.end)
    ):
        return None
    return at


def _goes_on(page: Page, labels: LabelList) -> bool:
    """Return whether another label follows with nothing but a space between (`正解：a b`)."""
    space = _SPACE.match(page.text, labels.end)
    following = labels_at(page, space.end()) if space else None
    return following is not None and _LINE_END.match(page.text, following.end) is not None


def _judged(page: Page, labels: LabelList, start: int, manner: Manner) -> Slot | None:
    """Return the slot that these labels fill, by what follows them; None where they are only talked about."""
    # The sequence decides the reading, since one ending may fit several patterns: words that put another
    # label in this one's place (ではなく c, 訂正：c, → c) hold the same signs as a denial or a grade, so they
    # come first; かと思う and でしょうか contain ではない, so doubt comes before denial.
    span = (start, labels.end)
    if labels.foreign and not labels.labels:
        if denied(page.text, labels.end) or questioned(page.text, labels.end):
            return None
        return Slot(manner, "outside", None, span, labels.at)
    if labels.only is None or _goes_on(page, labels):
        if len(labels.labels) == 4:
            return None  # the instruction, or the names of the choices
        among = _AMONG.match(page.text, labels.end)
        return None if among else Slot(manner, "several", None, span, labels.at)
    # Only a cue that ends its line may be followed by a list; behind 正解は a the next line is prose.
    below = _goes_on_below(page, labels) if "\n" in page.text[start : labels.at] else None
    if below is not None:
        return Slot(manner, "several", None, (start, below + 1), below)
    if page.text.startswith("\n", labels.end) or labels.end == len(page.text):
        return Slot(manner, "label", labels.only, span, labels.at)
    rather = _RATHER.match(page.text, labels.end)
    instead = label_at(page, rather.end()) if rather else None
    if rather and instead and not denied(page.text, rather.end() + 1):
        return Slot(manner, "label", instead, (start, rather.end() + 1), rather.end())
    arrow = _ARROW.match(page.text, labels.end)
    if arrow and (instead := label_at(page, arrow.end())):
        new = (start, arrow.end() + 1)
        if _CHANGED.match(page.text, new[1]):
            return Slot(manner, "label", instead, new, arrow.end())
        return Slot(manner, "several", None, new, labels.at)
    if _GRADED.match(page.text, labels.end) and _goes_through(page, labels):
        return (
            None  # 回答: a は誤り、b は正しい grades the choices one by one; the first is no answer
        )
    if doubtful(page.text, labels.end):
        return Slot(manner, "label", labels.only, span, labels.at, soft=True)
    if denied(page.text, labels.end):
        return Slot(manner, "denied", labels.only, span, labels.at)
    if questioned(page.text, labels.end):
        return None
    return Slot(manner, "label", labels.only, span, labels.at)
