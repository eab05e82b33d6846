"""What fits: token budget and recomputation for a model and an amount of memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lawqa.errors import ConfigError
from lawqa.models.shapes import ModelShape
from lawqa.training.planning.memory import (
    GIB,
    MemorySetting,
    TrainingMemory,
    behind_bytes,
    kept_per_token,
    passing_per_token,
    scores_bytes,
    streams_per_token,
    training_memory,
)

FRAGMENTED = 0.06
"""Share of the memory that torch's allocator holds in pieces that fit nothing (1 to 6% was measured)."""
CONTEXT_BYTES = int(0.6 * GIB)
"""What CUDA's context, cuBLAS and kernels take of a card before the first tensor."""

_LARGEST_BUDGET = 16384
_STEP = 256
_FIXED_TOKENS = 600
"""Launches and dequantisation cost a micro-batch about as much as the forward pass of this many tokens."""
_RECOMPUTED_SHARE = 0.74
"""Of a forward pass; the down projection and what follows is not needed again."""


@dataclass(frozen=True)
class TrainingPlan:
    """A token budget with what it does to the memory."""

    shape: ModelShape
    """The model's."""
    setting: MemorySetting
    """Quantisation, adapter, path."""
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
        return kept_blocks(self.shape, self.setting, self.usable, tokens)

    @property
    def holds_weights(self) -> bool:
        """Whether the weights may stay dequantised beside a full micro-batch in which nothing is recomputed.

        Each micro-batch then starts some ten kernels a linear layer fewer, which decides where layers are
        small.
        """
        if not (self.setting.fast and self.setting.four_bit):
            return False
        dequantised = self.shape.linear_parameters * self.setting.dtype_bytes
        dequantised += behind_bytes(self.shape, self.setting)
        whole = self.kept_blocks(self.token_budget) == self.shape.layers
        return whole and self.memory.total + dequantised <= self.usable

    @property
    def memory(self) -> TrainingMemory:
        """The predicted peak, with a full micro-batch."""
        return training_memory(
            self.shape, self.setting, tokens=self.token_budget,
            kept_blocks=self.kept_blocks(self.token_budget),
        )  # fmt: skip


def plan_training(
    shape: ModelShape, setting: MemorySetting, *, memory: int, longest: int
) -> TrainingPlan:
    """Return the token budget that trains fastest within an amount of memory.

    Fewer tokens leave room to keep more instead of computing it again, more tokens share what a
    micro-batch costs anyway; the plan weighs the two.

    Args:
        shape: the model's.
        setting: quantisation, adapter, path.
        memory: bytes for tensors, everything included (see `usable_memory`).
        longest: tokens of the longest record, which no budget can be below.

    Raises:
        ConfigError: not even the longest record alone fits.
    """
    usable = int(memory * (1 - FRAGMENTED))
    fitting = fitting_budgets(longest, lambda tokens: _fits(shape, setting, usable, tokens))
    if not fitting:
        needed = training_memory(shape, setting, tokens=_round_up(longest), kept_blocks=0).total
        raise ConfigError(
            f"{shape.name} with records of {longest} tokens needs about "
            f"{needed / (1 - FRAGMENTED) / GIB:.1f} GiB, there are {memory / GIB:.1f} GiB",
            "lower --max-seq-length or --lora-r, or take a smaller model"
            + ("" if setting.four_bit else ", or 4-bit weights (--4bit)"),
        )
    budget = fastest_budget(
        fitting, shape.layers, lambda tokens: kept_blocks(shape, setting, usable, tokens)
    )
    return TrainingPlan(shape, setting, memory, usable, budget)


def fitting_budgets(longest: int, fits: Callable[[int], bool]) -> list[int]:
    """Return the token budgets that hold the longest record and fit the memory."""
    fewest = _round_up(longest)
    budgets = range(fewest, max(fewest, _LARGEST_BUDGET) + 1, _STEP)
    return [tokens for tokens in budgets if fits(tokens)]


def fastest_budget(budgets: Sequence[int], blocks: int, kept: Callable[[int], int]) -> int:
    """Return the token budget that trains fastest.

    Args:
        budgets: those to choose from.
        blocks: how many blocks there are to compute again, or not.
        kept: how many of them keep what their backward pass needs, by budget.
    """

    def speed(tokens: int) -> float:
        again = _RECOMPUTED_SHARE * (blocks - kept(tokens)) / max(blocks, 1)
        return tokens / (tokens * (2 + again) + _FIXED_TOKENS)

    return max(budgets, key=speed)


def kept_blocks(shape: ModelShape, setting: MemorySetting, usable: int, tokens: int) -> int:
    """Return how many blocks of a micro-batch may keep what their backward pass needs; 0 on the
    plain path.
    """
    if not setting.fast:
        return 0
    fixed = training_memory(shape, setting, tokens=0, kept_blocks=0).total
    fixed += scores_bytes(shape, tokens)
    per_token = (usable - fixed) / max(tokens, 1)
    spare = per_token - streams_per_token(shape, setting) - passing_per_token(shape, setting)
    block = kept_per_token(shape, setting)
    return max(0, min(shape.layers, math.floor(spare / block)))


def usable_memory(card: int) -> int:
    """Return the bytes for tensors on an empty card of this size."""
    return max(0, card - CONTEXT_BYTES)


def _fits(shape: ModelShape, setting: MemorySetting, usable: int, tokens: int) -> bool:
    return training_memory(shape, setting, tokens=tokens, kept_blocks=0).total <= usable


def _round_up(tokens: int) -> int:
    return max(_STEP, math.ceil(tokens / _STEP) * _STEP)
