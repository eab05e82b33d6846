"""What fits on the packed path, measured on the device: what a model's own layers keep no shape can tell.

Three small micro-batches are run to the moment at which memory is fullest, as in a rehearsal. Their peaks
give what is there whatever the tokens, what a token takes, and what a token takes for each block that keeps
what its backward pass needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from lawqa.errors import ConfigError
from lawqa.models.attention.records import RecordSpans
from lawqa.records import IGNORED, TokenizedRecord
from lawqa.training.fast import HookedPath, PackedBatch
from lawqa.training.planning.memory import GIB
from lawqa.training.planning.plan import FRAGMENTED, fastest_budget, fitting_budgets

_TRIED, _FEWEST = 1024, 64
"""Tokens of the records that are tried: at most, and at least where memory is short."""
_MANY = 3
"""Records of the larger micro-batch."""
_MOMENTS_AND_GRADIENT = 12
"""Bytes of a weight that trains: float32 gradient, and AdamW's two moments."""


@dataclass(frozen=True)
class MeasuredMemory:
    """What training takes, as measured."""

    fixed: float
    """Bytes whatever the tokens: weights, adapter, its gradients and moments, one dequantised weight."""
    per_token: float
    """Bytes a token where every block is computed again."""
    per_block: float
    """Bytes a token for each block more than one that keeps what its backward pass needs."""
    blocks: int
    """Blocks that can be computed again."""

    @classmethod
    def of(
        cls, peak: Callable[[int, int], int], tokens: int, blocks: int, besides: int
    ) -> MeasuredMemory:
        """Measure.

        Args:
            peak: the peak in bytes with a number of records and of blocks that keep.
            tokens: of each record.
            blocks: how many can be computed again.
            besides: bytes that are not there yet.
        """
        few, many = peak(1, 0), peak(_MANY, 0)
        per_token = (many - few) / ((_MANY - 1) * tokens)
        per_block = (peak(1, blocks) - few) / ((blocks - 1) * tokens) if blocks > 1 else 0.0
        return cls(few - tokens * per_token + besides, per_token, max(0.0, per_block), blocks)

    def peak(self, tokens: int, kept: int) -> int:
        """Return the bytes of a micro-batch of `tokens` tokens in which `kept` blocks keep theirs."""
        return int(self.fixed + tokens * (self.per_token + max(kept - 1, 0) * self.per_block))


@dataclass(frozen=True)
class MeasuredPlan:
    """A token budget with what it does to the memory, from measurements."""

    memory: MeasuredMemory
    """What takes how much."""
    memory_bytes: int
    """Bytes that there are."""
    usable: int
    """Bytes that the plan may fill."""
    token_budget: int
    """Tokens of one micro-batch."""

    def kept_blocks(self, tokens: int) -> int:
        """Return how many blocks may keep what their backward pass needs in a micro-batch of
        `tokens` tokens.
        """
        return _kept_blocks(self.memory, self.usable, tokens)

    @classmethod
    def of(cls, memory: MeasuredMemory, name: str, *, there: int, longest: int) -> MeasuredPlan:
        """Choose the token budget that trains fastest.

        Args:
            memory: as measured.
            name: the model's.
            there: bytes for tensors, everything included.
            longest: tokens of the longest record, which no budget can be below.

        Raises:
            ConfigError: not even the longest record alone fits.
        """
        usable = int(there * (1 - FRAGMENTED))
        budgets = fitting_budgets(longest, lambda tokens: memory.peak(tokens, 0) <= usable)
        if not budgets:
            needed = memory.peak(longest, 0) / (1 - FRAGMENTED)
            raise _too_little(name, longest, needed, there)
        budget = fastest_budget(
            budgets, memory.blocks, lambda tokens: _kept_blocks(memory, usable, tokens)
        )
        return cls(memory, there, usable, budget)


def learnt_share(records: Sequence[TokenizedRecord]) -> float:
    """Return the largest share of a record's tokens that is learnt."""
    return max(1 - record.labels.count(IGNORED) / len(record.labels) for record in records)


