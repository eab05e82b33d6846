"""`lawqa compare`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from lawqa.errors import ConfigError


@dataclass(frozen=True)
class Compare:
    """Compare runs on the questions they share: paired test, interval, and what n allows to see."""

    base: Positional[Path]
    """The run to compare with: a run directory or a result file."""
    others: Positional[tuple[Path, ...]]
    """The runs whose gain is asked for."""
    recorded: FlagCreatePairsOff[bool] = False
    """Take the labels as they were recorded instead of reading the stored texts again."""
    as_json: Annotated[FlagCreatePairsOff[bool], arg(name="json")] = False
    """Print JSON."""

    def run(self) -> int:
        from lawqa.pipelines.stored import names_of, read_stored_run
        from lawqa.report.compared import comparison_markdown
        from lawqa.scoring import compare, holm, which_differences_stand

        if not self.others:
            raise ConfigError("only one run was given", "lawqa compare BASE OTHER...")
        base = read_stored_run(self.base)
        runs = {str(path): read_stored_run(path) for path in self.others}
        names = names_of([self.base, *self.others])
        answers = base.answers(recorded=self.recorded)
        comparisons = {
            names[run.path]: compare(answers, run.answers(recorded=self.recorded))
            for run in runs.values()
        }
        for stored in (base, *runs.values()):
            for note in stored.notes:
                print(
                    f"! {names[stored.path]}: {note}",
                    file=sys.stderr if self.as_json else sys.stdout,
                )
        if not self.as_json:
            print(comparison_markdown(names[self.base], comparisons))
            return 0
        adjusted = holm([c.p_value for c in comparisons.values()])
        content = {
            "schema_version": 1,
            "base": str(self.base),
            "verdict": which_differences_stand(comparisons, base=names[self.base]),
            "comparisons": {
                name: {**c.to_json(), "p_value_holm": p}
                for (name, c), p in zip(comparisons.items(), adjusted, strict=True)
            },
        }
        print(json.dumps(content, ensure_ascii=False, indent=1))
        return 0
