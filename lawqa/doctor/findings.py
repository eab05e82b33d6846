"""What a check says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor."""

    check: str
    """What was looked at."""
    level: Level
    """`problem`: the work would fail; `warning`: it may, or is slower or less than it could be."""
    message: str
    """What was found, against what was expected."""
    fix: str = ""
    """The command or change that fixes it, a line each; empty where nothing is to be done."""


def findings_exit_code(findings: Sequence[Finding]) -> int:
    """Return 0 where all is well, 1 with warnings, 2 with problems."""
    levels = {finding.level for finding in findings}
    return 2 if "problem" in levels else 1 if "warning" in levels else 0
