"""How many texts of dev questions are written at once between two training steps, from the shape alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lawqa.errors import ConfigError
from lawqa.models.shapes import ModelShape
from lawqa.training.planning.memory import (
    MemorySetting,
    cache_per_token,
    generating_memory,
    lora_parameters,
)

_KEPT_PER_WEIGHT = 4 + 8
"""Bytes that the adapter's float32 weights and AdamW's two moments keep while texts are written."""
_MOST_AT_ONCE = 128
"""As in the decode engine."""


@dataclass(frozen=True)
class DevTexts:
    """One scoring of dev questions by text."""

    texts: int
    """Texts that are written."""
    most_tokens: int
    """Their tokens at most, prompts not counted."""
    cached_tokens: int
    """Tokens of keys and values that the memory holds beside model, adapter and optimiser."""
    at_once: int
    """Texts of full length that are written at once."""

    @property
    def steps(self) -> int:
        """Decoding steps at most: rounds of texts, each of full length."""
        return math.ceil(self.texts / self.at_once) * (self.most_tokens // self.texts)


def dev_texts(
    shape: ModelShape,
    setting: MemorySetting,
    *,
    usable: int,
    prompt_tokens: int,
    texts: int,
    max_new_tokens: int,
) -> DevTexts:
    """Plan one scoring.

    Args:
        shape: the model's.
        setting: quantisation and adapter.
        usable: bytes that may be filled.
        prompt_tokens: of the longest prompt.
        texts: questions times samples.
        max_new_tokens: the most tokens of one text.

    Raises:
        ConfigError: not one text of full length fits.
    """
    kept = lora_parameters(shape, setting) * (_KEPT_PER_WEIGHT + setting.dtype_bytes)
    free = usable - kept
    free -= generating_memory(shape, setting, cached_tokens=0, longest_prompt=prompt_tokens)
    cached = max(0, free) // cache_per_token(shape, setting)
    fitting = cached // (prompt_tokens + max_new_tokens)
    if fitting < 1:
        raise ConfigError(
            f"--dev-max-new-tokens {max_new_tokens}: beside model, adapter and optimiser the memory holds "
            f"{cached:,} tokens of keys and values, and one text of full length needs "
            f"{prompt_tokens + max_new_tokens:,}",
            "lower it, or plan for more --memory",
        )
    return DevTexts(texts, texts * max_new_tokens, cached, min(fitting, texts, _MOST_AT_ONCE))
