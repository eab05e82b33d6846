"""Defaults that follow how questions are put; this decides them, for command line and Python alike.

A setting whose default follows the mode, thinking or the number of samples is None until somebody gives it,
so that a configuration with another prompt spec has the defaults of that one. To add such a setting: a field
of `Resolved` by its name, and its value in `defaults_of`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

AnswerBy = Literal["logits", "generate"]
"""`logits`: the likeliest label of one forward pass; `generate`: parsed from generated text."""

Way = Literal["direct", "cot", "thinking"]
"""How an answer comes about: one letter, reasoning, or a think block, with or without reasoning after it."""

SAMPLED_TEMPERATURE = 0.7
"""Of several samples of one prompt, which greedy decoding would make all the same."""

_MAX_NEW_TOKENS: dict[Way, int] = {"direct": 32, "cot": 1024, "thinking": 4096}


@dataclass(frozen=True)
class Resolved:
    """The settings whose defaults follow how questions are put, each as given, else its default."""

    answer_by: AnswerBy
    max_new_tokens: int
    temperature: float


def way_of(mode: str, *, thinking: bool) -> Way:
    """Return how answers come about in this mode, `direct` or `cot`, with the model's thinking on or off."""
    if thinking:
        return "thinking"
    return "cot" if mode == "cot" else "direct"


def defaults_of(mode: str, *, thinking: bool, samples: int = 1) -> Resolved:
    """Return the defaults for a way of asking.

    Args:
        mode: `direct` or `cot`.
        thinking: whether the model's own thinking is on.
        samples: how many answers to each prompt are drawn.
    """
    way = way_of(mode, thinking=thinking)
    return Resolved(
        answer_by="logits" if way == "direct" and samples == 1 else "generate",
        max_new_tokens=_MAX_NEW_TOKENS[way],
        temperature=SAMPLED_TEMPERATURE if samples > 1 else 0.0,
    )


def resolved(settings: object, defaults: Resolved) -> Resolved:
    """Return each of these settings as it was given; where it is None or no setting there, its default."""
    given = {field.name: getattr(settings, field.name, None) for field in fields(defaults)}
    return replace(defaults, **{name: value for name, value in given.items() if value is not None})
