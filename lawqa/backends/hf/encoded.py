"""Prompts as the tokens that a model is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lawqa.prompting import Prompt, render


@dataclass(frozen=True)
class Encoded:
    """A prompt in text and tokens."""

    prompt: Prompt
    """What is asked."""
    text: str
    """As the model sees it."""
    ids: list[int]
    """Its tokens."""


def encode(prompt: Prompt, tokenizer: Any, continued: str = "") -> Encoded:
    """Render a prompt with the tokenizer's own chat template.

    Args:
        prompt: what is asked.
        tokenizer: of the model.
        continued: what the assistant's turn already says.

    Raises:
        ConfigError: the tokenizer cannot render it.
    """
    text = render(prompt.messages, tokenizer, thinking=prompt.spec.thinking) + continued
    return Encoded(prompt, text, tokenizer.encode(text, add_special_tokens=False))
