"""The collator only pads; the mask is checked on what comes out; micro-batches lose nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lawqa.records import IGNORED
from lawqa.training.data.collate import LeftPadCollator, check_mask, micro_batches

pytestmark = pytest.mark.torch

END = 99


def feature(number: int, prompt: list[int], answer: list[int]) -> dict[str, Any]:
    return {
        "input_ids": prompt + answer,
        "labels": [IGNORED] * len(prompt) + answer,
        "record": number,
        "reading": False,
    }


def batch() -> dict[str, torch.Tensor]:
    return LeftPadCollator(END)(
        [feature(0, [1, 2, 3], [7, END]), feature(1, [4], [8, 9, END]), feature(2, [5], [7, END])]
    )


def test_padding_is_on_the_left_and_carries_no_loss() -> None:
    made = batch()
    assert made["input_ids"].tolist() == [
        [1, 2, 3, 7, END],
        [END, 4, 8, 9, END],
        [END, END, 5, 7, END],
    ]
    assert made["labels"].tolist() == [
        [IGNORED, IGNORED, IGNORED, 7, END],
        [IGNORED, IGNORED, 8, 9, END],
        [IGNORED, IGNORED, IGNORED, 7, END],
    ]
    assert made["attention_mask"].tolist() == [[1] * 5, [0] + [1] * 4, [0, 0, 1, 1, 1]]
    assert made["record"].tolist() == [0, 1, 2]


def test_a_right_batch_passes_also_where_the_padding_token_is_the_end_token() -> None:
    check_mask(batch(), END)


@pytest.mark.parametrize(
    ("row", "column", "label", "problem"),
    [
        (2, 0, END, "padding carries loss"),
        (0, 0, 1, "labelled positions are not the last ones"),
        (0, 3, 8, "labels differ from the input"),
        (0, 4, IGNORED, "labelled positions are not the last ones"),
        (0, 3, IGNORED, "an answer or its end token has no label"),
    ],
)
def test_a_wrong_mask_is_an_error(row: int, column: int, label: int, problem: str) -> None:
    made = batch()
    made["labels"][row, column] = label
    with pytest.raises(AssertionError, match=problem):
        check_mask(made, END)


def test_loss_on_the_whole_prompt_is_an_error() -> None:
    made = LeftPadCollator(END)([{**feature(0, [1], [7, END]), "labels": [1, 7, END]}])
    with pytest.raises(AssertionError, match="the prompt carries loss"):
        check_mask(made, END)


def test_an_answer_that_does_not_end_its_turn_is_an_error() -> None:
    made = LeftPadCollator(END)([feature(0, [1, 2], [7, 8])])
    with pytest.raises(AssertionError, match="the last label does not end the turn"):
        check_mask(made, END)


def test_text_to_read_is_learnt_whole_but_for_its_first_token() -> None:
    reading = {**feature(1, [4], [5, 6]), "reading": True}
    check_mask(LeftPadCollator(END)([feature(0, [1, 2, 3], [7, END]), reading]), END)
    partly = {**feature(1, [4, 5], [6, 7]), "reading": True}
    with pytest.raises(AssertionError, match="text to read is not all learnt"):
        check_mask(LeftPadCollator(END)([partly]), END)


@pytest.mark.slow
@given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.integers(1, 200))
def test_micro_batches_hold_every_record_once_within_the_budget(
    lengths: list[int], budget: int
) -> None:
    features = [feature(i, [i + 1] * n, [1, END]) for i, n in enumerate(lengths)]
    whole = LeftPadCollator(0)(features)
    parts = list(micro_batches(whole, budget))
    seen = [int(number) for part in parts for number in part["record"]]
    assert sorted(seen) == list(range(len(lengths)))
    for part in parts:
        rows, width = part["input_ids"].shape
        assert rows == 1 or rows * width <= budget
        for row, number in enumerate(part["record"].tolist()):
            real = part["attention_mask"][row].bool()
            assert part["input_ids"][row][real].tolist() == features[number]["input_ids"]
            assert part["labels"][row][real].tolist() == features[number]["labels"]
