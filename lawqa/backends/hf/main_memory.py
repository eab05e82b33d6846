"""How much main memory a process may still take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

_GROUP = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60  # cgroup v1 writes a number of this size where there is no limit


def free_main_memory() -> int:
    """Bytes that this process may still take: of the machine, its container and `ulimit -v` the least."""
    of_machine: int = psutil.virtual_memory().available
    return max(0, min([of_machine, *_of_container(), *_of_process()]))


def _of_container() -> Iterator[int]:
    """What cgroups leave, v2 and v1; cached files count as taken, so it is rather too little."""
    for limit, used in (
        (_GROUP / "memory.max", _GROUP / "memory.current"),
        (_GROUP / "memory/memory.limit_in_bytes", _GROUP / "memory/memory.usage_in_bytes"),
    ):
        if limit.is_file() and used.is_file():
            allowed = limit.read_text(encoding="ascii").strip()
            if allowed.isdigit() and int(allowed) < _UNLIMITED:
                yield int(allowed) - int(used.read_text(encoding="ascii"))


def _of_process() -> Iterator[int]:
    this = psutil.Process()
    allowed, _ = this.rlimit(psutil.RLIMIT_AS)
    if allowed != psutil.RLIM_INFINITY:
        yield allowed - this.memory_info().vms
