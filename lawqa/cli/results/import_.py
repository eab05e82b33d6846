"""`lawqa import`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from lawqa.cli.console import ConsoleFlags
from lawqa.settings import LogFormat, RunSettings, SampleSettings, declaration


@dataclass(frozen=True)
class Import:
    """Make a run of a log of lm-evaluation-harness or inspect_ai, which then compares and reports."""

    log: Annotated[Positional[Path], arg(metavar="FILE")]
    """lm-eval's samples_*.jsonl, or a log of inspect_ai (.json or .eval)."""
    output_dir: Path
    """The run directory to make."""
    form: Annotated[LogFormat | None, arg(name="format")] = None
    """Which of the two it is. Without it the name's ending says."""
    data: Path | None = field(default=None, metadata=declaration(SampleSettings, "data"))
    """The question file that was asked: questions are found in it by their words, and get its ids."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier run."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.interchange.importing import import_run
        from lawqa.report.summary_text import summary_table

        made = import_run(
            self.log, self.output_dir, format=self.form, data=self.data, fresh=self.fresh
        )
        for note in made.notes:
            print(f"! {note}")
        print(summary_table({"this run": made.figures.summary}))
        print(f"\nrun: {made.run_dir}")
        return 0
