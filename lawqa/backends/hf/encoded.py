"""Prompts as the tokens that a model is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lawqa.prompting import Prompt, prompt_thought, render
from lawqa.thinking import ThinkMarks, closes_thought

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Encoded:
    """A prompt in text and tokens."""

    prompt: Prompt
    """What is asked."""
    text: str
    """As the model sees it."""
    ids: list[int]
    """Its tokens."""
    thought: ThinkMarks | None = None
    """The marks of the think block inside which the text ends, where the template opened one."""


def encode(prompt: Prompt, tokenizer: PreTrainedTokenizerBase, continued: str = "") -> Encoded:
    """Render a prompt with the tokenizer's own chat template.

    Args:
        prompt: what is asked.
        tokenizer: of the model.
        continued: what the assistant's turn already says.

    Raises:
        ConfigError: the tokenizer cannot render it.
    """
    text = render(prompt.messages, tokenizer, thinking=prompt.spec.thinking)
    thought = None if closes_thought(continued) else prompt_thought(text)
    text += continued
    return Encoded(prompt, text, tokenizer.encode(text, add_special_tokens=False), thought)
