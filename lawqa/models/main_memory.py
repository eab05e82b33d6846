"""How much main memory a process may still take."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import psutil

_GROUP = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60  # cgroup v1 writes a number of this size where there is no limit


def free_main_memory() -> int:
    """Return the bytes that this process may still take: of the machine, its container and `ulimit -v` the
    least.
    """
    of_machine: int = psutil.virtual_memory().available
    return max(0, min([of_machine, *_of_container(), *_of_process()]))


def _of_container() -> Iterator[int]:
    """Yield what cgroups leave, v2 and v1; cached files that nobody reads give way."""
    for folder, limit, used, cached in (
        (_GROUP, "memory.max", "memory.current", "inactive_file"),
        (
            _GROUP / "memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    ):
        if (folder / limit).is_file() and (folder / used).is_file():
            allowed = (folder / limit).read_text(encoding="ascii").strip()
            if allowed.isdigit() and int(allowed) < _UNLIMITED:
                taken = int((folder / used).read_text(encoding="ascii"))
                yield int(allowed) - taken + _counted(folder / "memory.stat", cached)


def _counted(statistics: Path, name: str) -> int:
    if not statistics.is_file():
        return 0
    lines = statistics.read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)


def _of_process() -> Iterator[int]:
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY:
        yield allowed - psutil.Process().memory_info().vms
