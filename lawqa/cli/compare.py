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
        from lawqa.pipelines.comparing import compare_runs
        from lawqa.report.compared import comparison_markdown
        from lawqa.report.table import summary_table
        from lawqa.scoring import holm, which_differences_stand

        if not self.others:
            raise ConfigError("only one run was given", "lawqa compare BASE OTHER...")
        found = compare_runs(self.base, self.others, recorded=self.recorded)
        for note in found.notes:
            print(f"! {note}", file=sys.stderr if self.as_json else sys.stdout)
        if not self.as_json:
            print(comparison_markdown(found.base, found.comparisons))
            print(f"\n{summary_table(found.summaries)}")
            return 0
        adjusted = holm([c.p_value for c in found.comparisons.values()])
        content = {
            "schema_version": 1,
            "base": str(self.base),
            "verdict": which_differences_stand(found.comparisons, base=found.base),
            "notes": list(found.notes),
            "comparisons": {
                name: {**c.to_json(), "p_value_holm": p}
                for (name, c), p in zip(found.comparisons.items(), adjusted, strict=True)
            },
            "runs": {name: summary.to_json() for name, summary in found.summaries.items()},
        }
        print(json.dumps(content, ensure_ascii=False, indent=1))
        return 0
