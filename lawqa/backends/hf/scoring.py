"""Log-probabilities of the labels from one forward pass over many prompts."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch

from lawqa.backends.base import ChoiceScores, Failure
from lawqa.backends.hf.batching import left_padded
from lawqa.backends.hf.encoded import Encoded
from lawqa.backends.hf.engine.cache import workspace_bytes
from lawqa.backends.hf.forest_attention import attention_over
from lawqa.backends.hf.prefixes import plant
from lawqa.models.decoder import Decoder
from lawqa.models.device import free_bytes

MOST_TOKENS = 16384
"""Of a batch on a GPU: more fill no card better."""
_MOST_TOKENS_CPU = 2048
"""More would read `lm_head` a little less often, but answers would come too seldom to tell how long the
rest takes."""
_LEAST_TOKENS = 512
NON_FINITE = (
    "the logits are NaN or infinite: damaged weights, or an overflow of the number type (--dtype)"
)
"""Why an answer fails whose logits are NaN or infinite."""

_TOKENS_A_PROMPT = 64
"""What a prompt adds at least: with all else shared, its own wording."""


def fitting_tokens(decoder: Decoder) -> int:
    """Return tokens of one batch, from the memory that is free; should they not fit, batches are halved."""
    if decoder.device.type != "cuda":
        return _MOST_TOKENS_CPU
    free = free_bytes(decoder.device)
    tokens = MOST_TOKENS
    while tokens > _LEAST_TOKENS and (
        workspace_bytes(decoder, tokens, tokens // _TOKENS_A_PROMPT) > free
    ):
        tokens //= 2
    return tokens


def last_logits_shared(decoder: Decoder, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return next-token logits, float32, shape [prompts, vocabulary]; common prefixes are computed once."""
    forest = plant(prompts)
    attention = attention_over(forest, decoder)
    with torch.no_grad():
        stream = decoder.forward(
            torch.tensor(forest.tokens, device=decoder.device),
            torch.tensor(forest.positions, device=decoder.device),
            lambda _, q, k, v: attention(q, k, v),
        )
        last = torch.tensor([forest.last(n) for n in range(len(prompts))], device=decoder.device)
        return decoder.logits(stream[last])


def last_logits_padded(
    model: torch.nn.Module, prompts: Sequence[Sequence[int]], pad: int, device: torch.device
) -> torch.Tensor:
    """Return the same from transformers' own forward pass over a left-padded batch: the reference."""
    inputs = left_padded(prompts, pad, device)
    with torch.no_grad():
        output = model(**inputs, use_cache=False, logits_to_keep=1)
    logits: torch.Tensor = output.logits[:, -1].float()
    return logits


def choice_scores(
    batch: Sequence[Encoded], logits: torch.Tensor, label_ids: Sequence[list[int]], began: float
) -> list[ChoiceScores | Failure]:
    """Return what the logits say of the four labels; a failure where they are NaN or infinite.

    Args:
        batch: the prompts.
        logits: float32, shape [prompts, vocabulary].
        label_ids: the tokens of each label.
        began: when the batch began, by `time.perf_counter`.
    """
    logprobs = logits.log_softmax(dim=-1)
    per_label = torch.stack([logprobs[:, ids].logsumexp(dim=-1) for ids in label_ids], dim=-1)
    mass = per_label.logsumexp(dim=-1, keepdim=True)
    normalised, masses = (per_label - mass).tolist(), mass.exp()[:, 0].tolist()
    seconds = (time.perf_counter() - began) / len(batch)
    return [
        ChoiceScores(
            key=item.prompt.key,
            logprobs=(row[0], row[1], row[2], row[3]),
            label_mass=min(total, 1.0),
            prompt_text=item.text,
            prompt_tokens=len(item.ids),
            seconds=seconds,
        )
        if all(map(math.isfinite, row))
        else Failure(item.prompt.key, NON_FINITE)
        for item, row, total in zip(batch, normalised, masses, strict=True)
    ]
