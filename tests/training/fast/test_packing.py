"""Records of a step in as few parts as the budget allows, each about as full as the others."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from lawqa.training.fast.packing import Batch, fullest_part, pack, packed_parts  # noqa: E402

pytestmark = pytest.mark.torch

CLOSED_BOOK = [150 + 37 * n % 260 for n in range(32)]


def batch_of(lengths: list[int]) -> Batch:
    """Records of these lengths, padded on the left; a record's tokens are its number + 1."""
    width = max(lengths)
    mask = torch.stack([torch.arange(width) >= width - length for length in lengths]).long()
    ids = mask * torch.arange(1, len(lengths) + 1)[:, None]
    labels = torch.where(torch.arange(width) >= width - 2, ids, -100)
    return {
        "input_ids": ids, "labels": labels, "attention_mask": mask,
        "record": torch.arange(len(lengths)),
    }  # fmt: skip


def tokens(part: Batch) -> int:
    return int(part["attention_mask"].sum())


@pytest.mark.parametrize(
    "lengths",
    [CLOSED_BOOK, [900, 10, 10, 10], [400, 400, 400], [5], [300, 290, 280, 270, 30, 20, 10, 10]],
    ids=["closed-book", "one long", "alike", "alone", "tight"],
)
@pytest.mark.parametrize("budget", [1, 500, 1000, 4096])
def test_every_record_is_in_one_part_within_the_budget(lengths: list[int], budget: int) -> None:
    parts = list(packed_parts(batch_of(lengths), budget))
    records = torch.cat([part["record"] for part in parts]).tolist()
    assert sorted(records) == list(range(len(lengths)))
    for part in parts:
        assert tokens(part) <= budget or len(part["record"]) == 1
        width = int(part["attention_mask"].sum(dim=1).max())
        assert part["input_ids"].shape[1] == part["labels"].shape[1] == width
        for row, record in zip(pack(part).input_ids.split(part["attention_mask"].sum(dim=1).tolist()),
                               part["record"].tolist(), strict=True):  # fmt: skip
            assert row.tolist() == [record + 1] * lengths[record]


def test_parts_are_filled_alike_and_are_no_more_than_needed() -> None:
    """Filled one after the other, the last of three parts would have a fifth of the others' tokens."""
    batch = batch_of(CLOSED_BOOK)
    parts = list(packed_parts(batch, 4096))
    assert len(parts) == -(-tokens(batch) // 4096) == 3
    assert max(map(tokens, parts)) - min(map(tokens, parts)) < 0.05 * 4096


def test_where_even_parts_would_break_the_budget_they_are_filled_one_after_the_other() -> None:
    parts = list(packed_parts(batch_of([5, 4, 3, 3, 3]), 9))
    assert sorted(map(tokens, parts)) == [9, 9]


def test_a_rehearsal_takes_the_fullest_part_there_could_be() -> None:
    batch = batch_of(CLOSED_BOOK)
    fullest = fullest_part(batch, 4096)
    assert tokens(fullest) > max(map(tokens, packed_parts(batch, 4096)))
    assert 0.95 * 4096 < tokens(fullest) <= 4096
