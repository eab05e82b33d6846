"""Writing a model beside the place where it is to be, so that half a one is never there."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lawqa.errors import StorageError

_GIB = 2**30
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# safetensors' errors of the disk are of its own class, with the system's number in their text.
_IN_WORDS = re.compile(rf"os error ({'|'.join(map(str, _NO_ROOM))})\b")


@contextmanager
def written_beside(target: Path, what: str = "merged model") -> Iterator[Path]:
    """Make a directory that takes the target's place once the block is done; half a model loads too.

    After an error nothing of it is left, and the target is as it was.

    Args:
        target: the place.
        what: is written, for messages.

    Raises:
        StorageError: the directory cannot be made or renamed.
    """
    writing = target.with_name(f".{target.name}.writing")
    made = [parent for parent in writing.parents if not parent.exists()]
    try:
        with _told(target, what):
            shutil.rmtree(writing, ignore_errors=True)
            writing.mkdir(parents=True)
        yield writing
        with _told(target, what):
            if target.is_dir():
                shutil.rmtree(target)
            writing.rename(target)
    except BaseException:
        shutil.rmtree(writing, ignore_errors=True)
        for parent in made:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise


@contextmanager
def room_for_model(directory: Path, size: int) -> Iterator[None]:
    """Write into a directory where there is room for it.

    Args:
        directory: where.
        size: of what is written, bytes.

    Raises:
        StorageError: there is less room, or the disk says so while it is written.
    """
    free = shutil.disk_usage(directory).free
    if free < size:
        raise StorageError(
            f"{directory.parent}: the merged model takes {size / _GIB:.1f} GiB, "
            f"{free / _GIB:.1f} GiB are free",
            "make room, or name another place with --output-dir",
        )
    with _told(directory):
        yield


@contextmanager
def _told(place: Path, what: str = "merged model") -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise _unwritten(place, what, problem.strerror or str(problem)) from problem
    except Exception as problem:
        if not _IN_WORDS.search(str(problem)):
            raise
        raise _unwritten(place, what, " ".join(str(problem).split())) from problem


def _unwritten(place: Path, what: str, why: str) -> StorageError:
    return StorageError(
        f"{place.parent}: the {what} could not be written: {why}; nothing of it is left",
        "make room, or name another place with --output-dir",
    )
