"""Which model server is asked, and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import PLACE, RESULT, SPEED, by_content, named


@dataclass(frozen=True, kw_only=True)
class RequestLimits(Settings):
    """How long a server is waited for, and how many requests it gets at a time."""

    timeout: float = field(default=600.0, metadata=SPEED)
    """Seconds for one answer, its repeats and its waiting in the server's own queue included."""
    concurrency: int = field(default=4, metadata=SPEED)
    """How many requests are in flight; 1 for answers that repeat exactly."""
    retries: int = field(default=3, metadata=named(SPEED, evaluate="--request-retries"))
    """How often a request is repeated after an error that may pass."""


@dataclass(frozen=True, kw_only=True)
class ServerSettings(RequestLimits):
    """Model servers, for --llm-backend ollama and openai. Keys come from the environment only."""

    llm_model: str | None = field(default=None, metadata=by_content(RESULT))
    """The model's name on the server. Without it: qwen3:8b on Ollama."""
    base_url: str | None = field(default=None, metadata=by_content(RESULT))
    """The server's address. Without it: OLLAMA_HOST or this machine; OPENAI_BASE_URL."""
    tokenizer: str | None = field(default=None, metadata=PLACE)
    """The model's tokenizer (directory or cached name): prompts are counted, not bounded by bytes."""
