"""`lawqa distill`."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from lawqa.cli.asking.pool import failures_reported
from lawqa.cli.asking.pool_text import selection_text
from lawqa.cli.asking.sampler_flags import KEPT, SamplerFlags
from lawqa.cli.console import resume_hint_on_interrupt
from lawqa.settings import FromPoolSettings, SelectSettings, declaration, values_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Distill(SamplerFlags, SelectSettings):
    """Sample reasoned answers from a model and keep the right ones as training records.

    The same as `lawqa pool sample` and `lawqa pool select` after each other.
    """

    output_path: Path = field(metadata=declaration(FromPoolSettings, "output_path"))
    """The JSONL file to write; the pool of samples (STEM.samples.jsonl) is kept beside it."""

    def run(self) -> int:
        from lawqa.pipelines.experiments.distill import DistillConfig, distill, pool_beside

        sampler = self.pool_config(pool_beside(self.output_path))
        config = DistillConfig(**values_of(DistillConfig, sampler, self))
        with resume_hint_on_interrupt(KEPT + (", without --fresh" if self.fresh else "")):
            result = distill(config, say=logger.info)
        print(selection_text(result.selection, self.output_path))
        again = f"rm {shlex.quote(str(self.output_path))}, and the same command"
        return failures_reported(result.sampled, again + (" without --fresh" if self.fresh else ""))
