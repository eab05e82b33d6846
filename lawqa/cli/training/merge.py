"""`lawqa merge`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from lawqa.amounts import counted
from lawqa.cli.console import ConsoleFlags
from lawqa.settings import MergeSettings, declaration, values_of

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.merge import MergeResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Merge(MergeSettings):
    """Write base model and adapter as one bfloat16 model, and what that does to the scores."""

    # Declared by their names only: one has no flag, the other a short one.
    adapter: Positional[Path] = field(metadata=declaration(MergeSettings, "adapter"))
    """The adapter: the --output-dir of a finished training."""
    output_dir: Annotated[Path, arg(aliases=["-o"])] = field(
        metadata=declaration(MergeSettings, "output_dir")
    )
    """Where the merged model goes."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.experiments.merge import MergeConfig, merge

        result = merge(
            MergeConfig(**values_of(MergeSettings, self), quiet=self.console.quiet),
            logger.info,
        )
        print(merge_text(result) if result else "! NOT SCORED: --dev-file says what the merge did")
        print(f"merged model: {self.output_dir}")
        return 0


def merge_text(result: MergeResult) -> str:
    """Return what a user reads after a merge."""
    from lawqa.report.summary_text import summary_table

    change = result.change
    return "\n".join(
        [
            *(f"! {note}" for note in result.notes),
            summary_table({"before": result.before, "merged": result.after}),
            "",
            f"the merge changed {result.changed_answers} of {counted(result.before.n, 'answer')}: "
            f"{change.only_other} became right, {change.only_base} became wrong; a label's log-probability "
            f"moved by {result.shift:.3f} nats on average",
        ]
    )
