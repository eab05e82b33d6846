"""Missing-word questions: a provision is named and quoted with one quantity or term left out.

The provision's own words are asked for, so exactly one choice is right: the others are of the same statute
and kind, and put into the gap they give a sentence that the statute nowhere holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from lawqa.augment.numerals import MAJORITY, Quantity, quantities
from lawqa.augment.questions.actors import may_coincide
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.excerpts import Excerpt
from lawqa.augment.questions.modality import command_forms
from lawqa.augment.questions.statute_facts import PROCEDURES, Statute

BLANK = "［　　］"
"""What stands for the missing words."""

TIMINGS = ("遅滞なく", "直ちに", "速やかに", "あらかじめ")
"""The four adverbs by which statutes tell how soon; each has its own meaning in law."""

THRESHOLDS = ("以上の", "以下の", "未満の", "を超える")
"""How statutes bound a quantity, before a noun."""

_PROCEDURE = re.compile(rf"の({'|'.join(PROCEDURES)})(?=を受け|を得|がなければ)")
_TERM = re.compile(r"「((?!第)[^「」（）]{3,20})」とは、")
_CLOSEST = 8
"""Wrong quantities are drawn from the N nearest to the right one."""

_FARTHEST = 40
"""The largest ratio of a period to one of another unit: nobody takes two weeks for three years."""

_BUSIEST = 8
"""Wrong actors are drawn from the N that the statute names most: a rare one is hardly ever right."""

_STEMS = (
    "次の文は、{law}{name}の規定の一部です。{gap}に当てはまる語句として正しいものを教えてください。「{quote}」{note}",
    "{law}{name}の次の規定のうち、{gap}に入る語句を教えてください。「{quote}」{note}",
    "{law}{name}は「{quote}」と定めています。{gap}に入る正しい語句を教えてください。{note}",
)


@dataclass(frozen=True)
class Gap:
    """Words that can be left out of an excerpt."""

    kind: str
    """quantity, actor, timing, procedure, term, threshold or modality."""
    start: int
    """Where they begin."""
    right: str
    """The words."""
    others: tuple[str, ...]
    """What could take their place, best first; at least three."""


def cloze_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield one question for each kind of gap that an excerpt offers."""
    for excerpt in statute.excerpts:
        seen: set[str] = set()
        for gap in gaps(excerpt, statute, seed):
            if gap.kind in seen:
                continue
            wrong = _apart(o for o in gap.others if _is_wrong(o, gap, excerpt, statute))
            if len(wrong) >= 3:
                seen.add(gap.kind)
                yield _draft(excerpt, gap, wrong, seed)


def gaps(excerpt: Excerpt, statute: Statute, seed: int) -> Iterator[Gap]:
    """Yield what can be left out of an excerpt, with what could be there instead."""
    finders = (
        _quantity_gaps,
        _actor_gaps,
        _timing_gaps,
        _procedure_gaps,
        _term_gaps,
        _threshold_gaps,
        _modality_gaps,
    )
    for finder in finders:
        for kind, start, right, candidates in finder(excerpt, statute):
            # Twice in one sentence, the second would give the first away.
            if excerpt.quote(excerpt.text).count(right) > 1:
                continue
            name = f"{excerpt.provision.key}/{excerpt.name}/{start}"
            others = shuffled(candidates, str, seed, "gap", name)
            if len(others) >= 3:
                yield Gap(kind, start, right, tuple(others))


_Found = tuple[str, int, str, Sequence[str]]


def _quantity_gaps(excerpt: Excerpt, statute: Statute) -> Iterator[_Found]:
    own = statute.article_quantities[excerpt.provision.article.id]
    for quantity in quantities(excerpt.text):
        candidates = [
            other.text
            for other in closest(quantity, statute)
            if not any(other.same_size(each) for each in own)
            and _fits(other, excerpt.text[quantity.end :])
        ]
        yield "quantity", quantity.start, quantity.text, _all_different(candidates)


def closest(quantity: Quantity, statute: Statute) -> list[Quantity]:
    """Return the quantities of a statute that are likest to this one and not the same, likest first.

    Those of the same unit; where these are few, also other periods of no quite different length.
    """
    pool = [q for q in statute.quantities.get(quantity.unit, ()) if not q.same_size(quantity)]
    if len(pool) < _CLOSEST // 2 and quantity.dimension == "period":
        pool += [
            other
            for unit, others in statute.quantities.items()
            for other in others
            if unit != quantity.unit
            and other.dimension == "period"
            and _lasts(other) == _lasts(quantity)
            and not other.same_size(quantity)
            and _distance(other, quantity) <= _FARTHEST
        ]
    return sorted(pool, key=lambda other: (_distance(other, quantity), other.text))[:_CLOSEST]


def _lasts(quantity: Quantity) -> bool:
    """Return whether the unit says how long something lasts (三年間), not by when it is done
    (三年, 三週間).
    """
    return quantity.unit in ("年間", "箇月間", "月間", "日間")


