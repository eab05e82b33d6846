from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lawqa
from lawqa.errors import ConfigError, DataError
from lawqa.files import write_json
from lawqa.questions import Question, fingerprint
from lawqa.runs import environment
from lawqa.runs.directory import RunDirectory, claim_output
from lawqa.runs.environment import describe_environment
from lawqa.runs.manifest import Manifest, ending, question_entries, read_manifest, require_keys

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
    assert read_manifest(tmp_path)["seed"] == 7


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


# --- manifests


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = manifest(notes=["LEAK"], adapter={"path": "a"}, figures={"seconds": 1.5}, argv=["x"])
    RunDirectory.create(tmp_path)
    written.write(tmp_path)
    assert read_manifest(tmp_path) == written.to_json()


def test_a_manifest_can_be_replaced(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path)
    manifest().write(run.path)
    manifest(status="done", ended="2025-12-01T00:00:00+00:00").write(run.path)
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
    write_json(tmp_path / "manifest.json", {**vars(manifest()), key: value})
    with pytest.raises(DataError) as caught:
        read_manifest(tmp_path)
    assert caught.value.message == f"{tmp_path / 'manifest.json'}: {expected}"


def test_a_manifest_without_a_key_that_is_needed_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "manifest.json", {"schema_version": 1, "kind": "train"})
    found = read_manifest(tmp_path)
    require_keys(found, tmp_path, "kind")
    with pytest.raises(DataError, match="has no key 'data'") as caught:
        require_keys(found, tmp_path, "kind", "data", "notes")
    assert str(tmp_path / "manifest.json") in caught.value.message
    assert "a run of lawqa" in caught.value.hint


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
    assert described["accelerator"] == {"name": "GPU"}
    assert describe_environment()["accelerator"] is None
    assert json.dumps(described)


@pytest.fixture
def ask_again() -> Iterator[Callable[[], None]]:
    """Forgets what this process has learnt of its versions, as a new one would."""

    def forget() -> None:
        environment._installed_versions.cache_clear()
        environment._git_commit.cache_clear()

    forget()
    yield forget
    forget()


@pytest.mark.usefixtures("ask_again")
def test_the_environment_names_the_packages_that_are_installed_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "peft-0.18.1.dist-info").mkdir()
    (tmp_path / "peft-0.18.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: peft\nVersion: 0.18.1\n", encoding="utf-8"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert describe_environment()["packages"] == {"peft": "0.18.1"}


@pytest.fixture
def git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask_again: Callable[[], None]
) -> Callable[..., str]:
    """Runs git in a directory that lawqa believes to run from."""
    program = shutil.which("git")
    if program is None:
        pytest.skip("git is not installed")
    (tmp_path / "lawqa").mkdir()
    module = tmp_path / "lawqa" / "__init__.py"
    module.write_text("", encoding="utf-8")
    monkeypatch.setattr("lawqa._version.__file__", str(module))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def run(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(  # noqa: S603 - the test's own words
            [program, "-C", str(tmp_path), *who, *words], capture_output=True, text=True, check=True
        )
        ask_again()
        return done.stdout.strip()

    return run


def test_a_run_says_from_which_commit_it_came_and_whether_files_differ(
    git: Callable[..., str], tmp_path: Path, ask_again: Callable[[], None]
) -> None:
    assert describe_environment()["git_commit"] is None, "installed, not a checkout"
    git("init")
    assert describe_environment()["git_commit"] is None, "a checkout without a commit"
    git("add", "lawqa")
    git("commit", "-m", "first")
    commit = git("rev-parse", "HEAD")
    assert len(commit) == 40
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert describe_environment()["git_commit"] == commit
    (tmp_path / "lawqa" / "__init__.py").write_text("changed = True", encoding="utf-8")
    assert describe_environment()["git_commit"] == commit, "this process imported it as committed"
    ask_again()
    assert describe_environment()["git_commit"] == f"{commit}+changes"


def test_without_git_no_commit_is_named(
    git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init")
    monkeypatch.setenv("PATH", "")
    assert describe_environment()["git_commit"] is None


@pytest.mark.parametrize(
    ("problem", "status"),
    [(KeyboardInterrupt(), "interrupted"), (RuntimeError(), "failed"), (SystemExit(), "failed")],
)
def test_only_an_interrupt_counts_as_interrupted(problem: BaseException, status: str) -> None:
    assert ending(problem) == status
