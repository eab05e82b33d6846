"""What several processes of one training must agree on, and how they part."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate.utils import broadcast_object_list, gather_object
from torch import distributed
from transformers import TrainingArguments

from lawqa.amounts import counted
from lawqa.errors import ConfigError

logger = logging.getLogger(__name__)

_PATIENCE = 30.0  # seconds
_QUIET_SECONDS = 5.0  # torch takes about a second where everybody is there
_ALONE = (
    "if the others were not started at all, unset WORLD_SIZE or launch all processes with torchrun"
)


def form_group(
    join: Callable[[], TrainingArguments], *, quiet_seconds: float = _QUIET_SECONDS
) -> TrainingArguments:
    """Join the other processes of a launch; while they are missing, report whom this one waits for.

    Args:
        join: makes the arguments of the training, which joins them; torch alone waits in silence.
        quiet_seconds: how long nothing is reported; each report after that waits twice as long.

    Returns:
        What `join` returns.

    Raises:
        ConfigError: they did not come in time, or are not as many as WORLD_SIZE says.
    """
    expected = int(os.environ.get("WORLD_SIZE", "1"))
    if expected == 1:
        return join()
    try:
        with _reported(expected, quiet_seconds):
            joined = join()
    except (distributed.DistError, ValueError) as problem:
        reason = str(problem).splitlines()[0]
        raise ConfigError(
            f"WORLD_SIZE is {expected}, and the {counted(expected, 'process', 'processes')} did "
            f"not come together: {reason}",
            _ALONE,
        ) from problem
    if joined.world_size != expected:
        raise ConfigError(
            f"WORLD_SIZE is {expected}, but {joined.world_size} of the processes came together",
            _ALONE,
        )
    return joined


@contextmanager
def _reported(expected: int, quiet_seconds: float) -> Iterator[None]:
    over = threading.Event()

    def report() -> None:
        began, pause = time.monotonic(), quiet_seconds
        while not over.wait(pause):
            waited = time.monotonic() - began
            where = ":".join(os.environ.get(name, "?") for name in ("MASTER_ADDR", "MASTER_PORT"))
            logger.warning(
                "process %s waits at %s for the other processes of this training (%d in all), "
                "for %.0f s now; %s",
                os.environ.get("RANK", "0"), where, expected, waited, _ALONE,
            )  # fmt: skip
            pause = waited

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        over.set()
        reporter.join()


def require_shared_directory(output_dir: Path, *, process: int, processes: int) -> None:
    """Make sure that all processes see one output directory, from which all resume.

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
            "all hosts resume from the same checkpoints: --output-dir must lie on a file system they share",
        )


def leave_group() -> None:
    """Leave the process group; NCCL warns of one that is not destroyed."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def _appears(path: Path) -> bool:
    """Return whether a path is there, or comes: shared file systems remember for seconds that it was not."""
    end = time.monotonic() + _PATIENCE
    while not path.is_dir():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _marked(output_dir: Path) -> tempfile.TemporaryDirectory[str]:
    output_dir.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=".seen-by-all-", dir=output_dir)
