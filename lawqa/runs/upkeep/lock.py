"""One process at a time on a run directory: a lock that dies with its holder."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.files import open_own

LOCK = ".lock"

_PATIENCE_SECONDS = 0.5  # longer than anyone holds it who only looks whether it is free


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Hold a file's lock within this, and never longer than the process lives.

    The operating system frees it, even after `kill -9`; the file itself stays.

    Args:
        path: the file; its directory must exist.

    Raises:
        ConfigError: another process holds it, the file system has no locks, or the file is a link, a
            directory, a pipe or a device.
    """
    try:
        handle = open_own(path, os.O_RDWR)
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be written: {problem.strerror}") from None
    try:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not _take(handle, path):
            if time.monotonic() > until:
                raise _held(path)
            time.sleep(0.02)
        # Nothing in the file changes before the lock is held.
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"pid {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextmanager
def locked_directory(directory: Path) -> Iterator[None]:
    """Make a directory where there is none, and hold its lock within this.

    Raises:
        ConfigError: it cannot be made or written, or another process holds the lock.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigError(f"{directory}: cannot be written: {problem.strerror}") from None
    with run_lock(directory / LOCK):
        yield


def require_free(path: Path) -> None:
    """Check that the lock could be taken, before work that would be lost.

    Raises:
        ConfigError: another process holds it.
    """
    if is_held(path):
        raise _held(path)


def is_held(path: Path) -> bool:
    """Return whether a living process holds this lock; a file that nobody has written yet is nobody's."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # a path that cannot be is explained by whoever writes there
        return False
    try:
        return not _take(handle, path)
    finally:
        os.close(handle)


def _take(handle: int, path: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as problem:
        if problem.errno in (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP):
            raise ConfigError(
                f"{path.parent}: this file system cannot lock files, so two runs could mix here",
                "put the run directory onto another file system",
            ) from None
        raise
    return True


def _held(path: Path) -> ConfigError:
    holder = path.read_text(encoding="ascii", errors="replace").strip()
    return ConfigError(
        f"{path.parent}: another process{holder and f' ({holder})'} is writing this run",
        "wait until it is done, or name another directory",
    )
