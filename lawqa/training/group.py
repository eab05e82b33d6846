"""What several processes of one training must agree on, and how they part."""

from __future__ import annotations

import socket
import tempfile
import time
from pathlib import Path

from accelerate.utils import broadcast_object_list, gather_object
from torch import distributed

from lawqa.errors import ConfigError

_PATIENCE = 30.0  # seconds


def require_shared_directory(output_dir: Path, *, process: int, processes: int) -> None:
    """Make sure that all processes see one output directory, from which all go on.

    Args:
        output_dir: where the first process writes.
        process: the number of this one.
        processes: how many there are.

    Raises:
        ConfigError: a host sees another directory, on every process.
    """
    if processes == 1:
        return
    with tempfile.TemporaryDirectory() if process else _marked(output_dir) as mark:
        name = [Path(mark).name]
        broadcast_object_list(name)
        seen = _appears(output_dir / name[0])
        blind = gather_object([] if seen else [socket.gethostname()])
    if blind:
        raise ConfigError(
            f"{output_dir}: {', '.join(sorted(set(blind)))} sees another directory than the first process",
            "all hosts go on from the same checkpoints: --output-dir must lie on a file system they share",
        )


def leave_group() -> None:
    """Take leave of the other processes; NCCL warns of a group that is only left behind."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def _appears(path: Path) -> bool:
    """Whether a path is there, or comes: shared file systems remember for seconds that it was not."""
    end = time.monotonic() + _PATIENCE
    while not path.is_dir():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _marked(output_dir: Path) -> tempfile.TemporaryDirectory[str]:
    output_dir.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=".seen-by-all-", dir=output_dir)
