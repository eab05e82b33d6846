"""All checks, in the order in which one would mend what they find."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.doctor import files, hardware, software
from lawqa.doctor.findings import Finding
from lawqa.doctor.probes import Probes, SystemProbes
from lawqa.doctor.setting import Patient


def examine(patient: Patient, probes: Probes | None = None) -> tuple[Finding, ...]:
    """Look at everything.

    Args:
        patient: what is going to be run.
        probes: answers for the machine; None to ask it.
    """
    return tuple(_findings(patient, probes or SystemProbes()))


def _findings(patient: Patient, probes: Probes) -> Iterator[Finding]:
    yield software.python(probes)
    yield from software.packages(patient, probes)
    yield software.kernel(probes)
    yield software.encodings(probes)
    has_torch = probes.package("torch") is not None
    gpu = None
    if has_torch:
        yield hardware.driver(patient, probes)
        gpu = probes.gpu()
        yield from hardware.gpu(patient, gpu, probes)
        if probes.package("bitsandbytes") is not None:
            yield hardware.four_bit(probes)
    yield from files.model(patient, probes)
    yield from hardware.plan(patient, gpu)
    yield from files.space(patient, probes)
    yield files.data(patient)
    yield files.index(patient)
    yield from software.place(patient, probes)


__all__ = ["Patient", "examine"]
