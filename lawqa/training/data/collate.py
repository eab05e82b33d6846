"""Batches for training: padding, cutting by token budget, and the check of the mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

import torch

from lawqa.records import IGNORED


class Features(TypedDict):
    """A record as the trainer hands it out."""

    input_ids: list[int]
    labels: list[int]
    """`IGNORED` where nothing is learnt."""
    record: int
    """Its number."""
    reading: bool
    """Whether it is text to read."""


@dataclass(frozen=True)
class LeftPadCollator:
    """Pads on the left, as in evaluation, so that all answers end at the last position.

    It makes no labels: they come with the records.
    """

    pad_token_id: int
    """Fills the padded positions; masked, so any id serves."""

    def __call__(self, features: Sequence[Features]) -> dict[str, torch.Tensor]:
        """Return a batch: `input_ids`, `labels`, `attention_mask` of shape [records, tokens]; `record` (its
        number) and `reading` (whether it is text to read) of shape [records].
        """
        width = max(len(feature["input_ids"]) for feature in features)

        def padded(key: Literal["input_ids", "labels"], fill: int) -> torch.Tensor:
            rows = [feature[key] for feature in features]
            return torch.tensor([[fill] * (width - len(row)) + list(row) for row in rows])

        mask = [[0] * (width - len(f["input_ids"])) + [1] * len(f["input_ids"]) for f in features]
        return {
            "input_ids": padded("input_ids", self.pad_token_id),
            "labels": padded("labels", IGNORED),
            "attention_mask": torch.tensor(mask),
            "record": torch.tensor([feature["record"] for feature in features]),
            "reading": torch.tensor([bool(feature["reading"]) for feature in features]),
        }


def check_mask(batch: dict[str, torch.Tensor], end_token_id: int) -> None:
    """Make sure that loss falls on answer and end of turn, and on nothing else.

    For every row: padding and the prompt carry `IGNORED`; the labelled positions are the last ones, equal
    the input ids, are at least two, and end with the end-of-turn token. Text to read has no prompt and no
    turn: there everything but the first token is learnt.

    Args:
        batch: what the trainer received; tensors of shape [records, tokens].
        end_token_id: the token that ends a turn.

    Raises:
        AssertionError: a row breaks the contract: a bug in lawqa or in a library, never the user's.
    """
    ids, labels, mask = batch["input_ids"], batch["labels"], batch["attention_mask"].bool()
    learnt = labels != IGNORED
    counts = learnt.sum(dim=1)
    columns = torch.arange(labels.shape[1], device=labels.device)
    expected = columns[None, :] >= labels.shape[1] - counts[:, None]
    asked = ~batch["reading"]
    checks = {
        "padding carries loss": not bool((learnt & ~mask).any()),
        "labelled positions are not the last ones": bool((learnt == expected).all()),
        "labels differ from the input": bool((labels[learnt] == ids[learnt]).all()),
        "an answer or its end token has no label": bool((counts >= 2).all()),
        "the prompt carries loss": bool((counts < mask.sum(dim=1)).all()),
        "the last label does not end the turn": bool((labels[asked, -1] == end_token_id).all()),
        "text to read is not all learnt": bool(
            (counts[~asked] == mask.sum(dim=1)[~asked] - 1).all()
        ),
    }
    broken = [problem for problem, holds in checks.items() if not holds]
    if broken:
        raise AssertionError(f"training mask: {'; '.join(broken)}")


def micro_batches(
    batch: dict[str, torch.Tensor], token_budget: int
) -> Iterator[dict[str, torch.Tensor]]:
    """Cut a batch into parts of at most `token_budget` padded tokens, longest records first.

    Every record is in exactly one part; a record longer than the budget is a part of its own.
    """
    lengths = batch["attention_mask"].sum(dim=1)
    order = torch.argsort(lengths, descending=True, stable=True)
    start = 0
    while start < len(order):
        longest = int(lengths[order[start]])
        rows = order[start : start + max(1, token_budget // longest)]
        start += len(rows)
        yield {
            key: tensor[rows] if tensor.dim() == 1 else tensor[rows, -longest:]
            for key, tensor in batch.items()
        }
