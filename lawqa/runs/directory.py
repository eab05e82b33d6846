"""Run directories: a manifest, results appended line by line, a summary; read and written safely.

manifest.json   what ran, on what, with which seeds; its `status` says whether the run is whole
results.jsonl   one line a question, flushed to disk as it is known
summary.json    the figures, written when the run is done
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject, write_json
from lawqa.runs.manifest import MANIFEST, SCHEMA_VERSION, Manifest
from lawqa.runs.outputs import claim_file

RESULTS, SUMMARY = "results.jsonl", "summary.json"
_OF_A_RUN = (MANIFEST, RESULTS, SUMMARY)
PARTS_FOLDER = "parts"
"""A directory of results that are not in `results.jsonl` yet, while a run is in progress."""

_KINDS = {"evaluate": "an evaluate run", "train": "a train run", "index": "an index"}
_EXPECTED = {"evaluate": "an evaluation", "train": "a training"}


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
        held = _kind_of(path) if holds_run and kind is not None else None
        if held not in (None, kind):
            raise ConfigError(
                f"{path}: is {_KINDS.get(str(held), held)}, expected {_EXPECTED[str(kind)]}; --fresh does "
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
            shutil.rmtree(path / PARTS_FOLDER, ignore_errors=True)
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

    def write_summary(self, summary: JsonObject) -> None:
        """Write the figures."""
        write_json(self.path / SUMMARY, {"schema_version": SCHEMA_VERSION, **summary})


def _kind_of(directory: Path) -> str | None:
    """Return what the manifest of a directory says it holds; None where there is none that can be read."""
    try:
        manifest = Manifest.read_if_there(directory)
    except DataError:
        return None  # --fresh replaces what nobody can read
    return None if manifest is None or "kind" in manifest.absent else manifest.kind


def _came_to_nothing(directory: Path) -> bool:
    """Return whether a run failed before it had produced anything: it is not in the way of the corrected
    command.
    """
    kept = {entry.name for entry in directory.iterdir() if entry.is_dir() or entry.stat().st_size}
    if not kept <= {MANIFEST, ".lock"}:
        return False
    try:
        return Manifest.read(directory).status == "failed"
    except DataError:
        return False


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
