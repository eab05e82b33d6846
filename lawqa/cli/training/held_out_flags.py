"""The flags of how held-out questions are asked, shared by the commands that cross-validate."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.cli.asking.prompt_options import ThinkingFlags
from lawqa.settings import HeldOutSettings


@dataclass(frozen=True, kw_only=True)
class HeldOutFlags(HeldOutSettings, ThinkingFlags):
    """How the held-out questions are asked."""
