from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lawqa.errors import ConfigError
from lawqa.files import write_json
from lawqa.runs.directory import RunDirectory, claim_output
from lawqa.runs.manifest import Manifest

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


# --- whole files or none


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


def test_a_run_that_failed_before_it_produced_anything_is_not_in_the_way(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run")
    manifest(status="failed").write(run.path)
    (run.path / "results.jsonl").touch()
    (run.path / ".lock").write_text("12345 host")
    RunDirectory.create(tmp_path / "run")
    manifest(status="running").write(tmp_path / "run")
    with pytest.raises(ConfigError, match="already holds a run"):
        RunDirectory.create(tmp_path / "run")


@pytest.mark.parametrize("produced", ["results.jsonl", "adapter_model.safetensors", "notes.txt"])
def test_a_failed_run_that_produced_something_is_kept(tmp_path: Path, produced: str) -> None:
    run = RunDirectory.create(tmp_path / "run")
    manifest(status="failed").write(run.path)
    (run.path / produced).write_text("{}")
    with pytest.raises(ConfigError, match="already holds a run"):
        RunDirectory.create(tmp_path / "run")
    assert (run.path / produced).read_text() == "{}"


def test_a_directory_that_holds_a_run_is_refused_untouched(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path)
    manifest(seed=7).write(tmp_path)
    for refuse in (RunDirectory.create, RunDirectory.check_free):
        with pytest.raises(ConfigError, match="already holds a run") as caught:
            refuse(tmp_path, fresh=False)
        assert "--fresh" in caught.value.hint
    assert Manifest.read(tmp_path).seed == 7


def test_fresh_removes_the_old_run_and_nothing_else(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path)
    manifest().write(run.path)
    (tmp_path / "results.jsonl").write_text("{}\n", encoding="utf-8")
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


def test_what_a_killed_process_left_half_written_is_swept_away(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path)
    manifest().write(tmp_path)
    for name in (".manifest.json.ab12.tmp", ".results.jsonl.x_9.tmp", ".mine.tmp", "mine.json.tmp"):
        (tmp_path / name).write_text("{", encoding="utf-8")
    RunDirectory(tmp_path).sweep()
    assert names_in(tmp_path) == [".mine.tmp", "manifest.json", "mine.json.tmp"]


# --- files to write


def test_for_a_file_to_write_nothing_is_made_yet(tmp_path: Path) -> None:
    claim_output(tmp_path / "new" / "deeper" / "page.html", "--output", fresh=False)
    assert names_in(tmp_path) == []


def test_an_earlier_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        claim_output(path, "--output", fresh=False)
    assert caught.value.message == f"--output {path}: exists already"
    assert caught.value.hint == "--fresh replaces it"
    claim_output(path, "--output", fresh=True)
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("fresh", [False, True])
def test_a_directory_in_the_place_of_the_file_is_refused(tmp_path: Path, fresh: bool) -> None:
    with pytest.raises(ConfigError) as caught:
        claim_output(tmp_path, "--output", fresh=fresh)
    assert caught.value.message == f"--output {tmp_path}: is a directory, expected a file to write"


@pytest.mark.parametrize("below", ["page.html", "deeper/page.html"])
def test_a_file_below_a_file_is_the_users_mistake(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    path = tmp_path / "file" / below
    with pytest.raises(ConfigError) as caught:
        claim_output(path, "--output", fresh=True)
    assert caught.value.message.startswith(f"--output {path}: cannot be written: ")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


# --- summary


def test_a_summary_carries_its_schema_version(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path).write_summary({"accuracy": 0.25})
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary == {"schema_version": 1, "accuracy": 0.25}
