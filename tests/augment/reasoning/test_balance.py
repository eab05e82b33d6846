"""How many records of each label: as many as there can be while no label has two more than another."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from lawqa.augment.reasoning.balance import Offer, taken_evenly
from lawqa.choices import LABELS

pytestmark = pytest.mark.every_python


@pytest.mark.parametrize("seed", range(30))
def test_no_selection_with_even_labels_is_larger(seed: int) -> None:
    drawn = random.Random(seed)  # noqa: S311 - repeatable
    offers = [
        Offer({label: drawn.choice((0, 0, 1, 2)) for label in LABELS}, drawn.choice((1, 2)))
        for _ in range(drawn.randrange(1, 7))
    ]
    units = [position for position, one in enumerate(offers) for _ in range(one.cap)]
    taken = taken_evenly(offers, units)
    totals = Counter({label: sum(one[label] for one in taken) for label in LABELS})
    assert max(totals.values()) - min(totals[label] for label in LABELS) <= 1
    for own, offer in zip(taken, offers, strict=True):
        assert sum(own.values()) <= offer.cap
        assert all(own[label] <= offer.available[label] for label in LABELS)
    assert sum(totals.values()) == _most(offers)


def _most(offers: Sequence[Offer]) -> int:
    """By trying every combination."""
    reached = {(0, 0, 0, 0)}
    for offer in offers:
        own = [(0, 0, 0, 0)]
        for place, label in enumerate(LABELS):
            own = [
                (*one[:place], one[place] + n, *one[place + 1 :])  # type: ignore[misc]
                for one in own
                for n in range(offer.available[label] + 1)
                if sum(one) + n <= offer.cap
            ]
        reached = {
            tuple(a + b for a, b in zip(one, two, strict=True)) for one in reached for two in own
        }  # type: ignore[misc]
    return max(sum(one) for one in reached if max(one) - min(one) <= 1)
