"""The machine and versions that a manifest names."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lawqa
from lawqa.runs import environment
from lawqa.runs.environment import describe_environment

pytestmark = pytest.mark.every_python


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