def plan_measured(
    path: HookedPath, model: torch.nn.Module, records: Sequence[TokenizedRecord],
    precision: Callable[[], AbstractContextManager[object]], *, name: str, there: int,
) -> MeasuredPlan:  # fmt: skip
    """Measure what the packed path takes on a CUDA device, and plan with it; random numbers stay as they
    were.

    Args:
        path: the packed path.
        model: PEFT's wrapper, its adapter trainable.
        records: what is learnt.
        precision: makes the context in which losses are computed.
        name: the model's.
        there: bytes for tensors, everything included.

    Raises:
        ConfigError: not even the longest record alone fits.
    """
    longest = max(len(record.input_ids) for record in records)
    learnt = learnt_share(records)
    tokens = max(_FEWEST, min(longest, _TRIED))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    besides = _MOMENTS_AND_GRADIENT * sum(parameter.numel() for parameter in trained)
    device = trained[0].device
    was_training = model.training
    model.train()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            while tokens >= _FEWEST:
                meter = _Meter(path, model, trained, precision, tokens, learnt)
                memory = _measured(meter, path.blocks, besides)
                if memory is not None:
                    return MeasuredPlan.of(memory, name, there=there, longest=longest)
                torch.cuda.empty_cache()
                tokens //= 2
    finally:
        model.train(was_training)
        torch.cuda.empty_cache()
    raise _too_little(name, longest, there, there)


def _measured(meter: _Meter, blocks: int, besides: int) -> MeasuredMemory | None:
    """Return what a meter shows; None where memory is too short for it."""
    try:
        meter(1, 0)  # kernels are compiled, and what is made once is there
        return MeasuredMemory.of(meter, meter.tokens, blocks, besides)
    except torch.OutOfMemoryError:
        return None


@dataclass(frozen=True)
class _Meter:
    """The peak of a micro-batch of the packed path."""

    path: HookedPath
    model: torch.nn.Module
    trained: Sequence[torch.nn.Parameter]
    precision: Callable[[], AbstractContextManager[object]]
    tokens: int
    """Of each record."""
    learnt: float
    """The share of them that is learnt."""

    def __call__(self, records: int, kept: int) -> int:
        """Return the most bytes that tensors take, in a micro-batch of some records."""
        device = self.trained[0].device
        self.path.kept_blocks = lambda _: kept
        self.path.begin_step()
        torch.cuda.reset_peak_memory_stats(device)
        with self.precision():
            loss = self.path.loss(self.model, self._batch(records, device))
        # As in a rehearsal: from the last weights on more is freed than taken.
        last = self.trained[len(self.trained) * 9 // 10 :]
        torch.autograd.grad(loss, last, allow_unused=True)
        peak: int = torch.cuda.max_memory_allocated(device)
        return peak

    def _batch(self, records: int, device: torch.device) -> PackedBatch:
        answer = max(1, min(self.tokens - 1, math.ceil(self.tokens * self.learnt)))
        predicting: Tensor = torch.cat(
            [
                torch.arange(self.tokens - 1 - answer, self.tokens - 1) + number * self.tokens
                for number in range(records)
            ]
        )
        ids = torch.arange(records * self.tokens) % self._vocabulary()
        return PackedBatch(
            input_ids=ids.to(device),
            positions=torch.arange(self.tokens).repeat(records).to(device),
            records=RecordSpans.of([self.tokens] * records, device),
            predicting=predicting.to(device),
            targets=ids[predicting + 1].to(device),
            rows=torch.arange(records).repeat_interleave(answer).to(device),
        )

    def _vocabulary(self) -> int:
        embedding = self.model.get_base_model().get_input_embeddings()
        return int(embedding.weight.shape[0])


def _kept_blocks(memory: MeasuredMemory, usable: int, tokens: int) -> int:
    fitting = (kept for kept in range(memory.blocks, 0, -1) if memory.peak(tokens, kept) <= usable)
    return next(fitting, 0)


def _too_little(name: str, longest: int, needed: float, there: int) -> ConfigError:
    return ConfigError(
        f"{name} with records of {longest} tokens needs more than {needed / GIB:.1f} GiB, there are "
        f"{there / GIB:.1f} GiB",
        "lower --max-seq-length or --lora-r, or take a smaller model",
    )
