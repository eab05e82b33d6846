"""One fact of a provision altered, so that the sentence is false of it.

An alteration is used only if the altered sentence does not follow from the true one. A duty to give notice
within thirty days (三十日以内) is altered to ten, not to sixty: whoever keeps the thirty keeps these too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lawqa.augment.numerals import Quantity, quantities
from lawqa.augment.questions.cloze import closest, gaps, with_gap_filled
from lawqa.augment.questions.excerpts import Excerpt
from lawqa.augment.questions.modality import other_commands
from lawqa.augment.questions.statute_facts import Statute

_DUTY = r"[^。]*(?:なければならない|ものとする)。$"
_LESS, _MORE = "less", "more"
# What follows a quantity -> in which direction an altered one no longer follows from the true sentence.
_DIRECTIONS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(rf"以内に{_DUTY}"), (_LESS,)),
    (re.compile(r"以内の期間を定めて"), (_MORE,)),
    (re.compile(rf"前までに{_DUTY}"), (_MORE,)),
    (re.compile(rf"、?(?:これを)?(?:保存し|保管し|備え置|公衆の縦覧){_DUTY}"), (_MORE,)),
    (re.compile(r"以下の(?:拘禁刑|懲役|罰金|過料)"), (_LESS,)),
    (re.compile(r"とする。$"), (_LESS, _MORE)),
    (re.compile(r"を経過した"), (_LESS,)),
    (re.compile(r"を経過し(?:ない|ていない)"), (_MORE,)),
    (re.compile(r"以上(?:の賛成|の同意|の多数|に当たる多数|の出席|が出席|を置)"), (_MORE,)),
    (re.compile(r"(?:以上の|を超える)"), (_LESS,)),
    (re.compile(r"(?:未満|に満たない)"), (_MORE,)),
)
# 遅滞なく allows less haste than 直ちに, so 直ちに may become only あらかじめ.
_TIMINGS = {
    "遅滞なく": ("直ちに", "あらかじめ"),
    "速やかに": ("直ちに", "あらかじめ"),
    "直ちに": ("あらかじめ",),
    "あらかじめ": ("遅滞なく", "速やかに"),
}
# Words right after a quantity and what may be there instead; 以上 is no narrower than 超える, so the other
# way round the altered sentence would follow.
_BOUNDS = (
    ("threshold", "以上の", "未満の"),
    ("threshold", "未満の", "以上の"),
    ("threshold", "を超える", "以上の"),
    ("order", "前まで", "後まで"),
)
# What need not be done, cannot be done or does not apply: all but duties and prohibitions in the negative.
_NEGATIVE = re.compile(r"(?<!なければなら)(?<!てはなら)ない(?:ものとする)?。$")
_PAST = re.compile(
    r"[ただ](?:とき|場合|後|日|者は)|後(?:、|、?これを)?(?:遅滞なく|速やかに|直ちに)"
)
_WORDS = ("actor", "timing", "procedure")
_ENDINGS = (
    ("deeming", "とみなす。", "と推定する。"),
    ("voidness", "は、無効とする。", "は、取り消すことができる。"),
    ("negation", "適用しない。", "適用する。"),
)


@dataclass(frozen=True)
class Alteration:
    """A sentence with one fact altered."""

    kind: str
    """Which fact: quantity, actor, timing, procedure, threshold, order (前/後), modality, exemption, deeming,
    voidness or negation."""
    before: str
    """The words of the statute."""
    after: str
    """The words that are there now."""
    text: str
    """The altered sentence."""


def alterations(excerpt: Excerpt, statute: Statute, seed: int) -> Iterator[Alteration]:
    """Yield every single alteration of an excerpt that makes it false."""
    candidates = (
        *_quantities(excerpt, statute),
        *_words(excerpt, statute, seed),
        *_bounds(excerpt.text),
        *_endings(excerpt.text),
    )
    for alteration in candidates:
        if alteration.text != excerpt.text and not statute.says(alteration.text):
            yield alteration


def _quantities(excerpt: Excerpt, statute: Statute) -> Iterator[Alteration]:
    own = statute.article_quantities[excerpt.provision.article.id]
    for quantity in quantities(excerpt.text):
        if sum(each.text == quantity.text for each in quantities(excerpt.text)) > 1:
            continue
        for other in closest(quantity, statute):
            if any(other.same_size(each) for each in own):
                continue
            if _direction(other, quantity) in _directions(excerpt.text[quantity.end :]):
                text = excerpt.text[: quantity.start] + other.text + excerpt.text[quantity.end :]
                yield Alteration("quantity", quantity.text, other.text, text)


def _direction(other: Quantity, quantity: Quantity) -> str:
    mine = quantity.value if quantity.days is None else quantity.days
    theirs = other.value if other.days is None else other.days
    return _LESS if theirs < mine else _MORE


def _directions(following: str) -> tuple[str, ...]:
    return next((ways for pattern, ways in _DIRECTIONS if pattern.match(following)), ())


def _words(excerpt: Excerpt, statute: Statute, seed: int) -> Iterator[Alteration]:
    if _NEGATIVE.search(excerpt.text):
        return  # nobody else needs to do it either, so the altered sentence would stay true
    article = statute.articles[excerpt.provision.article.id]
    for gap in gaps(excerpt, statute, seed):
        for other in gap.others:
            if other in gap.right or gap.right in other or gap.kind not in _WORDS:
                continue
            if gap.kind == "timing" and not _may_be(other, gap.right, excerpt.text):
                continue
            if gap.kind != "timing" and other in article:
                continue
            yield Alteration(gap.kind, gap.right, other, with_gap_filled(excerpt.text, gap, other))


def _may_be(timing: str, instead_of: str, text: str) -> bool:
    """Return whether one adverb may replace another: what has happened cannot be reported あらかじめ."""
    if timing == "あらかじめ" and _PAST.search(text):
        return False
    return timing in _TIMINGS[instead_of]


def _bounds(text: str) -> Iterator[Alteration]:
    """Yield the word that bounds a quantity altered, where the sentence holds it once only."""
    for quantity in quantities(text):
        for kind, before, after in _BOUNDS:
            whole = quantity.text + before
            if text.startswith(before, quantity.end) and text.count(before) == 1:
                changed = text.replace(before, after)
                yield Alteration(kind, whole, quantity.text + after, changed)


def _endings(text: str) -> Iterator[Alteration]:
    for before, after in other_commands(text):
        kind = "exemption" if after.endswith("要しない。") else "modality"
        yield Alteration(kind, before, after, text.removesuffix(before) + after)
    for kind, before, after in _ENDINGS:
        if text.endswith(before):
            yield Alteration(kind, before, after, text.removesuffix(before) + after)
