"""Known tokens of many sequences at once: keys and values into their pages, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.forest_attention import attention_over
from lawqa.backends.hf.prefixes import plant
from lawqa.models.decoder import Decoder


def prefill(
    decoder: Decoder,
    cache: PagedCache,
    sequences: Sequence[Sequence[int]],
    pages: Sequence[list[int]],
    stored: Sequence[int] | None = None,
) -> tuple[torch.Tensor, int]:
    """Store the keys and values of all tokens; common prefixes are computed once.

    Args:
        decoder: the model.
        cache: where they are stored.
        sequences: token ids; none empty.
        pages: for each sequence its pages, enough for its tokens.
        stored: for each sequence how many of its first tokens lie in pages that it shares with another,
            which stores them; None for none.

    Returns:
        Next-token logits, float32, shape [sequences, vocabulary], and the tokens that were computed.
    """
    device = decoder.device
    forest = plant(sequences)
    firsts = stored or [0] * len(sequences)
    flat = [
        torch.cat([torch.arange(start, end) for start, end in forest.spans(leaf)])[first:]
        for leaf, first in zip(forest.leaves, firsts, strict=True)
    ]
    source = torch.cat(flat).to(device)
    places = [
        cache.slots(own, len(tokens))[first:]
        for own, tokens, first in zip(pages, sequences, firsts, strict=True)
    ]
    slots = torch.cat(places).to(device)
    attention = attention_over(forest, decoder)

    def attend(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        cache.layer(layer).store(slots, k[source], v[source])
        return attention(q, k, v)

    last = torch.tensor([forest.last(n) for n in range(len(sequences))], device=device)
    with torch.no_grad():
        stream = decoder.forward(
            torch.tensor(forest.tokens, device=device),
            torch.tensor(forest.positions, device=device),
            attend,
        )
        return decoder.logits(stream[last]), len(forest.tokens)
