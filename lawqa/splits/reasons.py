"""Why two items must not be on both sides of a split.

The exact reasons are keys that both items share; the near ones are measured. Both serve groups (pairs within
one set) and the leak audit (pairs between two sets), so a split made of whole groups passes the audit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from lawqa.splits.audit_items import FEW_PARAGRAPHS, MAIN_SHARE, MIN_PASSAGE, AuditItem
from lawqa.splits.containment import NGRAM, contained_pairs, containment, grams
from lawqa.splits.stems import MIN_OWN, MIN_STEM, is_known_with, is_specific

LinkKind = Literal[
    "id",
    "question",
    "question and answer",
    "context",
    "paragraph",
    "near context",
    "near question",
    "question text",
]
"""What two items have in common."""

LINK_KINDS: tuple[LinkKind, ...] = get_args(LinkKind)

# What says nothing more where the first is true.
_IMPLIED: dict[LinkKind, tuple[LinkKind, ...]] = {
    "question": ("near question", "question and answer", "question text"),
    "question and answer": ("question text",),
    "context": ("near context",),
    "near question": ("question and answer", "question text"),
}

NEAR_CONTEXT = 0.5
"""Contexts are near-same if half of the shorter one's n-grams are in the other.

Among the 140 questions, pairs that quote no common paragraph lie at 0.70 (地代 and 借賃 in 借地借家法 11条
and 32条, one wording), at 0.62 (one entry of a guideline quoted by both), then at 0.46 (the same duty for two
kinds of dealers) and below. Any threshold from 0.47 to 0.62 gives the same groups.
"""

NEAR_QUESTION = 0.6
"""Questions, text and choices, are near-same if the other has this share of the shorter one's n-grams.

Among the 140 questions, pairs without a common source reach 0.48, through titles of statutes repeated in
every choice. A question of 100 to 200 characters stays above 0.6 with four to nine places reworded.
"""

NEAR_CHOICES = 0.5
"""… and this share of the choices' n-grams alone: 「次のうち、正しいものを教えてください」 is no question."""

QUESTION_TEXT = 0.9
"""Texts of questions, whatever the choices, are the same if the other has this share of the shorter's grams.

Only texts that say by themselves what they ask (`stems`). Among the 140 questions no two of these reach it;
the nearest, at 0.88, quote one context.
"""


@dataclass(frozen=True)
class Rules:
    """What counts as near, to be kept with every split that was made by it."""

    ngram: int = NGRAM
    """Characters of an n-gram."""
    near_context: float = NEAR_CONTEXT
    """Least containment of two contexts."""
    near_question: float = NEAR_QUESTION
    """Least containment of two questions with their choices."""
    near_choices: float = NEAR_CHOICES
    """Least containment of their choices alone."""
    question_text: float = QUESTION_TEXT
    """Least containment of their texts alone."""
    min_stem: int = MIN_STEM
    """Characters of the shortest text that is compared alone."""
    min_own: int = MIN_OWN
    """Least n-grams without stock words of a text that is compared alone, or with its right answer."""
    min_passage: int = MIN_PASSAGE
    """Characters of the shortest context that is compared for nearness."""
    main_share: float = MAIN_SHARE
    """Share of a context that makes a paragraph a main one."""
    few_paragraphs: int = FEW_PARAGRAPHS
    """Up to N paragraphs, all are main ones."""


LINK_RULES = Rules()


@dataclass(frozen=True, order=True)
class Reason:
    """What two items have in common."""

    kind: LinkKind
    """Which rule found it."""
    detail: str = ""
    """The id, the paragraph, or the share in common."""

    def __str__(self) -> str:
        """Return the text for a report."""
        words = {
            "id": "orders of one question",
            "question": "same question and choices",
            "question and answer": "same question text and right answer",
            "context": "same context",
            "paragraph": f"both quote {self.detail}",
            "near context": f"near-same context ({self.detail})",
            "near question": f"near-same question ({self.detail})",
            "question text": f"same question text ({self.detail})",
        }
        return words[self.kind]


LinkedPair = tuple[int, int, Reason]
"""Indices of two items and what they have in common."""


def keys(item: AuditItem) -> Iterator[Reason]:
    """Yield what an item shares exactly with another: those with an equal reason belong together."""
    if item.id:
        yield Reason("id", item.id)
    if item.fingerprint:
        yield Reason("question", item.fingerprint)
    if item.stem:
        # The fingerprint is stored in manifests and takes numbers as they are written; this one does not.
        yield Reason("question", "\n".join(item.asked))
        if is_specific(item.stem):
            yield Reason("question text", item.stem)
        if is_known_with(item.stem, item.right):
            yield Reason("question and answer", _stem_and_right(item))
    if item.context:
        yield Reason("context", item.context)
    for article in sorted(item.articles):
        yield Reason("paragraph", str(article))


def shown(reason: Reason) -> Reason:
    """Return the reason as it is stored: a hash or a text as its detail says nothing to a reader."""
    if reason.kind == "question text":
        return Reason(reason.kind, _share(1))
    texts = ("question", "question and answer", "context")
    return Reason(reason.kind) if reason.kind in texts else reason


