"""An adapter with the manifest of a finished training, and questions that it knows and does not know."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.prompting import PromptSpec, spec_hash
from lawqa.questions import Question, fingerprint

MakeQuestion = Callable[..., Question]
MakeAdapter = Callable[..., AdapterManifest]
SPEC = PromptSpec()
BASE = {
    "backend": "hf",
    "name": "Qwen/Qwen3-8B",
    "revision": None,
    "commit": "c0ffee",
    "directory_sha256": None,
    "quantisation": "nf4",
    "dtype": "bfloat16",
}
HASH = spec_hash(SPEC, "")


@pytest.fixture
def trained_on(question: MakeQuestion) -> Question:
    return question(id="民法_1", text="この契約は有効ですか。")


@pytest.fixture
def held_out(question: MakeQuestion) -> Question:
    return question(id="民法_2", text="この時効は完成しましたか。")


@pytest.fixture
def adapter_dir(tmp_path: Path) -> Path:
    """An adapter as PEFT writes it, without a manifest."""
    directory = tmp_path / "adapter"
    directory.mkdir()
    config = '{"peft_type": "LORA", "base_model_name_or_path": "Qwen/Qwen3-8B"}'
    (directory / "adapter_config.json").write_text(config, encoding="utf-8")
    (directory / "adapter_model.safetensors").write_bytes(b"weights")
    return directory


@pytest.fixture
def write_manifest(adapter_dir: Path, trained_on: Question) -> Callable[..., None]:
    """Puts the manifest of a finished training beside the adapter; any field can be given."""

    def write(**fields: Any) -> None:
        content = {
            "schema_version": 1,
            "kind": "train",
            "status": "done",
            "model": BASE,
            "prompt_specs": {SPEC.id: HASH},
            "data": {"path": "t.json"},
            "started": "2025-12-01T00:00:00+00:00",
            "questions": [
                {"id": trained_on.id, "order": 1, "fingerprint": fingerprint(trained_on)}
            ],
            **fields,
        }
        (adapter_dir / "manifest.json").write_text(json.dumps(content), encoding="utf-8")

    return write


@pytest.fixture
def adapter(adapter_dir: Path, write_manifest: Callable[..., None]) -> MakeAdapter:
    """Writes a manifest with these fields and reads the adapter."""

    def read(**fields: Any) -> AdapterManifest:
        write_manifest(**fields)
        return AdapterManifest.read(adapter_dir)

    return read
