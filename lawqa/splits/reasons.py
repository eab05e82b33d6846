"""Why two items must not stand on both sides of a split.

The exact reasons are keys that both items share; the near ones are measured. Both serve groups (pairs within
one set) and the leak audit (pairs between two sets), so a split made of whole groups passes the audit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from lawqa.splits.material import (
    FEW_PARAGRAPHS,
    MAIN_SHARE,
    MIN_PASSAGE,
    NGRAM,
    Material,
    containment,
    grams,
)
from lawqa.splits.near import contained_pairs

Kind = Literal["id", "question", "context", "paragraph", "near context", "near question"]
"""What two items have in common."""

KINDS: tuple[Kind, ...] = get_args(Kind)

NEAR_CONTEXT = 0.5
"""Contexts are near-same if half of the shorter one's n-grams stand in the other.

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
    min_passage: int = MIN_PASSAGE
    """Characters of the shortest context that is compared for nearness."""
    main_share: float = MAIN_SHARE
    """Share of a context that makes a paragraph a main one."""
    few_paragraphs: int = FEW_PARAGRAPHS
    """Up to so many paragraphs, all are main ones."""


RULES = Rules()


@dataclass(frozen=True, order=True)
class Reason:
    """What two items have in common."""

    kind: Kind
    """Which rule found it."""
    detail: str = ""
    """The id, the paragraph, or the share in common."""

    def __str__(self) -> str:
        """In words, for a report."""
        words = {
            "id": "orders of one question",
            "question": "same question and choices",
            "context": "same context",
            "paragraph": f"both quote {self.detail}",
            "near context": f"near-same context ({self.detail})",
            "near question": f"near-same question ({self.detail})",
        }
        return words[self.kind]


Pair = tuple[int, int, Reason]
"""Indices of two items and what they have in common."""


def keys(item: Material) -> Iterator[Reason]:
    """What an item shares exactly with another: those with an equal reason belong together."""
    if item.id:
        yield Reason("id", item.id)
    if item.fingerprint:
        yield Reason("question", item.fingerprint)
    if item.context:
        yield Reason("context", item.context)
    for article in sorted(item.articles):
        yield Reason("paragraph", str(article))


def shown(reason: Reason) -> Reason:
    """The reason as it is stored: a hash or a text as its detail says nothing to a reader."""
    return Reason(reason.kind) if reason.kind in ("question", "context") else reason


def pairs_within(items: Sequence[Material]) -> Iterator[Pair]:
    """Links that hold together what belongs together, exact ones as stars: linear in number.

    Args:
        items: sorted by name, so that the same items give the same links.
    """
    holders: defaultdict[Reason, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        for reason in keys(item):
            holders[reason].append(index)
    for reason in sorted(holders):
        centre, *others = _leaders(reason, holders[reason], items)
        yield from ((centre, other, shown(reason)) for other in others)
    for contexts in (True, False):
        units, sets = _units(items, contexts=contexts)
        for left, right, share in contained_pairs(sets, threshold=_threshold(contexts)):
            first, second = units[left][0], units[right][0]
            if items[first].id == items[second].id != "":
                continue
            if contexts or _choices_near(items[first], items[second]):
                yield min(first, second), max(first, second), _near(share, contexts=contexts)


def pairs_between(left: Sequence[Material], right: Sequence[Material]) -> Iterator[Pair]:
    """All pairs of an item of each side that have something in common, a pair for each reason."""
    holders: defaultdict[Reason, list[int]] = defaultdict(list)
    for index, item in enumerate(left):
        for reason in keys(item):
            holders[reason].append(index)
    for index, item in enumerate(right):
        for reason in keys(item):
            yield from ((holder, index, shown(reason)) for holder in holders.get(reason, ()))
    for contexts in (True, False):
        left_units, left_sets = _units(left, contexts=contexts)
        right_units, right_sets = _units(right, contexts=contexts)
        threshold = _threshold(contexts)
        for one, other, share in contained_pairs(left_sets, right_sets, threshold=threshold):
            for first, second in product(left_units[one], right_units[other]):
                if left[first].loose and right[second].loose:
                    continue  # two training texts are alike by their prompts' wording alone
                if contexts or _choices_near(left[first], right[second]):
                    yield first, second, _near(share, contexts=contexts)


def _leaders(reason: Reason, holders: Sequence[int], items: Sequence[Material]) -> list[int]:
    """One item of each id, and for a paragraph of each context: the others are linked to it already."""
    leaders: list[int] = []
    seen: set[str] = set()
    for index in holders:
        item = items[index]
        marks = {f"id:{item.id}"} if item.id and reason.kind != "id" else set()
        if reason.kind == "paragraph" and item.context:
            marks.add(f"context:{item.context}")
        if not marks & seen:
            leaders.append(index)
        seen |= marks
    return leaders


def _units(
    items: Sequence[Material], *, contexts: bool
) -> tuple[list[list[int]], list[frozenset[str]]]:
    """Items with the same text, as one, and the n-grams of that text."""
    units: dict[tuple[str, ...], list[int]] = {}
    for index, item in enumerate(items):
        if contexts and len(item.passage) >= MIN_PASSAGE:
            units.setdefault((item.context, item.passage), []).append(index)
        elif not contexts and item.asked:
            units.setdefault(item.asked, []).append(index)
    sets = [grams(unit[1:] if contexts else unit) for unit in units]
    return list(units.values()), sets


def _threshold(contexts: bool) -> float:
    return NEAR_CONTEXT if contexts else NEAR_QUESTION


def _near(share: float, *, contexts: bool) -> Reason:
    return Reason("near context" if contexts else "near question", f"{share:.2f}")


def _choices_near(one: Material, other: Material) -> bool:
    return containment(grams(one.choices), grams(other.choices)) >= NEAR_CHOICES
