"""Where Triton keeps the kernels that it has compiled: in the home directory, or where one can write.

Triton names each kernel there by its source, its versions and the card, so that a second process compiles
nothing. It gives up where it cannot write; then a directory of this user's among temporary files serves.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

logger = logging.getLogger(__name__)

_VARIABLE = "TRITON_CACHE_DIR"


def prepare_cache(environment: MutableMapping[str, str] = os.environ) -> Path:
    """Make sure that compiled kernels can be kept, and say so where none are kept yet.

    Args:
        environment: gets Triton's own variable where its usual directory cannot be written.

    Returns:
        The directory.
    """
    directory = _usual(environment)
    if not _writable(directory):
        refused, directory = directory, _temporary()
        environment[_VARIABLE] = str(directory)
        logger.warning(
            "note: %s cannot be written: compiled kernels are kept in %s", refused, directory
        )
    if not any(directory.iterdir()):
        logger.info(
            "note: kernels are compiled for this card and kept in %s: later commands begin sooner",
            directory,
        )
    return directory


def _usual(environment: MutableMapping[str, str]) -> Path:
    """Return where Triton would keep them."""
    if given := environment.get(_VARIABLE):
        return Path(given)
    return Path(environment.get("TRITON_HOME") or "~").expanduser() / ".triton" / "cache"


def _writable(directory: Path) -> bool:
    """Say whether a file can be made there; the directory is made if needed."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def _temporary() -> Path:
    """Return a directory that only this user can write: what is kept there is run."""
    user = os.getuid() if hasattr(os, "getuid") else None
    shared = Path(tempfile.gettempdir()) / f"lawqa-kernels-{user}"
    try:
        shared.mkdir(mode=0o700, exist_ok=True)
        status = shared.stat(follow_symlinks=False)
        own = user is not None and status.st_uid == user and not status.st_mode & 0o077
    except OSError:
        own = False
    if own and shared.is_dir() and not shared.is_symlink() and _writable(shared):
        return shared
    return Path(tempfile.mkdtemp(prefix="lawqa-kernels-"))
