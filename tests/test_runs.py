from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lawqa
from lawqa.errors import ConfigError, DataError
from lawqa.questions import Question, fingerprint
from lawqa.runs import (
    Manifest,
    RunDirectory,
    describe_environment,
    ending,
    question_entries,
    read_manifest,
    write_json,
)


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


# --- whole files or none


def test_json_is_written_readably_and_ends_with_a_newline(tmp_path: Path) -> None:
    path = tmp_path / "new" / "directory" / "x.json"
    write_json(path, {"法": "民法", "n": 0.5})
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == {"法": "民法", "n": 0.5}
    assert "民法" in text
    assert text.endswith("}\n")


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {})
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("crash", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_crash_in_the_middle_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash: BaseException
) -> None:
    write_json(tmp_path / "x.json", {"old": True})

    def die(_handle: int) -> None:
        raise crash

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(type(crash)):
        write_json(tmp_path / "x.json", {"new": True})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"old": True}
    assert names_in(tmp_path) == ["x.json"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_cannot_hold_is_refused_and_the_old_file_stays(
    tmp_path: Path, value: object
) -> None:
    write_json(tmp_path / "x.json", {"old": True})
    with pytest.raises((ValueError, TypeError), match="JSON"):
        write_json(tmp_path / "x.json", {"new": value})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"old": True}
    assert names_in(tmp_path) == ["x.json"]


# --- the directory


def test_a_new_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "runs" / "first")
    assert run.path == tmp_path / "runs" / "first"
    assert run.path.is_dir()


def test_a_directory_with_other_files_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    RunDirectory.create(tmp_path)
    assert names_in(tmp_path) == ["notes.txt"]


def test_a_directory_that_holds_a_run_is_refused_untouched(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path).write_manifest(manifest(seed=7))
    for refuse in (RunDirectory.create, RunDirectory.check_free):
        with pytest.raises(ConfigError, match="already holds a run") as caught:
            refuse(tmp_path, fresh=False)
        assert "--fresh" in caught.value.hint
    assert read_manifest(tmp_path)["seed"] == 7


def test_fresh_removes_the_old_run_and_nothing_else(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path)
    run.write_manifest(manifest())
    run.append_result({"n": 1})
    run.write_summary({"accuracy": 1.0})
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    RunDirectory.check_free(tmp_path, fresh=True)
    RunDirectory.create(tmp_path, fresh=True)
    assert names_in(tmp_path) == ["notes.txt"]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path, fresh: bool) -> None:
    path = tmp_path / "file"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="is a file, expected a directory"):
        RunDirectory.create(path, fresh=fresh)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_directory_that_cannot_be_made_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"file/run: cannot be written: Not a directory"):
        RunDirectory.create(tmp_path / "file" / "run")


def test_a_read_only_directory_is_the_users_mistake(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write into read-only directories")
    with pytest.raises(ConfigError, match="cannot be written"):
        RunDirectory.create(tmp_path / "run")


def test_a_name_that_is_too_long_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="File name too long"):
        RunDirectory.create(tmp_path / ("x" * 300))


# --- results


def test_results_come_back_in_the_order_in_which_they_were_appended(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path)
    rows: list[dict[str, Any]] = [{"text": "二\n行\u2028目"}, {"text": "一"}, {"text": None}]
    for known, row in enumerate(rows, start=1):
        run.append_result(row)
        assert run.results() == rows[:known]
    assert (tmp_path / "results.jsonl").read_bytes().count(b"\n") == 3


def test_a_directory_without_results_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"results\.jsonl: no such file"):
        RunDirectory.create(tmp_path).results()


def test_a_summary_carries_its_schema_version(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path).write_summary({"accuracy": 0.25})
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary == {"schema_version": 1, "accuracy": 0.25}


# --- manifests


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = manifest(notes=["LEAK"], adapter={"path": "a"}, figures={"seconds": 1.5}, argv=["x"])
    RunDirectory.create(tmp_path).write_manifest(written)
    assert read_manifest(tmp_path) == vars(written)


def test_a_manifest_can_be_replaced(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path)
    run.write_manifest(manifest())
    run.write_manifest(manifest(status="done", ended="2025-12-01T00:00:00+00:00"))
    assert read_manifest(tmp_path)["status"] == "done"
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
        read_manifest(tmp_path)
    assert caught.value.message.startswith(f"{tmp_path / 'manifest.json'}: ")
    assert expected in caught.value.message


def test_a_missing_manifest_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.json: no such file"):
        read_manifest(tmp_path)


def test_questions_are_listed_with_order_and_fingerprint(
    question: Callable[..., Question],
) -> None:
    asked = question(order=3)
    assert question_entries([asked]) == [
        {"id": "民法_1", "order": 3, "fingerprint": fingerprint(asked)}
    ]


def test_the_environment_names_versions_machine_and_accelerator() -> None:
    described = describe_environment({"name": "GPU"})
    assert described["lawqa"] == lawqa.__version__
    assert "numpy" in described["packages"]
    assert described["accelerator"] == {"name": "GPU"}
    assert describe_environment()["accelerator"] is None
    assert json.dumps(described)


@pytest.mark.parametrize(
    ("problem", "status"),
    [(KeyboardInterrupt(), "interrupted"), (RuntimeError(), "failed"), (SystemExit(), "failed")],
)
def test_only_an_interrupt_counts_as_interrupted(problem: BaseException, status: str) -> None:
    assert ending(problem) == status