def _distance(one: Quantity, other: Quantity) -> float:
    mine, theirs = float(one.days or one.value), float(other.days or other.value)
    return max(mine, theirs) / max(min(mine, theirs), 1e-9)


def _fits(quantity: Quantity, following: str) -> bool:
    """Return whether the quantity can come before these words: no one says 過半数以上."""
    return quantity.text != MAJORITY or not re.match(r"以|未満|を超|を下|に相当|を乗", following)


def _all_different(texts: Iterable[str]) -> list[str]:
    """Return the texts whose quantities differ in size from each other, first come first served."""
    kept: list[Quantity] = []
    for text in texts:
        quantity = next(iter(quantities(f"{text}（")), None) or next(
            iter(quantities(f"{text}以上")), None
        )
        if quantity is not None and not any(quantity.same_size(each) for each in kept):
            kept.append(quantity)
    return [quantity.text for quantity in kept]


def _actor_gaps(excerpt: Excerpt, statute: Statute) -> Iterator[_Found]:
    for actor, kind in statute.actors.items():
        place = excerpt.text.find(actor)
        if place >= 0 and _is_whole_name(excerpt.text, place, place + len(actor)):
            candidates = [
                name
                for name, other in statute.actors.items()
                if other == kind and not may_coincide(name, actor) and name not in excerpt.text
            ]
            yield "actor", place, actor, candidates[:_BUSIEST]


def _is_whole_name(text: str, start: int, end: int) -> bool:
    """Return whether a name is neither part of a longer one nor of an enumeration."""
    before, after = text[max(0, start - 3) : start], text[end : end + 1]
    return not re.search(r"[一-龠々ァ-ヴーのる]$|又は$|及び$|くは$|びに$|その他$", before) and (
        after in ("は", "に", "が", "へ") or _PROCEDURE.match(text[end:]) is not None
    )


def _timing_gaps(excerpt: Excerpt, statute: Statute) -> Iterator[_Found]:
    used = [word for word in TIMINGS if word in excerpt.text]
    if len(used) == 1 and all(statute.says(word) for word in TIMINGS):
        yield "timing", excerpt.text.index(used[0]), used[0], TIMINGS


def _procedure_gaps(excerpt: Excerpt, statute: Statute) -> Iterator[_Found]:
    for match in _PROCEDURE.finditer(excerpt.text):
        yield "procedure", match.start(1), match[1], statute.procedures


def _term_gaps(excerpt: Excerpt, statute: Statute) -> Iterator[_Found]:
    if match := _TERM.search(excerpt.text):
        alike = [term for term in statute.terms if term[-1] == match[1][-1]]
        yield "term", match.start(1), match[1], alike if len(alike) > _CLOSEST else statute.terms


def _threshold_gaps(excerpt: Excerpt, _: Statute) -> Iterator[_Found]:
    for quantity in quantities(excerpt.text):
        for word in THRESHOLDS:
            if excerpt.text.startswith(word, quantity.end) and quantity.text != MAJORITY:
                yield "threshold", quantity.end, word, THRESHOLDS


def _modality_gaps(excerpt: Excerpt, _: Statute) -> Iterator[_Found]:
    if excerpt.item is None and (forms := command_forms(excerpt.text)):
        right, others = forms
        yield "modality", len(excerpt.text) - len(right) - 1, right, others


def _is_wrong(other: str, gap: Gap, excerpt: Excerpt, statute: Statute) -> bool:
    """Return whether a choice cannot be right: it is another thing, and what it makes is nowhere said."""
    if other in gap.right or gap.right in other:
        return False
    text = excerpt.text
    if gap.kind in ("actor", "timing", "procedure", "term") and other in excerpt.quote(text):
        return False
    return not statute.says(with_gap_filled(text, gap, other))


def _apart(names: Iterable[str]) -> list[str]:
    """Return the names of which none is part of another kept before it: 裁判所 and 受訴裁判所 do not go
    together.
    """
    kept: list[str] = []
    for name in names:
        if not any(name in other or other in name for other in kept):
            kept.append(name)
    return kept


def with_gap_filled(text: str, gap: Gap, words: str) -> str:
    """Return the excerpt with these words in the gap."""
    return text[: gap.start] + words + text[gap.start + len(gap.right) :]


def _draft(excerpt: Excerpt, gap: Gap, wrong: Sequence[str], seed: int) -> Draft:
    name = f"{excerpt.provision.key}/{excerpt.name}/{gap.start}"
    stem = _STEMS[int(rank(seed, "stem", name), 16) % len(_STEMS)]
    referred = [provision for ref in excerpt.references for provision in ref.provisions]
    return Draft(
        type="cloze",
        kind=gap.kind,
        provisions=(excerpt.provision, *referred),
        text=stem.format(
            law=excerpt.provision.law,
            name=excerpt.name,
            gap=BLANK,
            quote=excerpt.quote(with_gap_filled(excerpt.text, gap, BLANK)),
            note=excerpt.note,
        ),
        right=gap.right,
        wrong=cast("tuple[str, str, str]", tuple(wrong[:3])),
        context=excerpt.context,
        excerpt=excerpt.text,
        facts=(gap.right,),
    )
