"""What the vote of fewer prompts would have reached: is it worth asking more often?"""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.choices import LABELS, Label
from lawqa.scoring.votes_curve import expected_vote

pytestmark = pytest.mark.every_python


VOTES = st.lists(st.sampled_from((*LABELS, None)), min_size=1, max_size=7)


@given(VOTES, st.sampled_from(LABELS), st.integers(1, 7))
def test_the_curve_is_the_mean_over_all_choices_of_k_prompts(
    votes: list[Label | None], gold: Label, k: int
) -> None:
    k = min(k, len(votes))
    values = []
    for chosen in itertools.combinations(votes, k):
        counts = Counter(vote for vote in chosen if vote)
        level = [label for label in counts if counts[label] == max(counts.values())]
        values.append((gold in level) / len(level) if level else 0.0)
    counts_all = Counter(votes)
    others = tuple(
        sorted(counts_all[label] for label in LABELS if label != gold and counts_all[label])
    )
    found = expected_vote(counts_all[gold], others, counts_all[None], k)
    assert found == pytest.approx(sum(values) / len(values))
