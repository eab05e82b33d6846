"""Prompts and completions as they are stored, where a server applies the chat template itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lawqa.backends.remote.request_error import RequestError
from lawqa.prompting import Message, Prompt
from lawqa.thinking import closes_thought, open_thought

_OPEN, _CLOSED = "<think>", "</think>"
_SETTING = (
    "start it without a reasoning parser (vLLM, SGLang: --reasoning-parser; "
    "llama.cpp: --reasoning-format none)"
)
# An end token, and the tags of an empty think block with the line feeds around them.
_TOKENS_OF_NOTHING = 6
_NAMES_SHOWN = 20


def chat(prompt: Prompt) -> list[dict[str, str]]:
    """Return the messages as a server takes them."""
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def sent_text(messages: Sequence[Message]) -> str:
    """Return the messages as one text for the record; the server's chat template is not in it."""
    return "\n\n".join(f"{message.role}: {message.content}" for message in messages)


@dataclass(frozen=True)
class WrittenText:
    """What a model wrote, as a server of either protocol reports it."""

    content: str
    """The answer; empty where there is none."""
    thinking: str
    """What the server took out of the text as thinking; empty where nothing was."""
    hit_limit: bool
    """Whether it ran into the limit of new tokens."""
    tokens: int
    """How many tokens it has."""


def begins_in_thought(written: WrittenText, *, thinking: bool) -> bool:
    """Return whether a text was cut off inside a thought that the server's chat template opened.

    The template of a model that only thinks opens the block in the prompt, which is not seen here. Where
    thinking was asked for, a text that ran into its limit without any mark of a thought is one.
    """
    content = written.content
    marked = closes_thought(content) or open_thought(content) is not None
    return thinking and written.hit_limit and not written.thinking and not marked


def raw_text(written: WrittenText, *, thinking: bool) -> str:
    """Return what a model wrote as one raw text, as a model with think blocks writes it.

    A think block that ran into the limit before any answer stays open, so that it is seen as truncated.

    A server with a reasoning parser looks for the closing tag of a think block. With thinking off the
    model writes no tag, and some parsers (vLLM's for DeepSeek-R1 and Qwen3, SGLang's) then call the whole
    answer thinking. Such a text is the answer; where it was also cut off it may be either.

    Args:
        written: the parts.
        thinking: whether thinking was asked for.

    Raises:
        RequestError: the server kept the text back, or thinking cannot be separated from the answer.
    """
    content, thought = written.content, written.thinking
    if not thought:
        if not content and written.tokens > _TOKENS_OF_NOTHING:
            raise RequestError(
                f"the model wrote {written.tokens} tokens and the server's answer has none of them: "
                f"{_SETTING}"
            )
        return content
    if not content and _CLOSED in thought:
        return thought if thought.lstrip().startswith(_OPEN) else f"{_OPEN}\n{thought}"
    if not content and not thinking:
        if written.hit_limit:
            raise RequestError(
                "the server calls the whole text thinking although thinking is off, and it was cut off, so "
                f"it may be either: {_SETTING}"
            )
        return thought
    if written.hit_limit and not content:
        return f"{_OPEN}\n{thought}"
    return f"{_OPEN}\n{thought}\n{_CLOSED}\n\n{content}"


def few_names(names: Collection[str]) -> str:
    """Return the names of a server's models for a message, not more of them than anybody reads."""
    shown = ", ".join(name[:100] for name in sorted(names)[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or "none"
