"""A manifest as it is written, read back and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.errors import DataError
from lawqa.files import write_json
from lawqa.questions import Question, fingerprint
from lawqa.runs.directory import RunDirectory
from lawqa.runs.manifest import Manifest, ending, question_entries

pytestmark = pytest.mark.every_python


def manifest(**fields: Any) -> Manifest:
    defaults: dict[str, Any] = {
        "kind": "evaluate",
        "config": {"data": "法.json", "samples": None},
        "model": {"name": "m"},
        "prompt_specs": {"direct-closed-v1": "0123"},
        "data": {"path": "法.json", "sha256": "ab", "questions": 1},
        "questions": [{"id": "民法_1", "order": 1, "fingerprint": "ff"}],
    }
    return Manifest(**{**defaults, **fields})


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# --- manifests


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = manifest(notes=["LEAK"], adapter={"path": "a"}, figures={"seconds": 1.5}, argv=["x"])
    RunDirectory.create(tmp_path)
    written.write(tmp_path)
    assert Manifest.read(tmp_path) == written


def test_a_manifest_can_be_replaced(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path)
    manifest().write(run.path)
    manifest(status="done", ended="2025-12-01T00:00:00+00:00").write(run.path)
    assert Manifest.read(tmp_path).status == "done"
    assert names_in(tmp_path) == ["manifest.json"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"schema_version": 2}', "schema_version is 2, expected 1"),
        ("{}", "schema_version is None, expected 1"),
        ("[]", "schema_version is None, expected 1"),
        ('{\n"a"', "broken JSON at line 2"),
        ("", "is empty"),
    ],
)
def test_a_manifest_of_another_layout_is_refused(
    tmp_path: Path, content: str, expected: str
) -> None:
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Manifest.read(tmp_path)
    assert caught.value.message.startswith(f"{tmp_path / 'manifest.json'}: ")
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("questions", {}, "key 'questions' is {}, expected a list"),
        ("config", None, "key 'config' is null, expected an object"),
        ("status", 1, "key 'status' is 1, expected text"),
        ("notes", "LEAK", "key 'notes' is \"LEAK\", expected a list"),
    ],
)
def test_a_manifest_that_somebody_edited_is_refused_by_its_key(
    tmp_path: Path, key: str, value: object, expected: str
) -> None:
    write_json(tmp_path / "manifest.json", {**manifest().to_json(), key: value})
    with pytest.raises(DataError) as caught:
        Manifest.read(tmp_path)
    assert caught.value.message == f"{tmp_path / 'manifest.json'}: {expected}"


def test_a_manifest_without_a_key_that_is_needed_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "manifest.json", {"schema_version": 1, "kind": "train"})
    stored = Manifest.read(tmp_path, needs=("kind",))
    assert stored.data == {}
    with pytest.raises(DataError, match="has no key 'data'") as caught:
        stored.require(tmp_path, "kind", "data", "notes")
    assert str(tmp_path / "manifest.json") in caught.value.message
    assert "a run of lawqa" in caught.value.hint


def test_a_missing_manifest_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.json: no such file"):
        Manifest.read(tmp_path)


def test_questions_are_listed_with_order_and_fingerprint(
    question: Callable[..., Question],
) -> None:
    asked = question(order=3)
    assert question_entries([asked]) == [
        {"id": "民法_1", "order": 3, "fingerprint": fingerprint(asked)}
    ]


@pytest.mark.parametrize(
    ("problem", "status"),
    [(KeyboardInterrupt(), "interrupted"), (RuntimeError(), "failed"), (SystemExit(), "failed")],
)
def test_only_an_interrupt_counts_as_interrupted(problem: BaseException, status: str) -> None:
    assert ending(problem) == status
