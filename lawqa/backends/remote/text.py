"""Prompts and completions as they are stored, where a server applies the chat template itself."""

from __future__ import annotations

from collections.abc import Sequence

from lawqa.prompting import Message, Prompt


def chat(prompt: Prompt) -> list[dict[str, str]]:
    """The messages as a server takes them."""
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def sent_text(messages: Sequence[Message]) -> str:
    """The messages as one text for the record; the server's chat template is not in it."""
    return "\n\n".join(f"{message.role}: {message.content}" for message in messages)


def joined(thinking: str | None, content: str | None, *, hit_limit: bool) -> str:
    """Thinking and answer as one raw text, as a model with think blocks writes it.

    A think block that ran into the limit before any answer stays open, so that it is seen as truncated.
    """
    answer = content or ""
    if not thinking:
        return answer
    if hit_limit and not answer:
        return f"<think>\n{thinking}"
    return f"<think>\n{thinking}\n</think>\n\n{answer}"
