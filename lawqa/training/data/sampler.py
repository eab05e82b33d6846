"""The order in which records are trained on, the same for any number of processes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler


class StepSampler(Sampler[list[int]]):  # type: ignore[misc]  # torch is not checked
    """The records of each optimiser step, and of these the share of one process.

    An epoch is a new permutation, cut into steps whose sizes differ by one at most: a last step of a few
    records would weigh as much as the others. What a step holds depends on seed and epoch alone, so a
    training can go on in the middle, and several processes see together what one would see.

    Args:
        records: how many there are.
        records_per_step: the most of one step, over all processes.
        seed: decides the permutations.
        process: which share is wanted, from 0.
        processes: among how many a step is dealt out; each must get a record.
        rows: how many rows of the data set, one after the other, are one record: 2 where it is a pair.
    """

    def __init__(
        self,
        records: int,
        records_per_step: int,
        seed: int,
        process: int = 0,
        processes: int = 1,
        *,
        rows: int = 1,
    ) -> None:
        self._records = records
        self._steps = -(-records // records_per_step)
        self._seed = seed
        self._process = process
        self._processes = processes
        self._rows = rows
        self.epoch = 0

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + self.epoch) % 2**63)
        order = torch.randperm(self._records, generator=generator).tolist()
        for step in range(self._steps):
            start = step * self._records // self._steps
            end = (step + 1) * self._records // self._steps
            share = order[start:end][self._process :: self._processes]
            yield [self._rows * record + row for record in share for row in range(self._rows)]
