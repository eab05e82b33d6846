"""`lawqa export`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from lawqa.cli.console import ConsoleFlags


@dataclass(frozen=True)
class Export:
    """Write a run's answers for other tools: CSV, Parquet, or a log of lm-eval or inspect_ai."""

    run_path: Annotated[Positional[Path], arg(metavar="RUN")]
    """A run directory or result file."""
    form: Annotated[Literal["csv", "parquet", "lm-eval", "inspect"], arg(name="format")]
    """csv and parquet: a row an answer. lm-eval: results and samples as lm-evaluation-harness logs them.
    inspect: a log that `inspect view` opens."""
    output_path: Annotated[Path, arg(aliases=["-o"])]
    """The file to write: .csv, .parquet or, for inspect, .eval or .json; for lm-eval a directory."""
    recorded: FlagCreatePairsOff[bool] = False
    """Take the labels as they were recorded instead of reading the stored texts again."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace earlier files."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.interchange.export import export_run

        exported = export_run(
            self.run_path, self.form, self.output_path, recorded=self.recorded, fresh=self.fresh
        )
        for note in exported.notes:
            print(f"! {note}")
        count = f"{exported.answers:,} answer{'s' if exported.answers != 1 else ''}"
        print(f"{count} of {self.run_path}")
        for path in exported.files:
            print(f"wrote {path}")
        return 0
