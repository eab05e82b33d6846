"""`lawqa report`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from lawqa.amounts import size_text
from lawqa.cli.console import ConsoleFlags
from lawqa.errors import ConfigError
from lawqa.settings import By, Language, RunSettings, declaration


@dataclass(frozen=True)
class ReportCommand:
    """Show runs on one self-contained HTML page, or as Markdown: claim, warnings, figures, every question.

    With --grid, a summary of everything below the directories given: ways of asking by condition, base and
    adapter, what holds, what does not, and what is not measured yet.
    """

    runs: Positional[tuple[Path, ...]]
    """Run directories or result files; adapters for their training curves."""
    output: Annotated[Path, arg(aliases=["-o"])] = Path("report.html")
    """The file to write: .html, or .md for Markdown; with --grid also .txt."""
    grid: FlagCreatePairsOff[bool] = False
    """The summary instead; a directory means all runs below it: a ladder, cross-validations."""
    reference: tuple[str, ...] = ()
    """With --grid: earlier figures as NAME=CORRECT/ASKED, held against --base and its adapter."""
    base: Path | None = None
    """The run to compare all others with. Without it: an adapter with the run that differs in it alone."""
    by: By = "own"
    """What is compared: each run's own final answer, that of one rule (see `lawqa compare`), or prompts."""
    data: tuple[Path, ...] = ()
    """Question files to take contexts from, besides those that the runs name."""
    recorded: FlagCreatePairsOff[bool] = False
    """Take the labels as they were recorded instead of reading the stored texts again."""
    lang: Language | None = None
    """The language shown first. Without it: the browser's; for Markdown English."""
    title: str = ""
    """The page's title. Without it: the runs' names."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier file."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        if self.grid:
            return self._summary()
        if self.reference:
            raise ConfigError("--reference is for --grid", "lawqa report --grid DIRECTORY...")
        from lawqa.pipelines.comparing.report_file import write_report

        written = write_report(
            self.runs, self.output, base=self.base, by=self.by, data=self.data, recorded=self.recorded,
            lang=self.lang, title=self.title, fresh=self.fresh,
        )  # fmt: skip
        print(written.claim)
        print(f"wrote {written.path} ({size_text(written.size)})")
        return 0

    def _summary(self) -> int:
        from lawqa.pipelines.comparing.grid import GridConfig
        from lawqa.pipelines.comparing.report_file import write_grid

        given = {"--by": self.by != "own", "--data": bool(self.data), "--recorded": self.recorded}
        unused = [name for name, is_given in given.items() if is_given]
        if unused:
            raise ConfigError(
                f"{unused[0]} is for a report of single runs", "leave it out of --grid"
            )
        if not self.runs:
            raise ConfigError(
                "no run was given", "lawqa report --grid DIRECTORY... -o summary.html"
            )
        config = GridConfig(self.runs, self.base, self.reference, self.title)
        written = write_grid(config, self.output, lang=self.lang, fresh=self.fresh)
        print(written.text)
        print(f"wrote {written.path} ({written.size / 1e6:.1f} MB)")
        return 0
