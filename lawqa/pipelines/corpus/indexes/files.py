"""The directory of a retrieval index: written beside its place and moved there whole.

What it holds is the business of `index_manifest`.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lawqa.errors import ConfigError, DataError, StorageError
from lawqa.files import make_own_directory
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.runs.outputs import few_quoted, foreign_entries, refuse_working_directory


@contextmanager
def index_being_built(directory: Path, *, fresh: bool) -> Iterator[Path]:
    """Make a directory to write an index into; when all is well it takes the place of `directory`.

    Until then an earlier index stays as it is, and what a killed build left behind is cleared by the next.

    Raises:
        ConfigError: the place is taken (by an index, without `fresh`; by anything else, always), cannot be
            written, or another process is building there.
    """
    _check_free(directory, fresh=fresh)
    place = directory.resolve()  # `.` has no name, and a link is to stay one
    building = place.with_name(f".{place.name}.building")
    try:
        make_own_directory(building)
        handle = os.open(building, os.O_RDONLY)
    except OSError as problem:
        raise ConfigError(f"{directory}: cannot be written: {problem.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{directory}: another process is building an index there") from None
        _clear(building)
        try:
            yield building
        except BaseException as problem:
            shutil.rmtree(building, ignore_errors=True)
            if isinstance(problem, OSError) and problem.errno is None:
                # NumPy's words for a full disk: "4096 requested and 0 written".
                full = StorageError(
                    f"{directory}: the index could not be written, the disk is full: {problem}",
                    "make room, then give the same command again; nothing half is left",
                )
                raise full from None
            raise
        try:
            _move(building, place)
        except OSError as problem:  # such as a mount point, which cannot be replaced
            raise ConfigError(
                f"{directory}: the index cannot be put there: {problem.strerror}; it is whole in {building}",
                "move it yourself, or name a directory inside that one",
            ) from None
    finally:
        os.close(handle)


def _check_free(directory: Path, *, fresh: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"{directory}: is a file, expected a directory for the index")
    if not directory.exists() or not any(directory.iterdir()):
        return
    files = _files_of_index(directory)
    if files is None:
        raise ConfigError(
            f"{directory}: is not empty and holds no index", "name a directory of its own"
        )
    foreign = foreign_entries(directory, {MANIFEST, *map(glob.escape, files)})
    if fresh and foreign:
        raise ConfigError(
            f"{directory}: holds what is not the index's own: {few_quoted(foreign)}; --fresh would remove it",
            "move it elsewhere, or name another directory",
        )
    if not fresh:
        raise ConfigError(
            f"{directory}: already holds an index",
            "--fresh replaces it; or name another directory",
        )
    refuse_working_directory(directory, "--output-dir")


def _files_of_index(directory: Path) -> list[str] | None:
    """Return the names of an index's files but its manifest; None where the directory holds no index."""
    try:
        manifest = Manifest.read(directory)
    except DataError:
        return None
    files = manifest.more.get("files")  # an index of any format, which --fresh may replace
    return list(files) if manifest.kind == "index" and isinstance(files, dict) else None


def _clear(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _move(building: Path, directory: Path) -> None:
    """Put the finished directory in its place; whoever has the earlier one open keeps it."""
    earlier = directory.with_name(f".{directory.name}.replaced")
    shutil.rmtree(earlier, ignore_errors=True)
    if directory.exists():
        directory.rename(earlier)
    building.rename(directory)
    shutil.rmtree(earlier, ignore_errors=True)
