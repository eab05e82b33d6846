"""The backend that an evaluation's settings name is opened, and no other one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation import servers
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.opening import base_of, open_backend
from lawqa.pipelines.evaluation.servers import ServerConfig


def test_a_table_answers_and_has_no_adapter_to_switch_off(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"*": "c"}', encoding="utf-8")
    backend = open_backend(EvaluationConfig(Path("q.json"), backend="scripted", script=script))
    assert isinstance(backend, ScriptedBackend)
    with pytest.raises(ConfigError, match="no adapter that could be switched off"):
        base_of(backend)


def test_a_table_that_is_not_given_is_asked_for_and_nothing_else_is_loaded() -> None:
    with pytest.raises(ConfigError, match="needs --script"):
        open_backend(EvaluationConfig(Path("q.json"), backend="scripted"))


def test_a_server_is_asked_whatever_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, str]] = []

    def open_server(config: ServerConfig) -> ScriptedBackend:
        opened.append((config.kind, config.model))
        return ScriptedBackend({})

    monkeypatch.setattr(servers, "open_server", open_server)
    open_backend(EvaluationConfig(Path("q.json"), backend="ollama"))
    server = ServerConfig(kind="openai", llm_model="m")
    open_backend(EvaluationConfig(Path("q.json"), backend="openai", server=server))
    assert opened == [("ollama", "qwen3:8b"), ("openai", "m")]
