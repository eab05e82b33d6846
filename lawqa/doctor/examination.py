"""All checks, in the order in which one would fix what they find."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.doctor import files, hardware, software
from lawqa.doctor.findings import Finding
from lawqa.doctor.planned_run import PlannedRun
from lawqa.doctor.probes import Probes, SystemProbes


def examine(planned: PlannedRun, probes: Probes | None = None) -> tuple[Finding, ...]:
    """Look at everything.

    Args:
        planned: what is going to be run.
        probes: answers for the machine; None to ask it.
    """
    return tuple(_findings(planned, probes or SystemProbes()))


def _findings(planned: PlannedRun, probes: Probes) -> Iterator[Finding]:
    yield software.python(probes)
    yield from software.packages(planned, probes)
    yield software.kernel(probes)
    yield software.encodings(probes)
    has_torch = probes.package("torch") is not None
    gpu = None
    if has_torch:
        yield hardware.driver(planned, probes)
        gpu = probes.gpu()
        yield from hardware.gpu(planned, gpu, probes)
        if probes.package("bitsandbytes") is not None:
            yield hardware.four_bit(probes)
    yield from files.model(planned, probes)
    yield from hardware.plan(planned, gpu)
    yield from files.space(planned, probes)
    yield files.data(planned)
    yield files.index(planned)
    yield from software.place(planned, probes)


__all__ = ["PlannedRun", "examine"]
