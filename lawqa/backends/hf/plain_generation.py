"""transformers' own `generate` on left-padded batches: the reference, and the way for unknown models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import GenerationConfig

from lawqa.backends.base import GenerationSettings, StopReason
from lawqa.backends.hf.batching import left_padded
from lawqa.backends.hf.engine_sequence import ThinkBlocks
from lawqa.backends.hf.engine_stops import Stop, StopRules

Generate = Callable[[Sequence[Sequence[int]], GenerationSettings, Sequence[int]], list[list[int]]]
"""Prompts, settings, stop tokens -> new tokens, perhaps with padding behind a stop token."""


@dataclass(frozen=True)
class Written:
    """One completion."""

    tokens: list[int]
    """Its tokens, without an end token."""
    stopped: StopReason
    """Why it ended."""
    thinking_closed: bool
    """Whether its think block was closed for it."""


def generate_plain(
    model: Any,
    prompts: Sequence[Sequence[int]],
    settings: GenerationSettings,
    stop_ids: Sequence[int],
    pad: int,
    device: torch.device,
) -> list[list[int]]:
    """Tokens after each prompt, up to and with a stop token, or `max_new_tokens` of them.

    What is sampled here depends on the batch: the noise comes from torch's one generator.
    """
    inputs = left_padded(prompts, pad, device)
    del inputs["position_ids"]  # generate derives them from the mask, step by step
    sampling: dict[str, Any] = {"do_sample": False}
    if settings.temperature > 0:
        sampling = {
            "do_sample": True,
            "temperature": settings.temperature,
            "top_k": settings.top_k,
            "top_p": settings.top_p,
            "min_p": settings.min_p or None,
        }
    config = GenerationConfig(
        max_new_tokens=settings.max_new_tokens,
        eos_token_id=list(stop_ids),
        pad_token_id=pad,
        **sampling,
    )
    with torch.no_grad():
        output = model.generate(**inputs, generation_config=config)
    rows: list[list[int]] = output[:, inputs["input_ids"].shape[1] :].tolist()
    return rows


def write_plain(
    generate: Generate,
    prompts: Sequence[Sequence[int]],
    settings: GenerationSettings,
    stop_ids: Sequence[int],
    rules: StopRules,
    blocks: ThinkBlocks | None,
) -> list[Written]:
    """Completions of one batch; a think block that reaches its budget is closed and gone on from.

    Args:
        generate: writes tokens.
        prompts: token ids.
        settings: how tokens are chosen, and how many at most.
        stop_ids: tokens that end a turn.
        rules: when a completion ends.
        blocks: how think blocks end; None where no prompt begins one.
    """
    limit = settings.max_new_tokens
    if blocks is None or blocks.budget is None or blocks.budget >= limit:
        rows = [_upto(row, stop_ids) for row in generate(prompts, settings, stop_ids)]
        return [_written(row, limit, rules, blocks, closed=False) for row in rows]
    ends, first = {*stop_ids, blocks.end}, replace(settings, max_new_tokens=blocks.budget)
    rows = [_upto(row, ends) for row in generate(prompts, first, sorted(ends))]
    closed = [row[-1] not in ends for row in rows]
    for row, late in zip(rows, closed, strict=True):
        row.extend(blocks.closing if late else ())
    open_ended = [n for n, row in enumerate(rows) if row[-1] not in stop_ids and len(row) < limit]
    if open_ended:
        rest = replace(settings, max_new_tokens=limit - min(len(rows[n]) for n in open_ended))
        longer = generate([[*prompts[n], *rows[n]] for n in open_ended], rest, stop_ids)
        for n, row in zip(open_ended, longer, strict=True):
            rows[n].extend(_upto(row, stop_ids))
    return [
        _written(row, limit, rules, blocks, closed=late)
        for row, late in zip(rows, closed, strict=True)
    ]


def _upto(row: Sequence[int], ends: Sequence[int] | set[int]) -> list[int]:
    """What stands before the padding: all up to and with the first of these tokens."""
    at = next((n for n, token in enumerate(row) if token in ends), len(row))
    return list(row[: at + 1])


def _written(
    row: list[int], limit: int, rules: StopRules, blocks: ThinkBlocks | None, *, closed: bool
) -> Written:
    answer_from: int | None = 0
    if blocks is not None:
        answer_from = row.index(blocks.end) + 1 if blocks.end in row else None
    stop = rules.check(row, 0, limit, answer_from) or Stop(len(row), "limit")
    return Written(row[: stop.length], stop.reason, closed)
