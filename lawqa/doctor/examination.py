"""All checks, in the order in which one would mend what they find."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.doctor import files, hardware, software
from lawqa.doctor.findings import Finding
from lawqa.doctor.probes import Probes, SystemProbes
from lawqa.doctor.target import Target


def examine(target: Target, probes: Probes | None = None) -> tuple[Finding, ...]:
    """Look at everything.

    Args:
        target: what is going to be run.
        probes: answers for the machine; None to ask it.
    """
    return tuple(_findings(target, probes or SystemProbes()))


def _findings(target: Target, probes: Probes) -> Iterator[Finding]:
    yield software.python(probes)
    yield from software.packages(target, probes)
    yield software.kernel(probes)
    yield software.encodings(probes)
    has_torch = probes.package("torch") is not None
    gpu = None
    if has_torch:
        yield hardware.driver(target, probes)
        gpu = probes.gpu()
        yield from hardware.gpu(target, gpu, probes)
        if probes.package("bitsandbytes") is not None:
            yield hardware.four_bit(probes)
    yield from files.model(target, probes)
    yield from hardware.plan(target, gpu)
    yield from files.space(target, probes)
    yield files.data(target)
    yield files.index(target)
    yield from software.place(target, probes)


__all__ = ["Target", "examine"]
