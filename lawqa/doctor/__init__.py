"""Preflight of a place: everything that would otherwise fail after hours, looked at in seconds."""

from __future__ import annotations

from lawqa.doctor.examination import PlannedRun, examine
from lawqa.doctor.findings import Finding, Level, findings_exit_code
from lawqa.doctor.probes import Gpu, Probes, SystemProbes

__all__ = [
    "Finding",
    "Gpu",
    "Level",
    "PlannedRun",
    "Probes",
    "SystemProbes",
    "examine",
    "findings_exit_code",
]
