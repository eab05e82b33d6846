"""`lawqa average`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from lawqa.cli.console import ConsoleFlags
from lawqa.settings import AverageSettings, declaration, part_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Average(AverageSettings):
    """Average adapters of one base model, such as the seeds of a training, into one of higher rank."""

    # Declared by their names only: one has no flag, the other a short one.
    adapters: Positional[tuple[Path, ...]] = field(
        metadata=declaration(AverageSettings, "adapters")
    )
    """The adapters: the --output-dir of finished trainings over one base model."""
    output_dir: Annotated[Path, arg(aliases=["-o"])] = field(
        metadata=declaration(AverageSettings, "output_dir")
    )
    """Where the averaged adapter goes."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.experiments.average import average

        directory = average(part_of(AverageSettings, self), logger.info)
        print(f"adapter: {directory}")
        return 0
