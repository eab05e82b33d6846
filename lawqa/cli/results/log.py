"""`lawqa log`: the lab's log forms, filled from runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg


@dataclass(frozen=True)
class Log:
    """Fill one of the lab's log forms from runs; fields that only a person knows stay marked 【記入】."""

    runs: Positional[tuple[Path, ...]]
    """Run directories, adapters, or a cross-validation for all of its trainings; of several evaluations the
    first is what the others are compared with."""
    output: Annotated[Path, arg(aliases=["-o"])]
    """The Markdown file to write."""
    template: Literal["ベースライン結果", "学習ログ", "評価ログ"] | None = None
    """The form. Without it: 学習ログ for an adapter, 評価ログ for evaluations."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier file."""

    def run(self) -> int:
        from lawqa.docgen import left_to_person, log_text, logged_paths, read_run_facts
        from lawqa.errors import ConfigError
        from lawqa.files import write_text
        from lawqa.runs.directory import claim_output

        if not self.runs:
            raise ConfigError("no run was given", "lawqa log RUN... -o FILE")
        facts = [read_run_facts(one) for path in self.runs for one in logged_paths(path)]
        kinds = {fact.kind for fact in facts}
        if len(kinds) > 1:
            raise ConfigError(
                "a log is about trainings or about evaluations, these are both",
                "give adapters to one log and runs to another",
            )
        wanted = "学習ログ" if kinds == {"train"} else "評価ログ"
        template = self.template or wanted
        if (template == "学習ログ") != (kinds == {"train"}):
            raise ConfigError(f"--template {template} does not fit: {wanted} does")
        compared = self._comparison() if kinds == {"evaluate"} and len(self.runs) > 1 else ""
        text = log_text(template, facts, comparison=compared)
        if self.output.suffix != ".md":
            raise ConfigError(
                f"--output {self.output}: the name ends in {self.output.suffix or 'nothing'}, expected .md"
            )
        claim_output(self.output, "--output", fresh=self.fresh, sources=self.runs)
        write_text(self.output, text)
        print(f"wrote {self.output}: {left_to_person(text)} fields are left to you (【記入】)")
        return 0

    def _comparison(self) -> str:
        from lawqa.errors import tame
        from lawqa.pipelines.comparing.comparison import compare_runs
        from lawqa.report.comparisons import comparison_markdown, difference_lines

        base, *others = self.runs
        found = compare_runs(base, others)
        said = "".join(f"- {line.strip()}\n" for line in difference_lines(found.base, found.judged))
        notes = "".join(f"- **{note}**\n" for note in found.notes)
        table = comparison_markdown(found.base, found.comparisons)
        # Runs are named by their directories, which may be called anything.
        return tame(f"{said}{notes}\n{table}".replace("<", "&lt;"))
