"""From the bytes that a server sent to values of known types, each checked before it is used.

The readers of both protocols are made of these. Whatever does not fit raises `OddAnswerError`, which says
where and quotes what came, so that the question fails and the others are asked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

from lawqa.backends.remote.request_error import RequestError
from lawqa.errors import printable
from lawqa.files import strict_json

_LONGEST_QUOTE = 80
_MOST_TOKENS = 10**9  # a thousand times the longest context of any model
_ROUNDING = 1e-3  # servers compute in single or half precision

Default = TypeVar("Default")
Listed = tuple[tuple[str, float], ...]
"""Tokens with their natural log-probabilities."""


class OddAnswerError(RequestError):
    """A server's answer that is not what its API says.

    Args:
        what: what is wrong with it.
        came: the value that came; quoted, shortened.
    """

    def __init__(self, what: str, came: object = ...) -> None:
        quote = "" if came is ... else f", got {quoted(came)}"
        super().__init__(
            f"the server's answer is not what its API says: {what}{quote}", passing=True
        )


def quoted(value: object) -> str:
    """Return a JSON value as it came, on one line and shortened; without what could move a
    terminal's cursor.
    """
    if isinstance(value, str):
        # Before it is escaped: a text may be as long as a body.
        text = json.dumps(value[: 2 * _LONGEST_QUOTE], ensure_ascii=False)
    elif isinstance(value, Mapping):
        names = ", ".join(str(key)[:_LONGEST_QUOTE] for key in list(value)[:8])
        text = f"an object with {names}" if value else "an empty object"
    elif isinstance(value, list):
        text = f"a list of {len(value)}" if value else "an empty list"
    else:
        text = json.dumps(value)
    text = printable(" ".join(text.split()))
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"


def parsed(raw: bytes, content_type: str) -> object:
    """Return the JSON value of a body.

    Args:
        raw: the body.
        content_type: what the server calls it, for the message where it is something else.

    Raises:
        OddAnswerError: it is empty, not UTF-8, not JSON, nested too deeply, or JSON that two readers read
            differently.
    """
    if not raw.strip():
        raise OddAnswerError("it is empty")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise OddAnswerError(f"byte {problem.start} is not UTF-8") from None
    try:
        return strict_json(text)
    except ValueError as problem:
        called = f" ({content_type})" if content_type and "json" not in content_type else ""
        raise OddAnswerError(f"it is not JSON{called}, {problem}", text.strip()) from None


def error_text(raw: bytes) -> str:
    """Return what a body says of an error: the message of either API, else its text."""
    text = raw.decode("utf-8", errors="replace").strip()
    try:
        value = strict_json(text)
    except ValueError:
        return printable(text[:1000])
    return printable(_message(value) or text[:1000])


def refuse_error(answer: Mapping[str, object]) -> None:
    """Make sure that an answer is not an error with the status of a success.

    Raises:
        RequestError: it is.
    """
    error = answer.get("error")
    if error:
        message = _message(answer) or quoted(error)
        raise RequestError(f"the server answered with an error: {printable(message)}", passing=True)


def an_object(value: object, where: str) -> Mapping[str, object]:
    """Return the value, an object."""
    if isinstance(value, dict):
        return value
    raise _odd(where, "an object", value)


def a_list(value: object, where: str) -> Sequence[object]:
    """Return the value, a list."""
    if isinstance(value, list):
        return value
    raise _odd(where, "a list", value)


def a_text(value: object, where: str) -> str:
    """Return the value, a text."""
    if isinstance(value, str):
        return value
    raise _odd(where, "a text", value)


def text_or_none(value: object, where: str) -> str | None:
    """Return the value, a text; None where it is null or left out."""
    return None if value is None else a_text(value, where)


def short_text(value: object) -> str | None:
    """Return a short text for the manifest, such as a version; None where there is none that can be shown."""
    return printable(value)[:200] if isinstance(value, str) else None


def tokens_or_none(value: object, where: str) -> int | None:
    """Return the value, a number of tokens; None where it is null or left out."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS:
        return value
    raise _odd(where, "a number of tokens", value)


def needed_count(value: int | None, where: str) -> int:
    """Return a number of tokens that must be there."""
    if value is None:
        raise OddAnswerError(f"{where} is missing")
    return value


def top_tokens(value: object, where: str) -> Listed:
    """Return the likeliest tokens of one position with their log-probabilities.

    Two tokens of a vocabulary may be the same text, so a text may come twice; the same text with the same
    log-probability is one token that is listed twice, and counts once.

    Raises:
        OddAnswerError: it is not a list of them, a log-probability is not a number or above 0, or they add up
            to more than 1.
    """
    pairs: dict[tuple[str, float], None] = {}
    for number, entry in enumerate(a_list(value, where)):
        there = f"{where}[{number}]"
        listed = an_object(entry, there)
        token = a_text(listed.get("token"), f"{there}.token")
        pairs[token, _logprob(listed.get("logprob"), f"{there}.logprob")] = None
    total = math.fsum(math.exp(min(logprob, 0.0)) for _, logprob in pairs)
    if total > 1 + _ROUNDING * max(len(pairs), 1):
        raise OddAnswerError(f"the probabilities of {where} add up to {total:.3g}")
    return tuple(pairs)


def _logprob(value: object, where: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        # Some servers write the lowest number there is for a probability of 0.
        if number <= _ROUNDING:
            return min(number, 0.0)
    raise _odd(where, "a log-probability", value)


def _message(value: object) -> str | None:
    """Find the message in `{"error": "…"}` of Ollama, `{"error": {"message": "…"}}` of OpenAI, `detail` of
    others.
    """
    if not isinstance(value, dict):
        return None
    error = value.get("error")
    inner = error if isinstance(error, dict) else value
    candidates = (error, inner.get("message"), inner.get("detail"))
    return next((text[:1000] for text in candidates if isinstance(text, str) and text), None)


def _odd(where: str, expected: str, value: object) -> OddAnswerError:
    return OddAnswerError(f"{where} is not {expected}", value)
