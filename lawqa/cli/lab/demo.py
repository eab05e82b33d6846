"""`lawqa demo`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from tyro.conf import OmitArgPrefixes

from lawqa.cli.console import ConsoleFlags
from lawqa.settings import RunSettings, SampleSettings, declaration

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Demo:
    """Run the whole path once on a toy model: split, score, train a 4-bit adapter, score again."""

    data: Path | None = field(default=None, metadata=declaration(SampleSettings, "data"))
    """Questions of your own. Without it: the embedded ones."""
    tokenizer: str | None = None
    """A tokenizer directory. Without it: one trained on the questions."""
    run_dir: Path | None = None
    """Where to write. Without it: a new directory under runs/."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier demo in the run directory."""
    seed: int = 0
    """Decides the split, the toy model's weights and the training."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.demo import demo_text, run_demo

        result = run_demo(
            self.data,
            self.tokenizer,
            self.run_dir,
            fresh=self.fresh,
            seed=self.seed,
            say=logger.info,
        )
        print(demo_text(result))
        return 0
