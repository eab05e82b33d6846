"""The flags of model servers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from lawqa.settings import ServerSettings, flags_of, values_of

if TYPE_CHECKING:
    from lawqa.pipelines.evaluation.servers import ServerConfig, ServerKind


@dataclass(frozen=True, kw_only=True)
class ServerFlags(ServerSettings):
    """Model servers, for --llm-backend ollama and openai. Keys come from the environment only."""

    def problems(self, backend: str) -> list[str]:
        """Return what does not fit this backend."""
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
            flags_of(field, "evaluate")[0]
            for field in others
            if getattr(self, field.name) != field.default
        ]
        if given:
            problems.append(f"{', '.join(given)}: for --llm-backend ollama and openai only")
        return problems

    def config(self, backend: str) -> ServerConfig | None:
        """Return what the flags mean; None where the backend is no server.

        Raises:
            ConfigError: there is no model's name, or a limit cannot be.
        """
        from lawqa.pipelines.evaluation.servers import ServerConfig

        if backend not in ("ollama", "openai"):
            return None
        kind: ServerKind = "ollama" if backend == "ollama" else "openai"
        return ServerConfig(**values_of(ServerSettings, self), kind=kind)
