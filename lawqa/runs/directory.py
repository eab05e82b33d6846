"""Run directories: a manifest, results appended line by line, a summary; read and written safely.

manifest.json   what ran, on what, with which seeds; its `status` tells whether the run is whole
results.jsonl   one line a question, flushed to disk as it is known
summary.json    the figures, written when the run is done
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import lawqa
from lawqa.errors import ConfigError, DataError
from lawqa.files import read_json, written_whole
from lawqa.questions import Question, fingerprint
from lawqa.runs import manifest_fields
from lawqa.runs.outputs import claim_file

SCHEMA_VERSION = 1
_SHOWN = 3
MANIFEST, RESULTS, SUMMARY = "manifest.json", "results.jsonl", "summary.json"
_OF_A_RUN = (MANIFEST, RESULTS, SUMMARY)
PARTS = "parts"
"""A directory of results that are not in `results.jsonl` yet, while a run goes on."""

Status = Literal["running", "done", "failed", "interrupted"]

_KINDS = {"evaluate": "an evaluate run", "train": "a train run", "index": "an index"}
_EXPECTED = {"evaluate": "an evaluation", "train": "a training"}
_PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "datasets", "numpy")


@dataclass(frozen=True)
class Manifest:
    """What a run was: enough to explain it and to make it again."""

    kind: Literal["evaluate", "train"]
    """What ran."""
    config: dict[str, Any]
    """The settings, defaults resolved."""
    model: dict[str, Any]
    """Name, revision or directory hash, quantisation, dtype; as the backend describes itself."""
    prompt_specs: dict[str, str]
    """Prompt spec ids and their hashes."""
    data: dict[str, Any]
    """Path, SHA-256 and size of the data file."""
    questions: list[dict[str, Any]]
    """Id, order and fingerprint of every question asked or trained on."""
    adapter: dict[str, Any] | None = None
    """The adapter that was evaluated: path and what its manifest says; None without one."""
    written: dict[str, Any] | None = None
    """The adapter that a training wrote: the settings that decide what it computes, and the SHA-256 of its
    tensors; None for an evaluation."""
    retrieval: dict[str, Any] | None = None
    """What contexts were retrieved with: hashes of index and corpus, parameters; None without retrieval."""
    notes: list[str] = field(default_factory=list)
    """What a reader must know first, such as a leak that was allowed."""
    figures: dict[str, Any] = field(default_factory=dict)
    """What was measured while it ran: loss, seconds, memory."""
    seed: int = 0
    """The seed of every random choice."""
    argv: list[str] = field(default_factory=lambda: list(sys.argv))
    """The command line."""
    environment: dict[str, Any] = field(default_factory=dict)
    """Versions, git commit, machine and GPU."""
    started: str = ""
    """UTC, ISO 8601."""
    ended: str | None = None
    """UTC, ISO 8601; None while it runs."""
    status: Status = "running"
    """Whether the run is whole."""
    schema_version: int = SCHEMA_VERSION
    """The version of this layout."""


class RunDirectory:
    """A directory that holds one run.

    Args:
        path: the directory; made by `create`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def check_free(cls, path: Path, *, fresh: bool, kind: str | None = None) -> None:
        """Make sure that a new run may be written here.

        Args:
            path: the directory.
            fresh: an earlier run there may be replaced.
            kind: what will be written; an earlier one of another kind is never replaced. None for any.

        Raises:
            ConfigError: the path is a file, holds a run and `fresh` is not given, or holds something of
                another kind.
        """
        try:
            is_file = path.exists() and not path.is_dir()
            holds_run = (path / MANIFEST).exists() or (path / RESULTS).exists()
        except OSError as problem:  # such as a name that is too long
            raise ConfigError(f"{path}: cannot be a directory: {problem.strerror}") from None
        if is_file:
            raise ConfigError(f"{path}: is a file, expected a directory for the run")
        found = _kind_of(path) if holds_run and kind is not None else None
        if found not in (None, kind):
            raise ConfigError(
                f"{path}: is {_KINDS.get(str(found), found)}, expected {_EXPECTED[str(kind)]}; --fresh does "
                "not replace it",
                "name another directory",
            )
        if holds_run and not fresh and not _came_to_nothing(path):
            raise ConfigError(
                f"{path}: already holds a run",
                "--resume resumes it, --fresh replaces it; or name another directory",
            )

    @classmethod
    def create(cls, path: Path, *, fresh: bool = False) -> RunDirectory:
        """Make the directory; with `fresh` an earlier run in it is removed.

        Raises:
            ConfigError: the directory holds a run and `fresh` is not given, or cannot be made.
        """
        cls.check_free(path, fresh=fresh)
        try:
            path.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(path / PARTS, ignore_errors=True)
            for name in (SUMMARY, RESULTS, MANIFEST):
                (path / name).unlink(missing_ok=True)
            run = cls(path)
            run.sweep()
        except OSError as problem:
            raise ConfigError(f"{path}: cannot be written: {problem.strerror}") from None
        return run

    def sweep(self) -> None:
        """Remove what a killed process had begun to write."""
        for half_written in self.path.glob(".*.json*.tmp"):
            half_written.unlink()

    def write_manifest(self, manifest: Manifest) -> None:
        """Write or replace the manifest; a reader sees the old one or the new one, never half."""
        write_json(self.path / MANIFEST, vars(manifest))

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Write the figures."""
        write_json(self.path / SUMMARY, {"schema_version": SCHEMA_VERSION, **summary})


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a run directory or adapter.

    Raises:
        DataError: it is missing, broken, or of another layout version.
    """
    path = directory / MANIFEST
    manifest = read_json(path)
    if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA_VERSION:
        found = manifest.get("schema_version") if isinstance(manifest, dict) else None
        raise DataError(
            f"{path}: schema_version is {found!r}, expected {SCHEMA_VERSION}",
            "another version of lawqa wrote it: read it with that one, or make the run again",
        )
    wrong = manifest_fields.problems(manifest)
    if wrong:
        again = "train again" if manifest.get("kind") == "train" else "make the run again"
        raise DataError(
            f"{path}: {'; '.join(wrong[:_SHOWN])}",
            f"somebody has changed it: put a copy of it back, or {again}",
        )
    return manifest


