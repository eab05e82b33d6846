"""Records of a batch one after the other, without padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from lawqa.models.attention.records import RecordSpans
from lawqa.records import IGNORED

Batch = dict[str, torch.Tensor]
"""Rows padded to one length: `input_ids`, `labels` and `attention_mask` of shape [records, tokens], and what
there is one of for each record, [records]."""


@dataclass(frozen=True)
class PackedBatch:
    """Records in one row; `tokens` is the sum of their lengths."""

    input_ids: torch.Tensor
    """Token ids, shape [tokens]."""
    positions: torch.Tensor
    """Each token's position in its own record, shape [tokens]."""
    records: RecordSpans
    """Which tokens belong together."""
    predicting: torch.Tensor
    """The positions in the row whose next token is learnt, shape [answer tokens]."""
    targets: torch.Tensor
    """Those next tokens, shape [answer tokens]."""
    rows: torch.Tensor
    """The number, in the batch, of the record that each of them belongs to, shape [answer tokens]."""

    def by_record(self, losses: torch.Tensor) -> torch.Tensor:
        """Sum losses of answer tokens for each record of the batch, [records]."""
        sums = losses.new_zeros(len(self.records.lengths))
        return sums.index_add(0, self.rows, losses)


def pack(batch: dict[str, torch.Tensor]) -> PackedBatch:
    """Take the padding out of a left-padded batch.

    Args:
        batch: `input_ids`, `labels` and `attention_mask` of shape [records, tokens].
    """
    mask = batch["attention_mask"].bool()
    lengths = mask.sum(dim=1)
    positions = (mask.cumsum(dim=1) - 1)[mask]
    labels = batch["labels"][mask]
    learnt = (labels != IGNORED).nonzero().flatten()
    return PackedBatch(
        input_ids=batch["input_ids"][mask],
        positions=positions,
        records=RecordSpans.of(lengths.tolist(), mask.device),
        # A record's first token is never learnt, so the position before is in the same record.
        predicting=learnt - 1,
        targets=labels[learnt],
        rows=mask.nonzero()[:, 0][learnt],
    )


def packed_parts(batch: Batch, token_budget: int) -> Iterator[Batch]:
    """Cut a batch into as few parts of at most `token_budget` tokens as a greedy fill finds, evenly filled.

    A part of few tokens takes nearly as long as a full one: launching its kernels does not depend on tokens.
    Every record is in exactly one part; a record longer than the budget is a part of its own.
    """
    lengths = _lengths(batch)
    for rows in _evenly(lengths, token_budget):
        yield _taken(batch, rows, lengths)


def fullest_part(batch: Batch, token_budget: int) -> Batch:
    """Return the part with the most tokens that records of a batch could make within the budget."""
    lengths = _lengths(batch)
    parts = _greedily(lengths, token_budget)
    return _taken(batch, max(parts, key=lambda rows: sum(lengths[row] for row in rows)), lengths)


def _lengths(batch: Batch) -> list[int]:
    lengths: list[int] = batch["attention_mask"].sum(dim=1).tolist()
    return lengths


def _greedily(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Divide rows into parts: longest records first, each into the fullest part that still holds it."""
    parts: list[tuple[int, list[int]]] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        fitting = [number for number, (tokens, _) in enumerate(parts)
                   if tokens + lengths[row] <= token_budget]  # fmt: skip
        if fitting:
            number = max(fitting, key=lambda number: parts[number][0])
            tokens, rows = parts[number]
            parts[number] = (tokens + lengths[row], [*rows, row])
        else:
            parts.append((lengths[row], [row]))
    return [rows for _, rows in parts]


def _evenly(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Divide rows into as many parts, each into the emptiest; greedily where that breaks the budget."""
    greedy = _greedily(lengths, token_budget)
    even: list[list[int]] = [[] for _ in greedy]
    filled = [0] * len(greedy)
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        number = filled.index(min(filled))
        if even[number] and filled[number] + lengths[row] > token_budget:
            return greedy
        even[number].append(row)
        filled[number] += lengths[row]
    return even


def _taken(batch: Batch, rows: Sequence[int], lengths: Sequence[int]) -> Batch:
    """Return some rows of a batch, as wide as the longest of them."""
    chosen = torch.tensor(rows, device=batch["attention_mask"].device)
    longest = max(lengths[row] for row in rows)
    return {
        key: tensor[chosen] if tensor.dim() == 1 else tensor[chosen, -longest:]
        for key, tensor in batch.items()
    }
