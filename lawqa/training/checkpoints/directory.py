"""Checkpoints on disk: whole, or not there.

A checkpoint is written under another name, flushed to disk, sealed with the checksum of every file, and
renamed. So a process that is killed at any moment leaves the earlier checkpoints as they were; one that a
failing disk tore is recognised by its checksums.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

from lawqa.errors import DataError, TrainingError
from lawqa.files import read_json

CHECKPOINTS = "checkpoints"
"""The folder of the output directory that holds them; gone when training is done."""

_WRITING = ".writing"
_SEAL = "checksums.json"
_PREFIX = "checkpoint-"
_NAME = re.compile(rf"{_PREFIX}[0-9]+")

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def staging(output_dir: Path) -> Path:
    """Return where a checkpoint is written until it is whole."""
    return output_dir / CHECKPOINTS / _WRITING


def seal(written: Path, output_dir: Path, step: int) -> Path:
    """Flush a written checkpoint, checksum it, and give it its name.

    Args:
        written: the directory it was written to, on the same disk.
        output_dir: the directory of the training.
        step: optimiser steps taken.

    Returns:
        Its directory, `checkpoints/checkpoint-STEP`.
    """
    checksums = {}
    for path in sorted(written.rglob("*")):
        if path.is_file():
            checksums[path.relative_to(written).as_posix()] = _checksum(path, flush=True)
    with (written / _SEAL).open("w", encoding="utf-8") as file:
        json.dump({"schema_version": 1, "step": step, "sha256": checksums}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    _flush_directory(written)
    target = output_dir / CHECKPOINTS / f"{_PREFIX}{step}"
    if target.exists():  # torn, else training would have resumed from it
        shutil.rmtree(target)
    written.rename(target)
    _flush_directory(target.parent)
    return target


def fault_of(checkpoint: Path) -> str | None:
    """Return what is wrong with a checkpoint; None for a whole one."""
    try:
        content = read_json(checkpoint / _SEAL)
        checksums = content.get("sha256") if isinstance(content, dict) else None
        if not isinstance(checksums, dict) or not checksums:
            return f"cannot be read: {_SEAL} holds no checksums"
        if content.get("step") != step_of(checkpoint):
            return f"{_SEAL} is of step {content.get('step')!r}"
        for name, expected in checksums.items():
            if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
                return f"{_SEAL} names {name!r}, which is outside"
            if _checksum(checkpoint / name) != expected:
                return f"{name} is not what was written"
    except FileNotFoundError as problem:
        return f"{Path(problem.filename).name} is missing"
    except DataError as problem:
        if not (checkpoint / _SEAL).exists():
            return f"{_SEAL} is missing"
        return f"cannot be read: {problem.message}"
    except (OSError, ValueError) as problem:
        return f"cannot be read: {problem}"
    return None


def newest_whole(output_dir: Path, say: Callable[[str], object]) -> Path | None:
    """Return the last checkpoint that is whole; None where there is none.

    Torn ones are renamed, so that they count among those to keep no more.

    Args:
        output_dir: the directory of the training.
        say: prints a line for each torn one.

    Raises:
        TrainingError: there are checkpoints, and all are torn: starting over takes hours and is for the
            user to say.
    """
    torn: list[Path] = []
    for checkpoint in reversed(all_checkpoints(output_dir)):
        fault = fault_of(checkpoint)
        if fault is None:
            return checkpoint
        aside = checkpoint.with_name(f"{checkpoint.name}.torn")
        shutil.rmtree(aside, ignore_errors=True)
        checkpoint.rename(aside)
        torn.append(aside)
        say(f"{checkpoint} is torn ({fault}), put aside as {aside.name}")
    if torn:
        raise TrainingError(
            f"{output_dir}: no checkpoint is whole; put aside: {', '.join(path.name for path in torn)}",
            "--fresh trains again from scratch; a copy of a checkpoint put back is resumed",
        )
    return None


def all_checkpoints(output_dir: Path) -> list[Path]:
    """Return the checkpoints of a training, oldest first; copies beside them under other names are none."""
    folders = (output_dir / CHECKPOINTS).glob(f"{_PREFIX}*")
    return sorted((path for path in folders if _NAME.fullmatch(path.name)), key=step_of)


def step_of(checkpoint: Path) -> int:
    """Return how many optimiser steps led to a checkpoint."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def keep_last(output_dir: Path, count: int) -> None:
    """Remove all checkpoints but the last `count`."""
    for old in all_checkpoints(output_dir)[:-count]:
        shutil.rmtree(old)


def flush_files(directory: Path) -> None:
    """Wait until the files directly in a directory, and their names, are on disk."""
    for path in directory.iterdir():
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file.fileno())
    _flush_directory(directory)


def remove_unfinished(output_dir: Path) -> None:
    """Remove what a killed process had begun to write."""
    shutil.rmtree(staging(output_dir), ignore_errors=True)


def remove_all(output_dir: Path) -> None:
    """Remove every checkpoint of a training."""
    shutil.rmtree(output_dir / CHECKPOINTS, ignore_errors=True)


@contextmanager
def disk_faults(output_dir: Path, what: str) -> Iterator[None]:
    """Turn a full disk into an error that names what is safe.

    Args:
        output_dir: the directory of the training.
        what: what is being written, for the message.

    Raises:
        TrainingError: the disk, or the user's share of it, is full.
    """
    try:
        yield
    except Exception as problem:
        # torch and safetensors report a full disk in words of their own, which say little.
        full = isinstance(problem, OSError) and problem.errno in _NO_ROOM
        if not full and has_room(output_dir):
            raise
        shutil.rmtree(staging(output_dir), ignore_errors=True)  # gives the space back
        checkpoints = all_checkpoints(output_dir)
        safe = f"{checkpoints[-1]} is intact" if checkpoints else "there is no earlier checkpoint"
        raise TrainingError(
            f"{output_dir}: {what} could not be written, the disk is full: {problem}; {safe}",
            "make room, then give the same command with --resume",
        ) from problem


def has_room(directory: Path) -> bool:
    """Return whether a MiB can be written to the disk of a directory, by trying."""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(bytes(1 << 20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        return problem.errno not in _NO_ROOM
    return True


def _checksum(path: Path, *, flush: bool = False) -> str:
    digest = hashlib.sha256()
    with path.open("r+b" if flush else "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
        if flush:
            os.fsync(file.fileno())
    return digest.hexdigest()


def _flush_directory(path: Path) -> None:
    """Make the names in a directory last; without this a rename can be lost in a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