def read_evaluation(directory: Path) -> dict[str, Any]:
    """The manifest of an evaluation, with every key that one has.

    Raises:
        DataError: it is missing, broken, of another layout version, or lacks a key.
        ConfigError: it is of another kind of run.
    """
    manifest = read_manifest(directory)
    require_evaluation(manifest, directory)
    return manifest


def require_evaluation(manifest: Mapping[str, Any], directory: Path) -> None:
    """Make sure that a manifest is that of an evaluation and has every key that one has.

    Raises:
        DataError: it lacks a key.
        ConfigError: it is of another kind of run.
    """
    if manifest.get("kind", "evaluate") != "evaluate":
        raise ConfigError(f"{directory}: is a {manifest['kind']} run, expected an evaluation")
    require_keys(manifest, directory, *manifest_fields.OF_AN_EVALUATION)


def _kind_of(directory: Path) -> object:
    """What the manifest of a directory says it holds; None where there is none that can be read."""
    try:
        return read_manifest(directory).get("kind") if (directory / MANIFEST).is_file() else None
    except DataError:
        return None  # --fresh replaces what nobody can read


def _came_to_nothing(directory: Path) -> bool:
    """Whether a run failed before it had produced anything: it is not in the way of the corrected command."""
    kept = {entry.name for entry in directory.iterdir() if entry.is_dir() or entry.stat().st_size}
    if not kept <= {MANIFEST, ".lock"}:
        return False
    try:
        return read_manifest(directory).get("status") == "failed"
    except DataError:
        return False


def require_keys(manifest: Mapping[str, Any], path: Path, *keys: str) -> None:
    """Make sure that a manifest says what is asked of it.

    Raises:
        DataError: it lacks a key.
    """
    lacks = manifest_fields.missing(manifest, keys)
    if lacks:
        raise DataError(
            f"{path / MANIFEST}: has no key {', '.join(map(repr, lacks))}",
            "is it the manifest of a run of lawqa?",
        )


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write JSON so that the file is always whole."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is always whole: to a temporary file beside it, then renamed."""
    with written_whole(path) as file:
        file.write(text)


def claim_output(
    path: Path, flag: str, *, fresh: bool, sources: Iterable[Path | None] = ()
) -> None:
    """Make sure that a file may be written, and is none of a run's own; see `claim_file`.

    Raises:
        ConfigError: it is a directory, exists without `fresh`, is a source or a run's own file, or cannot be
            written.
    """
    if path.name in _OF_A_RUN and (path.parent / MANIFEST).is_file():
        raise ConfigError(
            f"{flag} {path}: belongs to the run in {path.parent}", "name another file"
        )
    claim_file(path, flag, fresh=fresh, sources=sources)


def question_entries(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """What a manifest keeps of the questions: id, order, fingerprint."""
    return [{"id": q.id, "order": q.order, "fingerprint": fingerprint(q)} for q in questions]


def describe_environment(accelerator: dict[str, Any] | None = None) -> dict[str, Any]:
    """Versions, git commit and machine.

    Args:
        accelerator: what the backend knows of the GPU; None for none.
    """
    return {
        "lawqa": lawqa.__version__,
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "git_commit": _git_commit(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpus": os.cpu_count(),
        "accelerator": accelerator,
    }


def ending(problem: BaseException) -> Status:
    """The status of a run that this exception ended."""
    return "interrupted" if isinstance(problem, KeyboardInterrupt) else "failed"


def now() -> str:
    """The present moment in UTC, ISO 8601 to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """The commit of the checkout that lawqa runs from, `+changes` where files differ; None if installed."""
    git = shutil.which("git")
    root = Path(lawqa.__file__).resolve().parent.parent
    if git is None or not (root / ".git").exists():
        return None

    def ask(*words: str) -> str | None:
        done = subprocess.run(  # noqa: S603 - fixed words, no user input
            [git, "-C", str(root), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    return f"{commit}+changes" if commit and ask("status", "--porcelain", "-uno") else commit
