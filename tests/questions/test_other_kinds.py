"""A file of another kind in place of questions: what it is, and what reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.cli import main

pytestmark = pytest.mark.every_python


@pytest.mark.parametrize(
    ("name", "content", "kind", "command"),
    [
        ("r.jsonl", {"schema_version": 1, "messages": []}, "training records", "lawqa train"),
        ("old.jsonl", {"input": "", "output": "a", "meta": {}}, "training records", "lawqa train"),
        ("r.jsonl", {"predicted_answer": "a", "is_correct": True}, "the answers of a run", "lawqa"),
        ("pairs.jsonl", {"right": {}, "wrong": {}}, "pairs of answers", "lawqa prefer --pairs"),
        ("a.jsonl", {"law_title": "", "article": "1", "paragraphs": []}, "articles of statutes", "lawqa"),
        ("old.json", {"config": {}, "results": []}, "the results", "lawqa report"),
        ("m.json", {"kind": "", "started": "", "environment": {}}, "the manifest", "lawqa runs"),
    ],
)  # fmt: skip
def test_another_kind_of_file_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: object,
    kind: str,
    command: str,
) -> None:
    file = tmp_path / name
    file.write_text(json.dumps(content) + "\n", encoding="utf-8")
    assert main(["data", "check", str(file)]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {file}: holds {kind}")
    assert error.endswith(", not questions")
    assert hint.startswith(f"hint: {command}")


def test_a_question_with_a_fault_is_still_called_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"問題文": "問"}\n', encoding="utf-8")
    assert main(["data", "check", str(file)]) == 2
    assert "field 選択肢: is missing" in capsys.readouterr().err
