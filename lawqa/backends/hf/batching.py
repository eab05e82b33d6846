"""Batches of prompts by token budget, and what happens when one does not fit the memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from lawqa.models.device import full_memory_named

Item = TypeVar("Item")
Result = TypeVar("Result")

logger = logging.getLogger(__name__)


def run_batches(
    items: Sequence[Item],
    length: Callable[[Item], int],
    token_budget: int,
    answer: Callable[[Sequence[Item]], Sequence[Result]],
    give_up: Callable[[Item, str], Result],
) -> Iterator[Result]:
    """Answer all items in padded batches of at most `token_budget` tokens.

    Longest first, so that a batch that does not fit the memory is met at once. Out of memory halves the
    budget for all that is left; an item that does not fit alone is given up with a reason.

    Args:
        items: what to answer.
        length: how many tokens of a batch an item takes.
        token_budget: padded tokens of one batch; an item longer than this gets a batch of its own.
        answer: answers one batch.
        give_up: the result for an item that cannot be answered.
    """

    def take(waiting: Sequence[Item], budget: int) -> tuple[int, int]:
        size = min(len(waiting), max(1, budget // max(length(waiting[0]), 1)))
        return size, size * length(waiting[0])

    waiting = sorted(items, key=length, reverse=True)
    yield from _in_memory(waiting, take, token_budget, answer, give_up)


def run_packed(
    items: Sequence[Item],
    added: Sequence[int],
    token_budget: int,
    answer: Callable[[Sequence[Item]], Sequence[Result]],
    give_up: Callable[[Item, str], Result],
) -> Iterator[Result]:
    """Answer all items in their order, in batches without padding of at most `token_budget` tokens.

    Out of memory is survived as in `run_batches`.

    Args:
        items: what to answer.
        added: the tokens that each adds to a batch that holds the one before it.
        token_budget: tokens of one batch; an item longer than this gets a batch of its own.
        answer: answers one batch.
        give_up: the result for an item that cannot be answered.
    """
    cost = {id(item): tokens for item, tokens in zip(items, added, strict=True)}

    def take(waiting: Sequence[Item], budget: int) -> tuple[int, int]:
        size, tokens = 1, cost[id(waiting[0])]
        while size < len(waiting) and tokens + cost[id(waiting[size])] <= budget:
            tokens += cost[id(waiting[size])]
            size += 1
        return size, tokens

    yield from _in_memory(list(items), take, token_budget, answer, give_up)


def _in_memory(
    waiting: list[Item],
    take: Callable[[Sequence[Item], int], tuple[int, int]],
    token_budget: int,
    answer: Callable[[Sequence[Item]], Sequence[Result]],
    give_up: Callable[[Item, str], Result],
) -> Iterator[Result]:
    """Answer batch after batch; `take` says how many items the next one has, and how many tokens."""
    while waiting:
        size, tokens = take(waiting, token_budget)
        batch = waiting[:size]
        try:
            with full_memory_named():
                results = answer(batch)
        except torch.OutOfMemoryError:
            results = None  # leave the handler first: the exception holds the tensors of its frames
        if results is None:
            torch.cuda.empty_cache()
            if size == 1:
                yield give_up(batch[0], f"out of memory with {tokens} tokens")
                waiting = waiting[1:]
            token_budget = max(1, min(token_budget, tokens) // 2)
            logger.warning(
                "out of memory with %d prompts of %d tokens: batches of %d tokens from here on",
                size, tokens, token_budget,
            )  # fmt: skip
            continue
        yield from results
        waiting = waiting[size:]


def left_padded(
    rows: Sequence[Sequence[int]], pad: int, device: torch.device
) -> dict[str, torch.Tensor]:
    """Return token ids, attention mask and positions of a left-padded batch; each of shape
    [batch, tokens].
    """
    width = max(map(len, rows))
    ids = [[pad] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    positions = [[0] * (width - len(row)) + list(range(len(row))) for row in rows]
    return {
        "input_ids": torch.tensor(ids, device=device),
        "attention_mask": torch.tensor(mask, device=device),
        "position_ids": torch.tensor(positions, device=device),
    }
