"""A look, once a run and on the user's own card, at whether the fast ways give what transformers gives.

It costs one forward pass of transformers over two prompts and, for the decode engine, one launched step
for each height of the kernels' tiles: less than a second beside the kernels' compilation, which would
come anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.prefill import prefill
from lawqa.backends.hf.engine.sequence import Request, Running, fill_rows
from lawqa.backends.hf.engine.steps import Forward, Rows
from lawqa.models.agreement import Agreement, compare_logits, tolerance_of
from lawqa.models.decoder import Decoder

PROMPTS_CHECKED = 2
LONGEST_CHECKED = 2048
"""Tokens of a prompt that are compared: the rest is left out of both ways."""
_HEIGHTS = (1, 17, 33, 65, 129)
"""Numbers of rows of which each takes a higher tile than the one before."""


class DisagreementError(Exception):
    """The fast way gives other probabilities than transformers; the text says how far they differ."""


ReferenceLogits = Callable[[Sequence[Sequence[int]]], torch.Tensor]
"""Token ids of prompts -> transformers' next-token logits, shape [prompts, vocabulary]."""


def checked_prompts(prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the prompts that are looked at: two, of the usual length and from different questions."""
    ordered = sorted(prompts, key=len)
    middle = len(ordered) // 2
    return [list(ids[:LONGEST_CHECKED]) for ids in ordered[middle : middle + PROMPTS_CHECKED]]


def disagreement(reference: torch.Tensor, logits: torch.Tensor, dtype: torch.dtype) -> str | None:
    """Return what is wrong with logits that should be the reference's, or None."""
    agreement: Agreement = compare_logits(reference, logits)
    tolerance = tolerance_of(dtype)
    if agreement.within(tolerance):
        return None
    return (
        f"log-probabilities other than transformers': {agreement}; {tolerance.largest} and "
        f"{tolerance.mean} are allowed"
    )


def decoding_disagreement(
    decoder: Decoder, cache: PagedCache, forward: Forward, prompts: Sequence[Sequence[int]],
    reference: torch.Tensor, most_rows: int,
) -> str | None:  # fmt: skip
    """Return why this decoding step cannot be used here, or None where it gives transformers' probabilities.

    Args:
        decoder: the model.
        cache: its pages; none is kept.
        forward: the step.
        prompts: of at least 2 tokens.
        reference: transformers' next-token logits for them, shape [prompts, vocabulary].
        most_rows: the most rows that steps will have.
    """
    for height in _HEIGHTS:
        rows = min(max(height, len(prompts)), most_rows)
        if rows < height:
            break
        try:
            decoded = step_logits(decoder, cache, forward, prompts, rows)
        # Too little shared memory, no compiler, an unknown card: each fails with an error of its own.
        except Exception as problem:  # noqa: BLE001
            return f"{rows} rows: {type(problem).__name__}: {str(problem)[:300]}"
        repeated = reference[[row % len(prompts) for row in range(rows)]]
        reason = disagreement(repeated, decoded, cache.precision)
        if reason is not None:
            return f"{rows} rows: {reason}"
    return None


def step_logits(
    decoder: Decoder, cache: PagedCache, forward: Forward, prompts: Sequence[Sequence[int]], rows: int
) -> torch.Tensor:  # fmt: skip
    """Return next-token logits, float32, shape [rows, vocabulary], of prompts whose last token is a step.

    Args:
        decoder: the model.
        cache: its pages; all that are taken are given back.
        forward: the step.
        prompts: of at least 2 tokens; where there are more rows than prompts, they come again and again.
        rows: rows of the step.

    Raises:
        ValueError: the cache has too few free pages.
    """
    longest = max(map(len, prompts))
    state = Rows.empty(rows, cache.pages_for(longest), 1, 1, decoder.device)
    sequences: list[Running] = []
    try:
        for ids in prompts:
            pages = cache.take(len(ids))
            if pages is None:
                raise ValueError(f"{cache.free} pages are free, {len(ids)} tokens need more")
            sequences.append(Running(Request(0, tuple(ids), 0, 1), pages=pages))
        pages_of = [sequence.pages for sequence in sequences]
        prefill(decoder, cache, [ids[:-1] for ids in prompts], pages_of)
        for sequence in sequences:
            sequence.cached = sequence.length - 1
        repeated = [sequences[row % len(sequences)] for row in range(rows)]
        fill_rows(state, repeated, [sequence.pending(1) for sequence in repeated])
        with torch.no_grad():
            return decoder.logits(forward(state, longest))
    finally:
        for sequence in sequences:
            cache.give_back(sequence.pages)
