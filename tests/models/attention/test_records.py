"""Where the records of a packed row lie, and how far their tokens see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.models.attention.records import even_groups

pytestmark = pytest.mark.torch


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60))
def test_padded_groups_hold_every_item_once_and_little_padding(lengths: list[int]) -> None:
    groups = even_groups(lengths)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        padded = len(group) * max(lengths[i] for i in group)
        assert padded - sum(lengths[i] for i in group) <= 0.2 * padded
