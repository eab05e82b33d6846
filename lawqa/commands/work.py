"""How much a command asks of a model, so that its time follows from the speed of a card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """A part of a command's work on a model; each field is an amount such as `{n_questions} * {votes}`."""

    loads: str = "0"
    """How often the model is loaded."""
    prompts: str = "0"
    """Prompts that are read."""
    prompt_tokens: str = "0"
    """Of each prompt, about."""
    texts: str = "0"
    """Texts that are written."""
    text_tokens: str = "0"
    """Of each text, at most."""
    records: str = "0"
    """Records that are trained on, counted again in every epoch."""
    record_tokens: str = "0"
    """Of each record, about."""


@dataclass(frozen=True)
class Card:
    """A GPU, or a slice of one, by its published rates."""

    id: str
    """What places call it."""
    name_ja: str
    """Its name in documents."""
    tflops: float
    """10^12 operations a second of dense 16-bit matrix products."""
    gb_per_second: float
    """Memory bandwidth, 10^9 bytes a second."""
    source_ja: str
    """Where the two figures come from."""
