"""Where the records of a packed row lie, and how far their tokens see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor

_WASTE = 0.2
"""How much of a call may be padding."""

KeptTensors = tuple[Tensor, ...]


@dataclass(frozen=True)
class Reach:
    """How the tokens of a layer see each other."""

    scale: float
    """The factor of the scores before the softmax."""
    window: int | None = None
    """The most tokens that one sees, itself included; None for all before it."""
    softcap: float | None = None
    """Scores are capped to softcap * tanh(scores / softcap); None for no cap."""


@dataclass(frozen=True)
class PaddedRows:
    """Records of like length as rows, padded on the right, where causality hides padding from every token."""

    own: Tensor
    """Indices of the rows' tokens, [records, length]; padding repeats a record's first token."""
    real: Tensor
    """What is no padding, [records, length]."""
    targets: Tensor
    """`own` without padding, [tokens]."""


@dataclass(frozen=True)
class RecordSpans:
    """Where records lie in a row of packed tokens."""

    starts: Tensor
    """Where each starts, and the end of the last; int32, [records + 1]."""
    lengths: tuple[int, ...]
    """Tokens of each."""

    @property
    def longest(self) -> int:
        """Tokens of the longest."""
        return max(self.lengths)

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> RecordSpans:
        """Return records of these lengths, one after the other."""
        starts = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device)
        return cls(starts, tuple(lengths))

    @cached_property
    def grids(self) -> tuple[PaddedRows, ...]:
        """All records, as grids with little padding."""
        firsts = [0, *accumulate(self.lengths)]
        return tuple(self._grid(group, firsts) for group in even_groups(self.lengths))

    def tiles(self, rows: int) -> Tensor:
        """Return (record, first token) of each stretch of at most `rows` tokens; int32, [tiles, 2].

        The longest records' tiles come first: they take the longest.
        """
        known: dict[int, Tensor] = self.__dict__.setdefault("_tiles", {})
        if rows not in known:
            firsts = [0, *accumulate(self.lengths)]
            order = sorted(range(len(self.lengths)), key=lambda number: -self.lengths[number])
            pairs = [
                (number, start)
                for number in order
                for start in reversed(range(firsts[number], firsts[number + 1], rows))
            ]
            known[rows] = torch.tensor(pairs, dtype=torch.int32, device=self.starts.device)
        return known[rows]

    def _grid(self, group: Sequence[int], firsts: Sequence[int]) -> PaddedRows:
        columns = torch.arange(max(self.lengths[number] for number in group))[None, :]
        starts = torch.tensor([firsts[number] for number in group])[:, None]
        real = columns < torch.tensor([self.lengths[number] for number in group])[:, None]
        own = torch.where(real, starts + columns, starts)
        device = self.starts.device
        return PaddedRows(own.to(device), real.to(device), own[real].to(device))


def even_groups(lengths: Sequence[int]) -> list[list[int]]:
    """Return numbers of items in groups of like length, so that little of a padded group is padding."""
    groups: list[list[int]] = []
    padded = real = 0
    for item in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        longest = lengths[groups[-1][0]] if groups else 0
        padded, real = padded + longest, real + lengths[item]
        if not groups or padded - real > _WASTE * padded:
            groups.append([item])
            padded = real = lengths[item]
        else:
            groups[-1].append(item)
    return groups
