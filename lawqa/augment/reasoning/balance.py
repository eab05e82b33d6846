"""How many records of each label: as many as there can be while no label has two more than another.

A question offers traces under one label or several, as it was asked in several orders. Giving each label
its share is a matching of questions and labels with capacities: a question that is placed under one label may
move to another of its own to make room (augmenting paths; four labels make them short). What was placed once
stays placed, so what comes first in the order of preference is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lawqa.choices import LABELS, Label


@dataclass(frozen=True)
class Offer:
    """One question with its traces."""

    available: Mapping[Label, int]
    """How many traces it has under each label."""
    cap: int
    """The most of them that are taken."""


def taken_evenly(
    offers: Sequence[Offer], units: Sequence[int], limit: int | None = None
) -> list[dict[Label, int]]:
    """Return how many traces of each offer are taken under each label.

    The labels' totals differ by at most one.

    Args:
        offers: the questions.
        units: positions in `offers`, the preferred first; a question occurs as often as a trace of it may be
            taken.
        limit: the most in all; None for no limit.
    """
    matching = _Matching(offers)
    waiting = list(units)
    total = 0
    for share in range(1, len(units) + 1):
        placed, waiting = matching.fill(waiting, share, None if limit is None else limit - total)
        total += placed
        if min(matching.counts.values()) < share or total == limit:
            break
    return matching.taken


def taken_freely(
    offers: Sequence[Offer], units: Sequence[int], limit: int | None = None
) -> list[dict[Label, int]]:
    """Return the same with the labels as they come."""
    matching = _Matching(offers)
    matching.fill(units, len(units), limit)
    return matching.taken


@dataclass
class _Matching:
    """What is taken so far."""

    offers: Sequence[Offer]
    taken: list[dict[Label, int]] = field(init=False)
    counts: dict[Label, int] = field(init=False)

    def __post_init__(self) -> None:
        self.taken = [dict.fromkeys(LABELS, 0) for _ in self.offers]
        self.counts = dict.fromkeys(LABELS, 0)
        # By two labels: the questions with a trace taken under the first and one left under the second.
        self._movable: dict[tuple[Label, Label], dict[int, None]] = {
            (one, other): {} for one in LABELS for other in LABELS if one != other
        }

    def fill(self, units: Sequence[int], share: int, limit: int | None) -> tuple[int, list[int]]:
        """Place what can be placed while no label has more than its share.

        Returns:
            How many were placed, and the units that were not.
        """
        placed, left = 0, list[int]()
        reach = self._reach(share)
        for unit in units:
            start = None if placed == limit else self._start(unit, reach)
            if start is None:
                left.append(unit)
                continue
            self._place(unit, start, reach)
            placed += 1
            reach = self._reach(share)
        return placed, left

    def _start(self, unit: int, reach: Mapping[Label, Label | None]) -> Label | None:
        offer, taken = self.offers[unit], self.taken[unit]
        if sum(taken.values()) >= offer.cap:
            return None
        free = [one for one in reach if taken[one] < offer.available.get(one, 0)]
        # The label that has least so far; of equals the first.
        return min(free, key=lambda one: (self.counts[one], one), default=None)

    def _reach(self, share: int) -> dict[Label, Label | None]:
        """Return labels from which room can be reached, each with the next on the way; None where it has
        room.
        """
        reach: dict[Label, Label | None] = {
            label: None for label in LABELS if self.counts[label] < share
        }
        frontier = list(reach)
        while frontier:
            nearer = frontier.pop(0)
            for label in LABELS:
                if label not in reach and self._movable[label, nearer]:
                    reach[label] = nearer
                    frontier.append(label)
        return reach

    def _place(self, unit: int, start: Label, reach: Mapping[Label, Label | None]) -> None:
        self._change(unit, start, 1)
        label = start
        for following in _path(start, reach):
            moved = next(iter(self._movable[label, following]))
            self._change(moved, label, -1)
            self._change(moved, following, 1)
            label = following
        self.counts[label] += 1

    def _change(self, unit: int, label: Label, by: int) -> None:
        self.taken[unit][label] += by
        taken, available = self.taken[unit], self.offers[unit].available
        for (one, other), movable in self._movable.items():
            if taken[one] > 0 and taken[other] < available.get(other, 0):
                movable[unit] = None
            else:
                movable.pop(unit, None)


def _path(start: Label, reach: Mapping[Label, Label | None]) -> Iterator[Label]:
    following = reach[start]
    while following is not None:
        yield following
        following = reach[following]
