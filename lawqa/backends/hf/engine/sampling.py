"""The next token of each row: greedy, or sampled with noise that belongs to the row's own sequence."""

from __future__ import annotations

import hashlib
import math

import torch

from lawqa.backends.base import GenerationSettings

_TOP_K_WITHOUT_SORT = 1024
_CHUNK = 64
"""Logits of which the largest is looked at first: of 151,936, 2,374 are these."""


def sampling_key(seed: int, prompt_key: str, repeat: int) -> int:
    """Return what decides the noise of one completion: a signed number of 64 bits."""
    digest = hashlib.sha256(f"{seed}\0{prompt_key}\0{repeat}".encode()).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def next_tokens(
    logits: torch.Tensor, settings: GenerationSettings, keys: torch.Tensor, positions: torch.Tensor
) -> torch.Tensor:
    """Choose a token for each row.

    Temperature, top-k, top-p and min-p apply in this order, as in transformers. The choice is the first
    arrival of exponential clocks, one for each token (the Gumbel-max trick), whose noise is a hash of
    key, position and token id: it does not depend on the rest of the batch.

    Args:
        logits: float32, shape [rows, vocabulary].
        settings: how to choose.
        keys: `sampling_key` of each row, int64, shape [rows].
        positions: where in its sequence the token will be, int64, shape [rows].

    Returns:
        Token ids, int64, shape [rows].
    """
    if settings.temperature == 0:
        return logits.argmax(dim=-1)
    scores, ids = logits, None
    if 0 < settings.top_k <= _TOP_K_WITHOUT_SORT:
        scores, ids = largest(logits, min(settings.top_k, logits.shape[-1]))
    elif settings.top_k or settings.top_p < 1:
        scores, ids = logits.sort(dim=-1, descending=True, stable=True)
        scores = scores[:, : settings.top_k] if settings.top_k else scores
        ids = ids[:, : scores.shape[-1]]
    logprobs = (scores / settings.temperature).log_softmax(dim=-1)
    if settings.top_p < 1:
        probabilities = logprobs.exp()
        before = probabilities.cumsum(dim=-1) - probabilities
        outside = before >= settings.top_p
        outside[:, 0] = False
        logprobs = logprobs.masked_fill(outside, -math.inf)
    if settings.min_p > 0:
        least = logprobs.amax(dim=-1, keepdim=True) + math.log(settings.min_p)
        logprobs = logprobs.masked_fill(logprobs < least, -math.inf)
    if ids is None:
        ids = torch.arange(logits.shape[-1], device=logits.device).expand_as(logprobs)
    chosen = (logprobs - _waiting_times(keys, positions, ids).log()).argmax(dim=-1, keepdim=True)
    return ids.gather(-1, chosen)[:, 0]


def largest(scores: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the largest of each row in falling order, of equal ones those with the lowest index.

    Logits in half precision are often equal, and `Tensor.topk` leaves open which of them it takes: that may
    depend on the number of rows, as its algorithm does. Here chunks are ordered by their largest, equal ones
    by index: an element of the first `count` lies in one of the first `count` chunks, since each chunk before
    its own has an element before it.

    Args:
        scores: shape [rows, width].
        count: how many, at most `width`.

    Returns:
        The scores and their indices, int64, each of shape [rows, count].
    """
    width = scores.shape[-1]
    chunks = width // _CHUNK
    if chunks < 2 * count:
        found, ids = scores.sort(dim=-1, descending=True, stable=True)
        return found[:, :count], ids[:, :count]
    whole = chunks * _CHUNK
    best = scores[:, :whole].unflatten(-1, (chunks, _CHUNK)).amax(dim=-1)
    first = best.sort(dim=-1, descending=True, stable=True).indices[:, :count].sort(dim=-1).values
    column = torch.arange(_CHUNK, device=scores.device)
    rest = torch.arange(whole, width, device=scores.device).expand(len(scores), -1)
    ids = torch.cat([(first[:, :, None] * _CHUNK + column).flatten(1), rest], dim=-1)
    found, at = scores.gather(-1, ids).sort(dim=-1, descending=True, stable=True)
    return found[:, :count], ids.gather(-1, at[:, :count])


def _waiting_times(keys: torch.Tensor, positions: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Return exponentially distributed numbers, float32, shape of `ids`, from a hash (SplitMix64's
    finaliser).
    """
    state = _mix(keys + positions * _signed(0x9E3779B97F4A7C15))[:, None]
    bits = (_mix(state + ids * _signed(0xD1B54A32D192ED03)) >> 32) & 0xFFFFFFFF
    uniform = (bits.float() + 0.5) * 2.0**-32
    return -torch.log1p(-uniform.clamp(max=1 - 2.0**-24))


def _mix(x: torch.Tensor) -> torch.Tensor:
    x = (x ^ _shifted(x, 30)) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ _shifted(x, 27)) * _signed(0x94D049BB133111EB)
    return x ^ _shifted(x, 31)


def _shifted(x: torch.Tensor, by: int) -> torch.Tensor:
    """Return a shift to the right that fills with zeros, which int64 has not of itself."""
    return (x >> by) & ((1 << (64 - by)) - 1)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number