def told(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return the reasons of one pair without those that another implies, the plainest first."""
    every = set(reasons)
    implied = {kind for reason in every for kind in _IMPLIED.get(reason.kind, ())}
    kept = (reason for reason in every if reason.kind not in implied)
    return tuple(sorted(kept, key=lambda reason: (LINK_KINDS.index(reason.kind), reason.detail)))


def pairs_within(items: Sequence[AuditItem]) -> Iterator[LinkedPair]:
    """Yield links that hold together what belongs together, exact ones as stars: linear in number.

    Args:
        items: sorted by name, so that the same items give the same links.
    """
    reasons_of: defaultdict[tuple[int, int], list[Reason]] = defaultdict(list)
    holders: defaultdict[Reason, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        for reason in keys(item):
            holders[reason].append(index)
    for reason in sorted(holders):
        centre, *others = _leaders(reason, holders[reason], items)
        for other in others:
            reasons_of[centre, other].append(shown(reason))
    for view in _VIEWS:
        units, sets = _units(items, view)
        for left, right, share in contained_pairs(sets, threshold=view.threshold):
            first, second = units[left][0], units[right][0]
            if items[first].id == items[second].id != "":
                continue
            if view.accepts(items[first], items[second]):
                pair = min(first, second), max(first, second)
                reasons_of[pair].append(Reason(view.kind, _share(share)))
    for (first, second), reasons in reasons_of.items():
        yield from ((first, second, reason) for reason in told(reasons))


def pairs_between(left: Sequence[AuditItem], right: Sequence[AuditItem]) -> Iterator[LinkedPair]:
    """Yield all pairs of an item of each side that have something in common, a pair for each reason."""
    holders: defaultdict[Reason, list[int]] = defaultdict(list)
    for index, item in enumerate(left):
        for reason in keys(item):
            holders[reason].append(index)
    for index, item in enumerate(right):
        for reason in keys(item):
            yield from ((holder, index, shown(reason)) for holder in holders.get(reason, ()))
    for view in _VIEWS:
        left_units, left_sets = _units(left, view)
        right_units, right_sets = _units(right, view)
        for one, other, share in contained_pairs(left_sets, right_sets, threshold=view.threshold):
            for first, second in product(left_units[one], right_units[other]):
                if left[first].loose and right[second].loose:
                    continue  # two training texts are alike by their prompts' wording alone
                if view.accepts(left[first], right[second]):
                    yield first, second, Reason(view.kind, _share(share))


def _leaders(reason: Reason, holders: Sequence[int], items: Sequence[AuditItem]) -> list[int]:
    """Return one item of each id, question or, for a paragraph, context: the others are linked
    to it already.
    """
    leaders: list[int] = []
    seen: set[str] = set()
    for index in holders:
        item = items[index]
        marks = {f"id:{item.id}"} if item.id and reason.kind != "id" else set()
        if reason.kind == "paragraph" and item.context:
            marks.add(f"context:{item.context}")
        if reason.kind in ("question and answer", "question text"):
            marks.add("asked:" + "\n".join(item.asked))
        if reason.kind == "question text":
            marks.add("answer:" + _stem_and_right(item))
        if not marks & seen:
            leaders.append(index)
        seen |= marks
    return leaders


@dataclass(frozen=True)
class _View:
    """One way to measure how near two items are."""

    kind: LinkKind
    threshold: float
    unit: Callable[[AuditItem], tuple[str, ...]]
    """What makes items one for it: a mark, and the texts to measure; empty where there is nothing to."""
    accepts: Callable[[AuditItem, AuditItem], bool]
    """Whether a pair above the threshold counts."""


def _passage(item: AuditItem) -> tuple[str, ...]:
    return (item.context, item.passage) if len(item.passage) >= MIN_PASSAGE else ()


def _asked(item: AuditItem) -> tuple[str, ...]:
    return ("", *item.asked) if item.asked else ()


def _text(item: AuditItem) -> tuple[str, ...]:
    if item.loose:
        return ("loose", item.passage) if len(item.passage) >= MIN_STEM else ()
    return ("", item.stem) if is_specific(item.stem) else ()


def _choices_near(one: AuditItem, other: AuditItem) -> bool:
    return containment(grams(one.choices), grams(other.choices)) >= NEAR_CHOICES


def _text_held(one: AuditItem, other: AuditItem) -> bool:
    """Return a training text may hold a question's text, but what is held in that text is a stock phrase."""
    shorter = min(one, other, key=lambda item: len(item.passage if item.loose else item.stem))
    return not shorter.loose


_VIEWS = (
    _View("near context", NEAR_CONTEXT, _passage, lambda *_: True),
    _View("near question", NEAR_QUESTION, _asked, _choices_near),
    _View("question text", QUESTION_TEXT, _text, _text_held),
)


def _units(items: Sequence[AuditItem], view: _View) -> tuple[list[list[int]], list[frozenset[str]]]:
    """Return items with the same text, as one, and the n-grams of that text."""
    units: dict[tuple[str, ...], list[int]] = {}
    for index, item in enumerate(items):
        if unit := view.unit(item):
            units.setdefault(unit, []).append(index)
    return list(units.values()), [grams(unit[1:]) for unit in units]


def _share(share: float) -> str:
    return f"{share:.2f}"


def _stem_and_right(item: AuditItem) -> str:
    return f"{item.stem}\n{item.right}"
