"""All pairs of sets of which one nearly contains the other, without comparing every pair.

Prefix filter (Chaudhuri, Ganti and Kaushik, A primitive operator for similarity joins in data cleaning,
ICDE 2006), for containment: if at least a share t of the smaller set A lies in B, then B holds one of any
|A| - ceil(t·|A|) + 1 elements of A. So only sets that share one of A's rarest elements are looked at, found
through an inverted index; each candidate is then measured in full. The result is exact.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from lawqa.splits.material import containment


def contained_pairs(
    left: Sequence[frozenset[str]],
    right: Sequence[frozenset[str]] | None = None,
    *,
    threshold: float,
) -> Iterator[tuple[int, int, float]]:
    """Pairs of sets whose containment reaches the threshold, in no order to rely on.

    Args:
        left: the sets.
        right: other sets, to pair each of `left` with; None to pair the sets of `left` among themselves.
        threshold: the least share, above 0.

    Yields:
        Index in `left`, index in `right` (or a higher index in `left`), containment.
    """
    sets = [*left, *(right or ())]
    border = len(left)
    rarity = Counter(element for one in sets for element in one)
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(sets):
        for element in one:
            if rarity[element] > 1:
                holders[element].append(index)
    for index, one in enumerate(sets):
        for other in _candidates(index, sets, holders, rarity, threshold):
            if right is not None and (index < border) == (other < border):
                continue
            share = containment(one, sets[other])
            if share >= threshold:
                first, second = min(index, other), max(index, other)
                yield first, second - (border if right is not None else 0), share


def _candidates(
    index: int,
    sets: Sequence[frozenset[str]],
    holders: dict[str, list[int]],
    rarity: Counter[str],
    threshold: float,
) -> set[int]:
    """The sets no smaller than this one that hold one of its rarest elements."""
    one = sets[index]
    # The tolerance keeps a share that is exactly the threshold from being lost to rounding.
    needed = max(1, math.ceil(threshold * len(one) - 1e-9))
    rarest = sorted(one, key=lambda element: (rarity[element], element))
    found = {
        other
        for element in rarest[: len(one) - needed + 1]
        if rarity[element] > 1
        for other in holders[element]
    }
    size = len(one)
    return {other for other in found if (len(sets[other]), other) > (size, index)}
