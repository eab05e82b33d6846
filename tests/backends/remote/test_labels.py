"""Probabilities of the labels from what a server lists."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.backends.remote.labels import label_of_token, label_scores
from lawqa.choices import LABELS

# --- labels from listed tokens


@pytest.mark.parametrize(
    ("token", "label"),
    [("a", "a"), (" B", "b"), ("\uff43", "c"), ("\uff24", "d"), ("e", None), ("ab", None),
     ("\u00aa", None), ("\u24d0", None), (" \uff41", None),
     ("", None), (" ", None), ("1", None), ("\u30a2", None), ("a.", None), ("  a", None)],
)  # fmt: skip
def test_forms_of_a_label(token: str, label: str | None) -> None:
    assert label_of_token(token) == label


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from([*"abcdABCD", " a", "x", "。"]), st.floats(-40, 0))))
def test_whatever_is_listed_the_scores_are_probabilities(listed: list[tuple[str, float]]) -> None:
    scores = label_scores(listed)
    spelled = [label for token, _ in listed if (label := label_of_token(token))]
    if not spelled:
        assert scores is None
        return
    assert scores is not None
    assert math.fsum(map(math.exp, scores.logprobs)) == pytest.approx(1)
    assert 0 < scores.mass <= 1
    assert set(scores.unlisted) == set(LABELS) - set(spelled)
    best = LABELS[max(range(4), key=scores.logprobs.__getitem__)]
    assert best in spelled  # a label that was not seen never wins


def test_a_label_below_the_list_gets_no_more_than_the_list_leaves() -> None:
    scores = label_scores([("c", math.log(0.999))])
    assert scores is not None
    assert scores.logprobs[0] - scores.logprobs[2] == pytest.approx(
        math.log(0.001 / 0.999), abs=1e-3
    )
    scores = label_scores([("c", math.log(0.5)), ("x", math.log(0.1))])
    assert scores is not None
    assert scores.logprobs[0] - scores.logprobs[2] == pytest.approx(math.log(0.1 / 0.5))


def test_values_that_are_no_numbers_are_not_listed() -> None:
    scores = label_scores([("a", -1.0), ("b", -math.inf), ("c", math.nan), ("d", -9999.0)])
    assert scores is not None
    assert scores.unlisted == ("b", "c")
    assert all(map(math.isfinite, scores.logprobs))
    assert label_scores([("a", -math.inf)]) is None
