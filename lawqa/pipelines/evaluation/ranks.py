"""Several processes on one run, as `torchrun` or `accelerate launch` starts them.

They share nothing but the run directory: process 0 prepares it and says so in `parts/ready.json`; each asks
its share of the questions and writes `parts/rankN.jsonl`; process 0 brings the parts together. Every process
holds a lock that ends with its life, so nobody waits for the dead.
"""

from __future__ import annotations

import logging
import os
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lawqa.amounts import counted
from lawqa.errors import BackendError, ConfigError
from lawqa.files import JsonDict, strict_json, write_json
from lawqa.made import Made
from lawqa.runs.directory import PARTS_FOLDER
from lawqa.runs.manifest import Manifest
from lawqa.runs.upkeep.lock import LOCK, is_held, run_lock

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

_LOOK_SECONDS = 0.1
_START_SECONDS = 3600.0  # loading a large model from a slow disk
_QUIET_SECONDS = 5.0
_ALONE = "if it was not started at all, unset WORLD_SIZE or launch all processes with torchrun"
_GOES_ON = "start it again with --resume: what is answered is kept"


@dataclass(frozen=True)
class Ranks:
    """The processes of this launch, and which of them this is."""

    rank: int = 0
    """The number of this process, from 0."""
    size: int = 1
    """How many there are."""
    launch: str = ""
    """What distinguishes this launch from earlier ones in the same directory."""
    start_seconds: float = _START_SECONDS
    """How long to wait for another process to begin."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Ranks:
        """Return the processes that the launcher's environment variables describe; one where there are none.

        Raises:
            ConfigError: the processes are spread over several machines, or a variable is not a number that
                can be.
        """
        size = launch_number(environment, "WORLD_SIZE", 1, least=1)
        if size == 1:
            return cls()
        rank = launch_number(environment, "RANK", 0, most=size - 1)
        local = launch_number(environment, "LOCAL_WORLD_SIZE", size, least=1)
        if local != size:
            raise ConfigError(
                f"{counted(size, 'process', 'processes')} on several machines ({local} on this "
                "one): an evaluation can be split "
                "over the processes of one machine only",
                "launch it on one machine",
            )
        names = ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "MASTER_PORT")
        # All processes of a launch are children of one launcher.
        launch = "/".join([str(os.getppid()), *(environment.get(name, "") for name in names)])
        return cls(rank, size, launch)

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return self.size > 1

    def share(self, ids: Iterable[str], items: Sequence[Item]) -> Sequence[Item]:
        """Return this process's share; all orders and repeats of a question stay together.

        Args:
            ids: the ids of the questions in every order.
            items: an equal number of consecutive items for each of them.
        """
        if not self.several:
            return items
        number: dict[str, int] = {}
        turns = array("Q", (number.setdefault(one, len(number)) for one in ids))
        each = len(items) // len(turns)
        mine = (n for n in range(len(items)) if turns[n // each] % self.size == self.rank)
        return Made(items.__getitem__, array("Q", mine))

    def part(self, run_dir: Path) -> Path:
        """Return the file that this process writes its answers to."""
        return run_dir / PARTS_FOLDER / f"rank{self.rank}.jsonl"

    def other_parts(self, run_dir: Path) -> list[Path]:
        """Return the files that the other processes write their answers to."""
        numbers = (number for number in range(self.size) if number != self.rank)
        return [run_dir / PARTS_FOLDER / f"rank{number}.jsonl" for number in numbers]

    def announce(self, run_dir: Path) -> None:
        """Say, in process 0, that the run directory is ready for the others."""
        write_json(_ready(run_dir), {"launch": self.launch})

    def wait_until_ready(self, run_dir: Path) -> None:
        """Wait for process 0, in the others.

        Raises:
            BackendError: it did not get there.
        """
        launcher, start = os.getppid(), time.monotonic()
        waiting = _Waiting(
            f"process {self.rank} of {self.size} waits for process 0 to begin the run"
        )
        while not self._is_ready(run_dir):
            if os.getppid() != launcher or time.monotonic() - start > self.start_seconds:
                raise BackendError(
                    f"process {self.rank}: process 0 did not begin the run within "
                    f"{self.start_seconds:,.0f} s",
                    f"its own message says why; {_ALONE}",
                )
            waiting.look()

    @contextmanager
    def taking_part(self, run_dir: Path) -> Iterator[None]:
        """Show, in the others, that this process lives, and at an end without an error that it is done."""
        with run_lock(_lock(run_dir, self.rank)):
            yield
            _done(run_dir, self.rank).touch()

    def wait_for_others(self, run_dir: Path) -> None:
        """Wait, in process 0, until the others are done.

        Raises:
            BackendError: one ended before it was done, or did not begin.
        """
        until = time.monotonic() + self.start_seconds
        for rank in range(1, self.size):
            waiting = _Waiting("")
            while not _done(run_dir, rank).exists():
                begun_by = sum(_begun(run_dir, other) for other in range(1, self.size))
                waiting.what = (
                    f"process 0 of {self.size} waits for process {rank}: {begun_by} of {self.size - 1} "
                    "others have begun"
                )
                begun, alive = _begun(run_dir, rank), is_held(_lock(run_dir, rank))
                if begun and not alive and not _done(run_dir, rank).exists():
                    raise BackendError(f"process {rank} ended before it was done", _GOES_ON)
                if not begun and time.monotonic() > until:
                    raise BackendError(
                        f"process {rank} did not begin to ask within {self.start_seconds:,.0f} s",
                        f"{_GOES_ON}; {_ALONE}",
                    )
                waiting.look()

    def wait_until_whole(self, run_dir: Path) -> None:
        """Wait, in the others, until process 0 has brought everything together.

        Raises:
            BackendError: it ended before that.
        """
        while (status := Manifest.read(run_dir).status) == "running":
            if not is_held(run_dir / LOCK) and Manifest.read(run_dir).status == "running":
                raise BackendError("process 0 ended before the run was whole", _GOES_ON)
            time.sleep(_LOOK_SECONDS)
        if status != "done":
            raise BackendError(f"process 0: the run is {status}", _GOES_ON)

    def _is_ready(self, run_dir: Path) -> bool:
        try:
            content: JsonDict = strict_json(_ready(run_dir).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        return bool(content["launch"] == self.launch)


class _Waiting:
    """Looks again after a moment, and says now and then what is waited for."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._start = time.monotonic()
        self._next = _QUIET_SECONDS

    def look(self) -> None:
        """Wait a moment."""
        time.sleep(_LOOK_SECONDS)
        waited = time.monotonic() - self._start
        if waited >= self._next:
            self._next = 2 * waited
            logger.warning("%s, for %.0f s now; %s", self.what, waited, _ALONE)


