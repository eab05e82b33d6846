"""The flags of model servers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from lawqa.backends.remote import (
    DEFAULT_CONCURRENCY,
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    Limits,
)

if TYPE_CHECKING:
    from lawqa.pipelines.servers import ServerConfig, ServerKind


@dataclass(frozen=True, kw_only=True)
class ServerFlags:
    """Model servers, for --llm-backend ollama and openai. Keys come from the environment only."""

    llm_model: str | None = None
    """The model's name on the server. Without it: qwen3:8b on Ollama."""
    base_url: str | None = None
    """The server's address. Without it: OLLAMA_HOST or this machine; OPENAI_BASE_URL."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds for one answer, its repeats and its waiting on the server included."""
    concurrency: int = DEFAULT_CONCURRENCY
    """How many requests are in flight; 1 for answers that repeat exactly."""
    request_retries: int = DEFAULT_RETRIES
    """How often a request is repeated after an error that may pass."""
    tokenizer: str | None = None
    """The model's tokenizer (directory or cached name): prompts are counted, not bounded by bytes."""

    def problems(self, backend: str) -> list[str]:
        """What does not fit this backend."""
        if backend in ("ollama", "openai"):
            return []
        problems = []
        if self.llm_model is not None:
            problems.append(
                f"--llm-model {self.llm_model} names a model on a server, but the backend is "
                f"{backend}: say --llm-backend ollama, or --hf-model-name for a local model"
            )
        others = [field for field in fields(self) if field.name != "llm_model"]
        given = [
            f"--{field.name.replace('_', '-')}"
            for field in others
            if getattr(self, field.name) != field.default
        ]
        if given:
            problems.append(f"{', '.join(given)}: for --llm-backend ollama and openai only")
        return problems

    def config(self, backend: str) -> ServerConfig | None:
        """What the flags mean; None where the backend is no server.

        Raises:
            ConfigError: there is no model's name, or a limit cannot be.
        """
        from lawqa.pipelines.servers import ServerConfig, model_on_server

        if backend not in ("ollama", "openai"):
            return None
        kind: ServerKind = "ollama" if backend == "ollama" else "openai"
        return ServerConfig(
            kind=kind,
            model=model_on_server(kind, self.llm_model),
            base_url=self.base_url,
            limits=Limits(self.timeout, self.concurrency, self.request_retries),
            tokenizer=self.tokenizer,
        )
