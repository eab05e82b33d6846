"""`lawqa log`: the lab's log forms, filled from runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lawqa.amounts import counted
from lawqa.settings import RunSettings, declaration


@dataclass(frozen=True)
class Log:
    """Fill one of the lab's log forms from runs; fields that only a person knows stay marked 【記入】."""

    runs: Positional[tuple[Path, ...]]
    """Run directories, result files, adapters, or a cross-validation for all of its trainings; of several
    evaluations the first is what the others are compared with."""
    output: Annotated[Path, arg(aliases=["-o"])]
    """The Markdown file to write."""
    template: str | None = None
    """The form, by its name. Without it: 学習ログ for trainings, 評価ログ for evaluations."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier file."""

    def run(self) -> int:
        from lawqa.docgen import (
            compared_in_japanese,
            kind_of_form,
            left_to_person,
            log_forms,
            log_text,
            logged_paths,
            read_run_facts,
        )
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
        kind = kinds.pop()
        template = self.template or ("学習ログ" if kind == "train" else "評価ログ")
        forms = log_forms()
        if template in forms and kind_of_form(forms[template]) != kind:
            fitting = [name for name, form in forms.items() if kind_of_form(form) == kind]
            raise ConfigError(
                f"--template {template} does not fit: {' or '.join(fitting)} does",
                "a form is about trainings or about evaluations",
            )
        verdict, compared = "", ""
        if kind == "evaluate" and len(self.runs) > 1:
            verdict, compared = compared_in_japanese(self.runs)
        text = log_text(template, facts, comparison=compared, verdict=verdict)
        if self.output.suffix != ".md":
            raise ConfigError(
                f"--output {self.output}: the name ends in {self.output.suffix or 'nothing'}, expected .md"
            )
        claim_output(self.output, "--output", fresh=self.fresh, sources=self.runs)
        write_text(self.output, text)
        print(
            f"wrote {self.output}: {counted(left_to_person(text), 'field is', 'fields are')} left "
            "to you (【記入】)"
        )
        return 0
