"""Model servers: which one is asked, and how, as settings; and the backend that asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from lawqa.backends.base import Backend
from lawqa.backends.remote import Limits, require_packages
from lawqa.errors import ConfigError
from lawqa.settings import RESULT, ServerSettings, named, part_of
from lawqa.settings.ranges import require_in_range

ServerKind = Literal["ollama", "openai"]

DEFAULT_OLLAMA_MODEL = "qwen3:8b"
"""The lab's baseline."""


@dataclass(frozen=True, kw_only=True)
class ServerConfig(ServerSettings):
    """A model on a server.

    Raises:
        ConfigError: it has no name, or a limit is out of range.
    """

    kind: ServerKind = field(metadata=named(RESULT, evaluate="--llm-backend"))
    """Which API the server speaks."""

    def __post_init__(self) -> None:
        """Refuse what cannot be asked, before anything else is read or loaded."""
        super().__post_init__()
        require_in_range(self.limits)
        model_on_server(self.kind, self.llm_model)

    @property
    def model(self) -> str:
        """The model's name on the server."""
        return model_on_server(self.kind, self.llm_model)

    @property
    def limits(self) -> Limits:
        """Deadlines, repeats, requests in flight."""
        return part_of(Limits, self)

    def to_json(self) -> dict[str, object]:
        """Return the settings; keys come from the environment and are not among them."""
        return {
            "kind": self.kind,
            "model": self.model,
            "base_url": self.base_url,
            "limits": vars(self.limits),
            "tokenizer": self.tokenizer,
        }


def open_server(config: ServerConfig) -> Backend:
    """Return the backend for this model, which is known to be there.

    Raises:
        ConfigError: there is no address, or it is not one.
        MissingExtraError: the client is not installed.
        BackendError: the server or the model is not there.
    """
    from lawqa.backends.remote.address import find_address

    if config.kind == "ollama":
        address = find_address(
            config.base_url, "OLLAMA_HOST", default="http://127.0.0.1:11434", port=11434
        )
        require_packages("ollama")
        from lawqa.backends.remote.ollama import OllamaBackend

        return OllamaBackend(config.model, address, config.limits, _token_count(config.tokenizer))
    address = find_address(config.base_url, "OPENAI_BASE_URL", port=8000, path="/v1")
    require_packages("openai")
    from lawqa.backends.remote.openai import OpenAIBackend

    return OpenAIBackend(config.model, address, config.limits, _token_count(config.tokenizer))


def model_on_server(kind: ServerKind, name: str | None) -> str:
    """Return the model's name, or the default where there is one.

    Raises:
        ConfigError: there is none.
    """
    if name:
        return name
    if kind == "ollama":
        return DEFAULT_OLLAMA_MODEL
    raise ConfigError(
        "--llm-backend openai needs --llm-model",
        "the model's name on the server, see its /v1/models",
    )


def _token_count(tokenizer: str | None) -> Callable[[str], int] | None:
    """Return what counts the tokens of a text with this tokenizer; None without one."""
    if tokenizer is None:
        return None
    from lawqa.models import require_packages as require_hf_packages

    require_hf_packages()
    from lawqa.models.pretrained import load_tokenizer

    loaded = load_tokenizer(tokenizer)
    return lambda text: len(loaded.encode(text, add_special_tokens=False))
