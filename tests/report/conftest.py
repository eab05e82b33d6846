"""Runs made by the real runner on answers from a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import Question

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(
    tmp_path: Path,
    embedded_file: Path,
    embedded_questions: tuple[Question, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> MakeRun:
    """Makes a run on the embedded questions.

    Its arguments: the name; how many of the questions are answered rightly, or a table of answers; more
    flags; an adapter and notes to write into the manifest, since a table of answers has no adapter.
    """
    monkeypatch.chdir(tmp_path)

    def make(
        name: str,
        answers: int | Mapping[str, Any],
        *flags: str,
        data: Path = embedded_file,
        adapter: str = "",
        notes: tuple[str, ...] = (),
        offset: int = 0,
    ) -> Path:
        if isinstance(answers, int):
            right = {q.id for q in embedded_questions[offset : offset + answers]}
            wrong = {"a": "b", "b": "c", "c": "d", "d": "a"}
            table: Mapping[str, Any] = {
                q.id: q.gold if q.id in right else wrong[q.gold] for q in embedded_questions
            }
        else:
            table = answers
        script = tmp_path / f"{name}.script.json"
        script.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
        arguments = [
            "evaluate", "--data", str(data), "--llm-backend", "scripted", "--script", str(script),
            "--run-dir", name, "--quiet", *flags,
        ]  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["lawqa", *arguments])
        code = main(arguments)
        assert code in (0, 3), capsys.readouterr().err
        path = tmp_path / name
        file = path / "manifest.json"
        manifest = json.loads(file.read_text(encoding="utf-8"))
        # One base model answers every table; a script is a model of its own where it is known.
        manifest["model"] = {"backend": "scripted", "name": "scripted"}
        if adapter:
            manifest["adapter"] = {"path": adapter, "weights_sha256": None, "manifest": {}}
        manifest["notes"] = [*notes, *manifest["notes"]]
        file.write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
        capsys.readouterr()
        return path

    return make
