"""`lawqa merge`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from lawqa.cli.console import ConsoleFlags

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.merge import MergeResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Merge:
    """Write base model and adapter as one bfloat16 model, and what that does to the scores."""

    adapter: Positional[Path]
    """The adapter: the --output-dir of a finished training."""
    output_dir: Annotated[Path, arg(aliases=["-o"])]
    """Where the merged model goes."""
    model_name: str | None = None
    """The base model, where it is not where the adapter says."""
    revision: str | None = None
    """Its revision."""
    dev_file: Path | None = None
    """Questions that are scored before and after; without it nobody knows what the merge did."""
    dev_condition: Literal["closed", "gold"] | None = None
    """The context that they are put with, where the adapter was trained with several."""
    allow_base_mismatch: FlagCreatePairsOff[bool] = False
    """Merge into another base model than the adapter was trained over."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier merged model in the output directory."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.experiments.merge import MergeConfig, merge

        result = merge(
            MergeConfig(
                adapter=self.adapter,
                output_dir=self.output_dir,
                model_name=self.model_name,
                revision=self.revision,
                dev_file=self.dev_file,
                dev_condition=self.dev_condition,
                allow_base_mismatch=self.allow_base_mismatch,
                fresh=self.fresh,
                quiet=self.console.quiet,
            ),
            logger.info,
        )
        print(merge_text(result) if result else "! NOT SCORED: --dev-file says what the merge did")
        print(f"merged model: {self.output_dir}")
        return 0


def merge_text(result: MergeResult) -> str:
    """What a user reads after a merge."""
    from lawqa.report.summary_text import summary_table

    change = result.change
    return "\n".join(
        [
            *(f"! {note}" for note in result.notes),
            summary_table({"before": result.before, "merged": result.after}),
            "",
            f"the merge changed {result.changed_answers} of {result.before.n} answers: "
            f"{change.only_other} became right, {change.only_base} became wrong; a label's log-probability "
            f"moved by {result.shift:.3f} nats on average",
        ]
    )
