"""What OpenAI-style servers answer, as checked values; what the API does not say raises OddAnswerError."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lawqa.backends.remote.answer import AnswerFields, ChatAnswer
from lawqa.backends.remote.reading import (
    Listed,
    OddAnswerError,
    a_list,
    an_object,
    refuse_error,
    short_text,
    text_or_none,
    tokens_or_none,
    top_tokens,
)

# vLLM, llama.cpp's server, SGLang and OpenAI's own write the first of each, others the rest.
_FIELDS = AnswerFields(
    "finish_reason",
    ended=("stop", "eos", "eos_token", "stop_sequence", "end_turn"),
    cut=("length", "max_tokens"),
    count="usage.completion_tokens",
)
_THINKING = ("reasoning_content", "reasoning", "thinking")


@dataclass(frozen=True)
class OpenAIListing:
    """A model that a server has."""

    owner: str | None
    """Who serves it, such as `vllm`."""


def read_chat(value: object, _headers: Mapping[str, str]) -> ChatAnswer:
    """Return the answer of `/chat/completions`."""
    answer = an_object(value, "the answer")
    refuse_error(answer)
    choices = a_list(answer.get("choices"), "choices")
    if not choices:
        raise OddAnswerError("choices is empty")
    choice = an_object(choices[0], "choices[0]")
    message = an_object(choice.get("message"), "choices[0].message")
    usage = answer.get("usage")
    counts = {} if usage is None else an_object(usage, "usage")
    content = text_or_none(message.get("content"), "message.content")
    # A model that declines in a way of its own has said something all the same.
    refusal = text_or_none(message.get("refusal"), "message.refusal")
    thoughts = (text_or_none(message.get(name), f"message.{name}") for name in _THINKING)
    return ChatAnswer(
        content=content or refusal or "",
        thinking=next((thought for thought in thoughts if thought), ""),
        ended=text_or_none(choice.get("finish_reason"), "finish_reason"),
        prompt_tokens=tokens_or_none(counts.get("prompt_tokens"), "usage.prompt_tokens"),
        completion_tokens=tokens_or_none(
            counts.get("completion_tokens"), "usage.completion_tokens"
        ),
        fingerprint=short_text(answer.get("system_fingerprint")),
        first_tokens=_first_tokens(choice.get("logprobs")),
        fields=_FIELDS,
    )


def read_models(value: object, _headers: Mapping[str, str]) -> dict[str, OpenAIListing]:
    """Return the answer of `/models`: names and what is said of them."""
    answer = an_object(value, "the list of models")
    refuse_error(answer)
    models = {}
    for number, entry in enumerate(a_list(answer.get("data"), "data")):
        listed = an_object(entry, f"data[{number}]")
        name = listed.get("id")
        if not isinstance(name, str):
            raise OddAnswerError(f"data[{number}].id is not a text", name)
        models[name] = OpenAIListing(short_text(listed.get("owned_by")))
    return models


def _first_tokens(value: object) -> Listed | None:
    """Return the likeliest first tokens; empty where nothing was written, None where none are listed."""
    if value is None:
        return None
    given = an_object(value, "logprobs").get("content")
    if given is None:
        return None
    positions = a_list(given, "logprobs.content")
    if not positions:
        return ()
    first = an_object(positions[0], "logprobs.content[0]")
    # Some servers list the token that was chosen and none beside it.
    return top_tokens(first.get("top_logprobs") or [], "top_logprobs") or None