def launch_number(
    environment: Mapping[str, str], name: str, default: int, *, least: int = 0, most: int = 65_535
) -> int:
    """Return a number that a launcher gives its processes.

    Args:
        environment: environment variables.
        name: which.
        default: where it is not set.
        least: the least it can be.
        most: the most it can be.

    Raises:
        ConfigError: it is empty, not a whole number, or out of range.
    """
    text = environment.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdecimal() and len(text) < 10:
        number = int(text)
        if least <= number <= most:
            return number
    raise ConfigError(
        f"{name} is {text[:40]!r}, expected a whole number from {least} to {most}, as torchrun sets it",
        f"torchrun --nproc-per-node N -m lawqa …; for one process: env -u {name} -u WORLD_SIZE lawqa …",
    )


def check_launch(environment: Mapping[str, str]) -> None:
    """Make sure that what a launcher says of its processes can be read; libraries read it too, and crash.

    Raises:
        ConfigError: a variable is not a number that can be.
    """
    size = launch_number(environment, "WORLD_SIZE", 1, least=1)
    launch_number(environment, "RANK", 0, most=max(size - 1, 0))
    launch_number(environment, "LOCAL_RANK", 0, most=max(size - 1, 0))
    launch_number(environment, "LOCAL_WORLD_SIZE", 1, least=1)


def _ready(run_dir: Path) -> Path:
    return run_dir / PARTS_FOLDER / "ready.json"


def _lock(run_dir: Path, rank: int) -> Path:
    return run_dir / PARTS_FOLDER / f"rank{rank}.lock"


def _done(run_dir: Path, rank: int) -> Path:
    return run_dir / PARTS_FOLDER / f"rank{rank}.done"


def _begun(run_dir: Path, rank: int) -> bool:
    """Return whether a process has taken its lock: it writes its number into the file then."""
    try:
        return _lock(run_dir, rank).stat().st_size > 0
    except FileNotFoundError:
        return False
