"""Digests of whole files, remembered in the user's cache so that 16 GB are read once and not at every run.

A digest is kept under the file's device and inode together with its size, mtime and ctime; when any of them
changes the file is read again. ctime is part of it because `touch -r` and `cp -p` can restore an mtime,
nothing can restore a ctime. A file changed within the last seconds is never remembered: a second write within
the clock's resolution would leave no trace (git's "racily clean" problem,
https://git-scm.com/docs/racy-git).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lawqa.errors import DataError

REMEMBERED_FROM = 4 << 20
"""Bytes; smaller files are read every time, which costs a few milliseconds."""

_BLOCK = 4 << 20
_SETTLED_NS = 2_000_000_000
_THREADS = 8


@dataclass(frozen=True)
class Stamp:
    """What changes when a file does, without reading it."""

    size: int
    """Bytes."""
    mtime_ns: int
    """Last change of the content, nanoseconds."""
    ctime_ns: int
    """Last change of content or metadata, nanoseconds; cannot be set by a user."""
    inode: int
    """Inode number, another one where the file was replaced."""
    device: int
    """Device that the inode number belongs to."""

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Return the stamp of a file; links are followed.

        Raises:
            OSError: there is no such file.
        """
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


def digest_cache() -> Path:
    """Return where digests are remembered: `lawqa/digests` in the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "lawqa" / "digests"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex, read in blocks.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return sha256_of_part(file, None)


def sha256_of_part(file: BinaryIO, size: int | None) -> str:
    """Return the SHA-256 of the next bytes of an open file.

    Args:
        file: open for reading.
        size: how many bytes; None for all that are left.

    Raises:
        ValueError: the file ends before.
    """
    digest, left = hashlib.sha256(), size
    while left is None or left > 0:
        block = file.read(_BLOCK if left is None else min(_BLOCK, left))
        if not block:
            if left is None:
                break
            raise ValueError(f"the file ends {left} bytes too early")
        digest.update(block)
        left = None if left is None else left - len(block)
    return digest.hexdigest()


def remembered(
    path: Path, what: str, read: Callable[[Path], dict[str, str]], *, verify: bool = False
) -> dict[str, str]:
    """Return what `read` finds in a file, from the cache where the file has not changed since.

    A cache that cannot be read or written costs time and nothing else.

    Args:
        path: the file; links are followed.
        what: the kind of digest, part of the name it is remembered under.
        read: reads the file and gives digests by name.
        verify: read the file whatever is remembered, and say where that differs.

    Raises:
        DataError: with `verify`, the file has other bytes than remembered though its stamp is the same.
        OSError: the file cannot be read.
    """
    before = Stamp.of(path)
    if before.size < REMEMBERED_FROM:
        return read(path)
    entry = digest_cache() / f"{before.device:x}-{before.inode:x}-{what}.json"
    known = _recall(entry, before)
    if known is not None and not verify:
        return known
    found = read(path)
    if known is not None and known != found:
        with suppress(OSError):
            entry.unlink()
        raise DataError(
            f"{path}: its bytes are not those that its digest was made of, though size and times are: "
            f"the disk, or whoever wrote {entry}, is at fault",
            "compare the file with its origin; the digest is forgotten and is made again",
        )
    settled = time.time_ns() - max(before.mtime_ns, before.ctime_ns) > _SETTLED_NS
    if settled and Stamp.of(path) == before:
        _remember(entry, before, found)
    return found


def in_parallel(
    read: Callable[[Path], dict[str, str]], paths: Iterable[Path]
) -> Iterator[tuple[Path, dict[str, str]]]:
    """Return the digests of several files; hashing releases the interpreter, so files are read
    side by side.
    """
    paths = list(paths)
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        yield from zip(paths, pool.map(read, paths), strict=True)


@contextmanager
def hashed_while_read(path: Path) -> Iterator[str]:
    """Compute the SHA-256 of a file that is read within the block, which must not change meanwhile.

    Raises:
        DataError: the file was changed while it was read.
    """
    digest = sha256_of(path) if path.is_file() else ""
    yield digest
    if digest and (not path.is_file() or sha256_of(path) != digest):
        raise DataError(f"{path}: was changed while it was read", "run the command again")


def require_unchanged(stamps: Mapping[Path, Stamp], while_what: str) -> None:
    """Make sure that files are still those that were hashed.

    Args:
        stamps: files with their stamps when they were hashed.
        while_what: what happened meanwhile, for the message.

    Raises:
        DataError: one was changed, replaced or removed.
    """
    changed = [path for path, stamp in stamps.items() if not _is_still(path, stamp)]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise DataError(
            f"{changed[0]}{more}: was changed {while_what}, so what was read is not known",
            "wait until nobody writes there, then run the command again",
        )


def _is_still(path: Path, stamp: Stamp) -> bool:
    try:
        return Stamp.of(path) == stamp
    except OSError:
        return False


def _recall(entry: Path, stamp: Stamp) -> dict[str, str] | None:
    try:
        content = json.loads(entry.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # absent or damaged: the file is read again
        return None
    if not isinstance(content, dict) or content.get("stamp") != vars(stamp):
        return None
    digests = content.get("digests")
    if not isinstance(digests, dict) or not all(isinstance(one, str) for one in digests.values()):
        return None
    return digests


def _remember(entry: Path, stamp: Stamp, digests: Mapping[str, str]) -> None:
    with suppress(OSError):  # a read-only home or a full disk: it is read again next time
        entry.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=entry.parent, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"stamp": vars(stamp), "digests": digests}, file)
        Path(name).replace(entry)
