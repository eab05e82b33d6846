"""The join of near-same texts against the plain comparison of all pairs."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.splits.containment import NGRAM, contained_pairs, containment, grams

SETS = st.lists(st.frozensets(st.sampled_from("abcdefghij"), max_size=8), max_size=8)
THRESHOLDS = st.sampled_from([0.1, 0.3, 0.5, 0.6, 2 / 3, 0.7, 1.0])


@pytest.mark.slow
@given(SETS, THRESHOLDS)
def test_within_one_list(sets: list[frozenset[str]], threshold: float) -> None:
    expected = {
        (i, j, containment(sets[i], sets[j]))
        for i, j in combinations(range(len(sets)), 2)
        if containment(sets[i], sets[j]) >= threshold
    }
    found = list(contained_pairs(sets, threshold=threshold))
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.slow
@given(SETS, SETS, THRESHOLDS)
def test_between_two_lists(
    left: list[frozenset[str]], right: list[frozenset[str]], threshold: float
) -> None:
    expected = {
        (i, j, containment(left[i], right[j]))
        for i, j in product(range(len(left)), range(len(right)))
        if containment(left[i], right[j]) >= threshold
    }
    found = list(contained_pairs(left, right, threshold=threshold))
    assert set(found) == expected
    assert len(found) == len(expected)


def test_grams_do_not_cross_the_border_of_two_texts() -> None:
    assert grams(["あ" * NGRAM, "短い"]) == {"あ" * NGRAM, "短い"}
    assert grams([""]) == frozenset()
    assert len(grams(["".join(map(chr, range(0x4E00, 0x4E00 + NGRAM + 3)))])) == 4
