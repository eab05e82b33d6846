"""`lawqa report`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from lawqa.cli.console import ConsoleFlags
from lawqa.cli.final_rules import By
from lawqa.errors import ConfigError


@dataclass(frozen=True)
class ReportCommand:
    """Show runs on one self-contained HTML page, or as Markdown: claim, warnings, figures, every question."""

    runs: Positional[tuple[Path, ...]]
    """Run directories or result files; adapters for their training curves."""
    output: Annotated[Path, arg(aliases=["-o"])] = Path("report.html")
    """The file to write: .html, or .md for Markdown."""
    base: Path | None = None
    """The run to compare all others with. Without it: an adapter with the run that differs in it alone."""
    by: By = "own"
    """What is compared: each run's own final answer, that of one rule (see `lawqa compare`), or prompts."""
    data: tuple[Path, ...] = ()
    """Question files to take contexts from, besides those that the runs name."""
    recorded: FlagCreatePairsOff[bool] = False
    """Take the labels as they were recorded instead of reading the stored texts again."""
    lang: Literal["ja", "en"] | None = None
    """The language shown first. Without it: the browser's; for Markdown English."""
    title: str = ""
    """The page's title. Without it: the runs' names."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier file."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.files import write_text
        from lawqa.pipelines.comparing.report import ReportConfig, make_report
        from lawqa.report.claims import headline
        from lawqa.report.html import report_html
        from lawqa.report.markdown import report_markdown
        from lawqa.runs.directory import claim_output

        if not self.runs:
            raise ConfigError("no run was given", "lawqa report RUN... -o report.html")
        suffix = self.output.suffix.lower()
        if suffix not in (".html", ".htm", ".md"):
            raise ConfigError(
                f"--output {self.output}: the name ends in {suffix or 'nothing'}, expected .html or .md"
            )
        claim_output(
            self.output, "--output", fresh=self.fresh, sources=(*self.runs, self.base, *self.data)
        )
        runs = (*self.runs, self.base) if self.base and self.base not in self.runs else self.runs
        report = make_report(
            ReportConfig(
                runs, self.base, self.data, recorded=self.recorded, title=self.title, by=self.by
            )
        )
        if suffix == ".md":
            text = report_markdown(report, self.lang or "en")
        else:
            text = report_html(report, self.lang)
        write_text(self.output, text)
        said = headline(report).text
        print(said.ja if self.lang == "ja" else said.en)
        print(f"wrote {self.output} ({len(text.encode()) / 1e6:.1f} MB)")
        return 0
