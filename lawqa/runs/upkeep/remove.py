"""Removing runs, and nothing else: never outside a directory, never what others still need."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.runs.manifest import MANIFEST
from lawqa.runs.upkeep.find import RUN_KINDS, FoundRun, find_runs, read_run
from lawqa.runs.upkeep.lock import LOCK, is_held

OF_RUN = (
    "manifest.json", "results.jsonl", "set-aside.jsonl", "summary.json", "rescored.json", "parts/*", ".*.tmp",
    LOCK, ".*.lock",
)  # fmt: skip
"""Patterns of what lawqa writes into the directory of a run."""

OF_ADAPTER = (
    *OF_RUN, "adapter_config.json", "adapter_model.safetensors", "log.jsonl", "trained_on*.jsonl",
    "README.md", "training.png", "tokenizer*", "chat_template.jinja", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "tensorboard/*", "checkpoint*/*", "checkpoints/*",
)  # fmt: skip
"""Patterns of what lawqa and PEFT write into the directory of a training."""


@dataclass(frozen=True)
class Removal:
    """What is about to be removed."""

    runs: tuple[FoundRun, ...]
    files: int
    """Their files."""
    size: int
    """Their bytes."""
    foreign: tuple[Path, ...]
    """Files among them that lawqa does not write."""
    needed_by: tuple[tuple[Path, Path], ...]
    """An adapter among them, and a run of it that is to stay."""


def plan_removal(paths: Sequence[Path], root: Path) -> Removal:
    """Look at what would be removed; nothing is touched.

    Args:
        paths: run directories.
        root: the directory in which they must lie, and in which runs of an adapter are looked for.

    Raises:
        ConfigError: a path holds no run, is a link, does not lie in the root, or is being written.
    """
    if not paths:
        raise ConfigError("no run was given", "lawqa runs rm RUN...")
    if not root.is_dir():
        raise ConfigError(f"--root {root}: no such directory")
    chosen = {path.resolve(): path for path in paths}
    for path in paths:
        _check(path, root)
    runs = tuple(read_run(path) for path in chosen.values())
    files = [file for path in chosen.values() for file in _files(path)]
    foreign = [
        file
        for run in runs
        for file in _files(run.path)
        if not _ours(file.relative_to(run.path), run.kind)
    ]
    staying = [run for run in find_runs([root]) if run.path.resolve() not in chosen]
    needed = [
        (path, run.path)
        for run in staying
        for whole, path in chosen.items()
        if any(_names(adapter, whole) for adapter in run.adapters)
    ]
    return Removal(
        runs, len(files), sum(f.lstat().st_size for f in files), tuple(foreign), tuple(needed)
    )


def remove(removal: Removal) -> None:
    """Remove the runs; one that this is interrupted in is hidden, never a half that looks whole.

    Raises:
        ConfigError: a directory cannot be removed.
    """
    for run in removal.runs:
        try:
            grave = Path(tempfile.mkdtemp(prefix=f".{run.path.name}.removed-", dir=run.path.parent))
            run.path.rename(grave / run.path.name)
            shutil.rmtree(grave)
        except OSError as problem:
            raise ConfigError(f"{run.path}: cannot be removed: {problem.strerror}") from None


def _check(path: Path, root: Path) -> None:
    if path.is_symlink():
        raise ConfigError(f"{path}: is a link", "name the directory that it points to")
    if not path.is_dir():
        meant = root / path
        raise ConfigError(
            f"{path}: no such directory", f"lawqa runs rm {meant}" if meant.is_dir() else ""
        )
    if not (path / MANIFEST).is_file():
        raise ConfigError(
            f"{path}: holds no run: {MANIFEST} is missing", "only run directories are removed"
        )
    run = read_run(path)
    if run.kind not in (*RUN_KINDS, "?"):
        raise ConfigError(
            f"{path}: is not a run but an {run.kind}", "only run directories are removed"
        )
    whole, within = path.resolve(), root.resolve()
    if whole == within or within not in whole.parents:
        raise ConfigError(
            f"{path}: is outside {root}", f"--root {path.parent}  if that is where runs are"
        )
    inner = [file.parent for file in path.rglob(MANIFEST) if file.parent != path]
    if inner:
        raise ConfigError(
            f"{path}: holds another run, {inner[0]}", "remove that first, or move it away"
        )
    for lock in (path / LOCK, path.parent / f".{path.name}.lock"):
        if lock.is_file() and is_held(lock):
            raise ConfigError(f"{path}: is being written by another process", "stop that first")


def _names(adapter: str, whole: Path) -> bool:
    """Return whether a run's manifest may mean this directory: it does not say where a relative
    path began.
    """
    named = Path(adapter)
    if named.is_absolute():
        return named.resolve() == whole
    parts = [part for part in named.parts if part != ".."]
    return bool(parts) and list(whole.parts[-len(parts) :]) == parts


def _files(path: Path) -> list[Path]:
    """Return everything below that is not a directory; links are not followed."""
    return [
        Path(directory) / name
        for directory, inner, names in os.walk(path)
        for name in [*names, *(one for one in inner if (Path(directory) / one).is_symlink())]
    ]


def _ours(file: Path, kind: str) -> bool:
    patterns = OF_ADAPTER if kind == "train" else OF_RUN
    return any(fnmatch(file.as_posix(), pattern) for pattern in patterns)
