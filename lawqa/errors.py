"""Errors that a user can fix.

    LawqaError
    ├── DataError           a file or record is not what it should be
    ├── ConfigError         options contradict each other or ask for what is not there
    ├── BackendError        a model could not be loaded or asked
    ├── StorageError        a disk is full, or a file may not be written
    ├── MissingExtraError   an optional dependency is not installed
    ├── PolicyError         the declared place forbids this
    └── TrainingError       a training cannot continue

    Interrupted             a signal stopped the work, which can be resumed

The command line prints them as `error:` and `hint:` lines and exits with 2. Anything else is a bug and
keeps its traceback.
"""

from __future__ import annotations

import errno
import re


class LawqaError(Exception):
    """A mistake that the user can fix.

    Args:
        message: what was found and what was expected.
        hint: the command or change that fixes it; empty where there is none.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class DataError(LawqaError):
    """A data file, record or stored run is not what it should be."""


class ConfigError(LawqaError):
    """Options contradict each other, or ask for something that does not exist."""


class BackendError(LawqaError):
    """A model could not be loaded, or could not answer."""


class StorageError(LawqaError):
    """A disk is full, or a file may not be written."""


class MissingExtraError(LawqaError):
    """An optional dependency is not installed.

    Args:
        package: the package that is missing.
        extra: the extra of lawqa that brings it.
        otherwise: what does without it; empty where nothing does.
    """

    def __init__(self, package: str, extra: str, otherwise: str = "") -> None:
        super().__init__(
            f"{package} is not installed",
            f"pip install {_lacking(package, extra)}  (in a checkout: make setup)"
            + (f"; or {otherwise}" if otherwise else ""),
        )


def _lacking(package: str, extra: str) -> str:
    """Return what of an extra is not installed, for pip: the packages themselves, for lawqa may be on no
    index.
    """
    from importlib import metadata

    try:
        required = metadata.requires("lawqa") or []
    except metadata.PackageNotFoundError:  # run from a copy of the files
        required = []
    specs = {
        re.split(r"[^\w.-]", line, maxsplit=1)[0]: line.partition(";")[0].strip()
        for line in required
        if re.search(rf"extra == ['\"]{re.escape(extra)}['\"]", line)
    }
    missing = [name for name in specs if name != package and not _is_installed(name)]
    return " ".join(f"'{specs.get(name, name)}'" for name in (package, *missing))


def _is_installed(name: str) -> bool:
    from importlib import metadata

    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


class PolicyError(LawqaError):
    """The place this runs on forbids what was asked for."""


class TrainingError(LawqaError):
    """A training cannot continue: its loss is not a number, or the disk is full."""


class Interrupted(KeyboardInterrupt):
    """A signal stopped the work after it was saved; not an error, so no `except Exception` takes it.

    Args:
        signum: the signal.
        saved: what was saved, in words.
    """

    def __init__(self, signum: int, saved: str) -> None:
        super().__init__(saved)
        self.saved = saved
        self.number = signum


_MOVING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHOWN_OF_A_NAME = 60
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


def disk_fault(problem: OSError) -> StorageError | None:
    """Return what the system says of a file, as an error that a user can fix; None where it is something
    else.
    """
    where = f"{problem.filename}: " if problem.filename else ""
    if problem.errno in _NO_ROOM:
        return StorageError(
            f"{where}there is no room left: {problem.strerror}",
            "what was written is kept: make room, then give the same command with --resume where it has one",
        )
    if problem.errno in _FORBIDDEN:
        return StorageError(
            f"{where}cannot be written or read: {problem.strerror}",
            "name a place that this user may write, or have its rights changed",
        )
    if problem.errno == errno.ENAMETOOLONG:
        name = str(problem.filename)
        return StorageError(
            f"{name[:_SHOWN_OF_A_NAME]}… ({len(name):,} characters): is too long for a path or a name",
            "a name holds at most 255 bytes, a path 4,096; was something else put there?",
        )
    if problem.errno == errno.EIO:
        return StorageError(
            f"{where}cannot be read or written: {problem.strerror}",
            "the disk may be failing, or this is not an ordinary file: copy it elsewhere and use the copy",
        )
    return None


def tame(text: str) -> str:
    """Return a text without what moves a terminal's cursor, changes its title or turns the direction of
    writing.

    For output that quotes data: control characters become escapes, letters of every script stay.
    """
    return _MOVING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def printable(text: str) -> str:
    """Return a message without what could move a terminal's cursor or turn its direction of writing.

    Files hold such characters, and messages quote files. Line feeds stay.
    """
    return "".join(
        char if char.isprintable() or char in "\n\u3000" else f"\\u{ord(char):04x}" for char in text
    )
