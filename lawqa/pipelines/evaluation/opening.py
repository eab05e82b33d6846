"""The backend that an evaluation's settings name, with its model loaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from lawqa.backends.base import Backend
from lawqa.errors import ConfigError
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.settings import ModelSettings, part_of
from lawqa.stopwatch import part

BackendFactory = Callable[[EvaluationConfig, AdapterManifest | None], Backend]


def open_backend(config: EvaluationConfig, adapter: AdapterManifest | None = None) -> Backend:
    """Return the backend that the settings name, with its model loaded.

    Raises:
        LawqaError: the script, server, model or adapter is not there or does not load.
    """
    match config.server.kind if config.server else config.backend:
        case "hf":
            return _hugging_face(config, adapter)
        case "scripted":
            return _scripted(config)
        case "ollama" | "openai" as kind:
            from lawqa.pipelines.evaluation.servers import ServerConfig, open_server

            return open_server(config.server or ServerConfig(kind=kind))
    # A backend that is not opened above is mypy's to find: this function would return nothing.


def _scripted(config: EvaluationConfig) -> Backend:
    from lawqa.backends.scripted import ScriptedBackend

    if config.script is None:
        raise ConfigError("--llm-backend scripted needs --script", 'a JSON file like {"*": "c"}')
    return ScriptedBackend.from_file(config.script)


def _hugging_face(config: EvaluationConfig, adapter: AdapterManifest | None) -> Backend:
    model = part_of(ModelSettings, config)
    with ExitStack() as reading:
        with part("imports"):
            from lawqa.models import require_packages
            from lawqa.models.lean.deferred import import_transformers

            require_packages(quantised=config.load_in_4bit)
            from lawqa.models.lean.ahead import reading_ahead

            ahead = reading.enter_context(reading_ahead(model))
            import_transformers()
            from lawqa.backends.hf.backend import HFBackend
            from lawqa.models.load import load_model

        loaded = load_model(model, adapter.path if adapter else None, ahead=ahead)
    return HFBackend(loaded, config.token_budget or None, label_forms=config.label_forms)


def base_of(backend: Backend) -> Backend:
    """Return the same loaded weights with the adapter switched off.

    Raises:
        ConfigError: the backend has no adapter that could be switched off.
    """
    without_adapter: Callable[[], Backend] | None = getattr(backend, "without_adapter", None)
    if without_adapter is None:
        raise ConfigError(
            "--with-base: this backend has no adapter that could be switched off",
            "score the base model in a run of its own, then lawqa compare BASE RUN",
        )
    return without_adapter()
