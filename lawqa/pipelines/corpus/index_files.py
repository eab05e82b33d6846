"""The directory of a retrieval index: written beside its place and moved there whole, checked when opened.

manifest.json says what the index is made of and lists every other file with size and SHA-256.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lawqa.errors import ConfigError, DataError, StorageError
from lawqa.files import JsonObject, make_own_directory
from lawqa.runs.manifest import MANIFEST, read_manifest
from lawqa.runs.outputs import foreign_entries, named, refuse_working_directory
from lawqa.statutes.articles import corpus_sha256

INDEX_FORMAT = 1
"""Raised whenever files, tokens or normalisation change: an index of another format is refused."""

_NOT_IN_HASH = "articles.bin"
"""Compressed text may differ by a byte between versions of zlib; the corpus has a hash of its own."""


@contextmanager
def index_being_built(directory: Path, *, fresh: bool) -> Iterator[Path]:
    """A directory to write an index into; when all is well it takes the place of `directory`.

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


def file_entries(directory: Path) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of every file of an index but its manifest."""
    return {
        path.name: {"size": path.stat().st_size, "sha256": corpus_sha256(path)}
        for path in sorted(directory.iterdir())
        if path.name != MANIFEST
    }


def index_sha256(files: Mapping[str, JsonObject]) -> str:
    """One hash of all that decides what is found: the same corpus and parameters give the same."""
    digest = hashlib.sha256()
    for name in sorted(files):
        if name != _NOT_IN_HASH:
            digest.update(f"{name}\x00{files[name]['sha256']}\n".encode())
    return digest.hexdigest()


def read_index_manifest(directory: Path) -> JsonObject:
    """The manifest of an index whose files are all there, in the sizes that were written.

    Raises:
        ConfigError: there is no index in this directory, or it was written by another version of lawqa.
        DataError: the manifest is broken, or a file is missing or of another size.
    """
    if not (directory / MANIFEST).is_file():
        raise ConfigError(f"{directory}: holds no index", _build_hint(directory))
    manifest = read_manifest(directory)
    if manifest.get("kind") != "index":
        raise ConfigError(
            f"{directory}: holds no index but a {manifest.get('kind')} run", _build_hint(directory)
        )
    if manifest.get("index_format") != INDEX_FORMAT:
        raise ConfigError(
            f"{directory}: the index has format {manifest.get('index_format')}, this version of lawqa reads "
            f"{INDEX_FORMAT}",
            f"{_build_hint(directory)} (with --fresh)",
        )
    files = _listed(manifest)
    if files is None or index_sha256(files) != manifest.get("index_sha256"):
        raise _not_whole(directory, f"{MANIFEST} is not what was written")
    for name, entry in files.items():
        path = directory / name
        size = path.stat().st_size if path.is_file() else None
        if size != entry["size"]:
            found = "is missing" if size is None else f"has {size:,} bytes"
            raise _not_whole(directory, f"{name} {found}, expected {entry['size']:,} bytes")
    return manifest


def verify_index(directory: Path, manifest: JsonObject) -> None:
    """Read every file and compare its hash; half a second for all of Japanese law.

    Raises:
        DataError: a file differs from what was built.
    """
    for name, entry in manifest["files"].items():
        if corpus_sha256(directory / name) != entry["sha256"]:
            raise _not_whole(directory, f"{name} differs from what was built")


def _listed(manifest: JsonObject) -> dict[str, dict[str, Any]] | None:
    """The files that a manifest lists; None where it does not say them as it was written."""
    files = manifest.get("files")
    if not isinstance(files, dict):
        return None
    for name, entry in files.items():
        whole = (
            Path(name).name == name
            and isinstance(entry, dict)
            and isinstance(entry.get("size"), int)
            and isinstance(entry.get("sha256"), str)
        )
        if not whole:
            return None
    dense, counts = manifest.get("dense"), manifest.get("counts")
    if not isinstance(dense, dict | None) or not isinstance(counts, dict):
        return None
    return files


def _not_whole(directory: Path, problem: str) -> DataError:
    return DataError(
        f"{directory}: the index is not whole: {problem}",
        f"{_build_hint(directory)} (with --fresh)",
    )


def _build_hint(directory: Path) -> str:
    return f"lawqa index build --articles ARTICLES.jsonl --output-dir {directory}  builds one"


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
            f"{directory}: holds what is not the index's own: {named(foreign)}; --fresh would remove it",
            "move it elsewhere, or name another directory",
        )
    if not fresh:
        raise ConfigError(
            f"{directory}: already holds an index",
            "--fresh replaces it; or name another directory",
        )
    refuse_working_directory(directory, "--output-dir")


def _files_of_index(directory: Path) -> list[str] | None:
    """The names of an index's files but its manifest; None where the directory holds no index."""
    try:
        manifest = read_manifest(directory)
    except DataError:
        return None
    files = manifest.get("files")
    return list(files) if manifest.get("kind") == "index" and isinstance(files, dict) else None


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
