"""The leak audit: what is on both sides, whoever made the two sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.questions import Question
from lawqa.splits.audit_items import AuditItem, item_of_question
from lawqa.splits.reasons import Reason, pairs_between, told


@dataclass(frozen=True)
class Leak:
    """A pair of items of which one may give away the other."""

    train: str
    """The name of the item that is learnt from."""
    test: str
    """The name of the item that is measured on."""
    reasons: tuple[Reason, ...]
    """All they have in common, the plainest first."""


def find_leaks(
    train: Sequence[Question | AuditItem], test: Sequence[Question | AuditItem]
) -> tuple[Leak, ...]:
    """Return every pair of a training item and a test item that have something in common.

    Args:
        train: questions, or training texts from `item_of_text`; those of one name are one item.
        test: the same. Two training texts are compared by id, fingerprint and paragraph only.

    Returns:
        The pairs in the order of `test`, then of `train`.
    """
    left, right = _items(train), _items(test)
    left_place, right_place = _places(left), _places(right)
    reasons_of: defaultdict[tuple[int, int], set[Reason]] = defaultdict(set)
    for first, second, reason in pairs_between(left, right):
        reasons_of[right_place[right[second].name], left_place[left[first].name]].add(reason)
    return tuple(
        Leak(left[first].name, right[second].name, told(reasons))
        for (second, first), reasons in sorted(reasons_of.items(), key=lambda entry: entry[0])
    )


def _items(items: Sequence[Question | AuditItem]) -> list[AuditItem]:
    return [item_of_question(item) if isinstance(item, Question) else item for item in items]


def _places(items: Sequence[AuditItem]) -> dict[str, int]:
    places: dict[str, int] = {}
    for index, item in enumerate(items):
        places.setdefault(item.name, index)
    return places
