"""What an Ollama server answers, as checked values; what its API does not say raises OddAnswerError."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lawqa.backends.remote.answer import AnswerFields, ChatAnswer
from lawqa.backends.remote.reading import (
    Listed,
    OddAnswerError,
    a_list,
    a_text,
    an_object,
    refuse_error,
    short_text,
    text_or_none,
    tokens_or_none,
    top_tokens,
)
from lawqa.backends.remote.request_error import RequestError

_FIELDS = AnswerFields("done_reason", ended=("stop",), cut=("length",), count="eval_count")


@dataclass(frozen=True)
class OllamaListing:
    """A model that the server has."""

    name: str
    """Its name with its tag."""
    digest: str | None
    """Of its manifest."""


@dataclass(frozen=True)
class ShownModel:
    """What the server knows of a model."""

    template: str
    """The chat template, in Go's template language; empty where there is none."""
    quantisation: str | None
    """Such as `Q4_K_M`."""
    parameters: str | None
    """Such as `8.2B`."""
    family: str | None
    """The architecture."""
    context_length: int | None
    """The longest context it was trained for, in tokens."""
    can_think: bool
    """Whether it has a thinking switch."""


def read_chat(value: object, _headers: Mapping[str, str]) -> ChatAnswer:
    """Return the answer of `/api/chat`, not streamed."""
    answer = an_object(value, "the answer")
    refuse_error(answer)
    _require_done(answer)
    message = an_object(answer.get("message"), "message")
    content = text_or_none(message.get("content"), "message.content") or ""
    thinking = text_or_none(message.get("thinking"), "message.thinking") or ""
    # Ollama leaves a count of 0 out.
    nothing = None if content or thinking else 0
    return ChatAnswer(
        content=content,
        thinking=thinking,
        ended=text_or_none(answer.get("done_reason"), "done_reason") or None,
        prompt_tokens=tokens_or_none(answer.get("prompt_eval_count"), "prompt_eval_count"),
        completion_tokens=tokens_or_none(answer.get("eval_count"), "eval_count") or nothing,
        first_tokens=_first_tokens(answer.get("logprobs")),
        fields=_FIELDS,
    )


def read_loaded(value: object, _headers: Mapping[str, str]) -> None:
    """Check the answer to a chat without messages, which only loads the model."""
    answer = an_object(value, "the answer")
    refuse_error(answer)
    _require_done(answer)


def read_version(value: object, _headers: Mapping[str, str]) -> str:
    """Return the answer of `/api/version`."""
    version = an_object(value, "the answer").get("version")
    if not isinstance(version, str):
        raise RequestError("it does not say its version, so it is not an Ollama server")
    return short_text(version) or "unknown"


def read_models(value: object, _headers: Mapping[str, str]) -> dict[str, OllamaListing]:
    """Return the answer of `/api/tags`, by names."""
    answer = an_object(value, "the list of models")
    refuse_error(answer)
    models = {}
    for number, entry in enumerate(a_list(answer.get("models"), "models")):
        listed = an_object(entry, f"models[{number}]")
        name = a_text(listed.get("model") or listed.get("name"), f"models[{number}].model")
        models[name] = OllamaListing(name, short_text(listed.get("digest")))
    return models


def read_windows(value: object, _headers: Mapping[str, str]) -> dict[str, int | None]:
    """Return the answer of `/api/ps`: the window of each loaded model; None where the server does not say."""
    answer = an_object(value, "the list of loaded models")
    refuse_error(answer)
    windows = {}
    for number, entry in enumerate(a_list(answer.get("models"), "models")):
        loaded = an_object(entry, f"models[{number}]")
        name = a_text(loaded.get("model") or loaded.get("name"), f"models[{number}].model")
        windows[name] = tokens_or_none(
            loaded.get("context_length"), f"models[{number}].context_length"
        )
    return windows


def read_shown(value: object, _headers: Mapping[str, str]) -> ShownModel:
    """Return the answer of `/api/show`."""
    answer = an_object(value, "the answer")
    refuse_error(answer)
    facts = an_object(answer.get("model_info") or {}, "model_info")
    details = an_object(answer.get("details") or {}, "details")
    capabilities = a_list(answer.get("capabilities") or [], "capabilities")
    lengths = [
        tokens_or_none(length, key)
        for key, length in facts.items()
        if key.endswith(".context_length")
    ]
    return ShownModel(
        template=text_or_none(answer.get("template"), "template") or "",
        quantisation=short_text(details.get("quantization_level")),
        parameters=short_text(details.get("parameter_size")),
        family=short_text(details.get("family")),
        context_length=next((length for length in lengths if length), None),
        can_think="thinking" in capabilities,
    )


def _require_done(answer: Mapping[str, object]) -> None:
    done = answer.get("done")
    if done is False or done is None:
        raise RequestError("the server sent an unfinished answer", passing=True)
    if done is not True:
        raise OddAnswerError("done is neither true nor false", done)


def _first_tokens(value: object) -> Listed | None:
    """Return the likeliest first tokens; empty where nothing was written and none are listed."""
    if value is None:
        return None
    positions = a_list(value, "logprobs")
    if not positions:
        return ()
    first = an_object(positions[0], "logprobs[0]")
    listed = first.get("top_logprobs")
    return () if listed is None else top_tokens(listed, "top_logprobs")
