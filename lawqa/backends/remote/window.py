"""Whether a server saw the whole prompt.

Ollama cuts a prompt that does not fit its context window and answers all the same. Two things keep that out:
the window is asked for so large that no prompt can outgrow it, and the number of prompt tokens that the
server reports is held against what the text must have.

A tokenizer makes our count exact up to the chat template. Without one, a token of a byte-level vocabulary
(Qwen, Llama 3) or of one with byte fallback (Llama 2, Gemma) is at least one byte of UTF-8, so the
bytes of a prompt are a bound that holds for every question; and a prompt of which less than a tenth of the
bytes came back as tokens was cut: on the prompts of lawqa_jp Qwen3's tokenizer gives 0.22 to 0.30 tokens a
byte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lawqa.backends.remote.request_error import RequestError
from lawqa.prompting import Prompt

TokenCount = Callable[[str], int]
"""How many tokens a text has, without special tokens."""

_MOST_BYTES_OF_A_TOKEN = 10
# Role marks, line ends, a think block; some templates add a paragraph of their own (gpt-oss, Llama 3).
_TEMPLATE_TOKENS = 256
_TOKENS_AROUND_A_MESSAGE = 16
# A template may strip a message or write a mark that grows together with its text.
_LOST_AT_THE_EDGES_OF_A_MESSAGE = 4


@dataclass(frozen=True)
class PromptSize:
    """How many tokens a prompt has on a server, chat template included."""

    at_least: int
    """Fewer were not the whole prompt."""
    at_most: int
    """More cannot be."""


def prompt_size(prompt: Prompt, count: TokenCount | None) -> PromptSize:
    """Return bounds of a prompt's length.

    Args:
        prompt: the prompt.
        count: counts with the model's tokenizer; None to bound by bytes.
    """
    contents = [message.content for message in prompt.messages]
    around = _TEMPLATE_TOKENS + _TOKENS_AROUND_A_MESSAGE * len(contents)
    if count is None:
        size = sum(len(content.encode()) for content in contents)
        return PromptSize(size // _MOST_BYTES_OF_A_TOKEN, size + around)
    tokens = sum(count(content) for content in contents)
    lost = _LOST_AT_THE_EDGES_OF_A_MESSAGE * len(contents)
    return PromptSize(max(tokens - lost, 1), tokens + around)


def check_whole(
    size: PromptSize, reported: int | None, *, window: int | None = None, max_new_tokens: int = 0
) -> int:
    """Return the reported number of prompt tokens, if it shows that the whole prompt was read.

    Args:
        size: the bounds of this prompt.
        reported: what the server says; None where it says nothing.
        window: the context window that was asked for; None where the server refuses what does not fit.
        max_new_tokens: the room that the answer needs in the window.

    Raises:
        RequestError: the prompt was cut, or that is unknown.
    """
    if not reported:
        raise RequestError(
            "the server does not say how many tokens the prompt had, so it may have been cut"
        )
    if reported < size.at_least:
        raise RequestError(
            f"the prompt was cut: the server read {reported} tokens of at least {size.at_least}"
        )
    if window is not None and reported + max_new_tokens > window:
        raise RequestError(
            f"the prompt may have been cut: {reported} tokens and an answer of up to "
            f"{max_new_tokens} do not fit the context window of {window}"
        )
    return reported
