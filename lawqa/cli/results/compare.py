"""`lawqa compare`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import FlagCreatePairsOff, Positional

from lawqa.cli.console import JsonFlag
from lawqa.settings import By, Clusters, Seeds, only_with

if TYPE_CHECKING:
    from lawqa.pipelines.comparing.comparison import Compared


@dataclass(frozen=True)
class Compare:
    """Compare the final answers of runs on the questions they share: difference, interval, test, power."""

    base: Positional[Path]
    """The run to compare with: a run directory or a result file."""
    others: Positional[tuple[Path, ...]]
    """The runs whose gain is asked for."""
    by: By = "own"
    """What is compared: each run's own final answer; that of one rule (plain: the first sample in the
    first order; vote: the majority of all samples; soft: the mean label probability of all samples;
    orders: the mean over choice orders; orders-samples: over the samples of each order, then over the
    orders); or single prompts."""
    clusters: Clusters = "question"
    """The independent unit: the question, or the group of questions linked by article, context or wording."""
    seeds: Seeds = "auto"
    """Which runs are repeats in one comparison: those that differ in the seed alone; all others; all others,
    which answer as one (the mean of their label probabilities, else their vote); none."""
    data: tuple[Path, ...] = field(default=(), metadata=only_with({}, clusters="group"))
    """Question files for --clusters group, besides those that the runs name."""
    recorded: FlagCreatePairsOff[bool] = False
    """Take the labels as they were recorded instead of reading the stored texts again."""
    as_json: JsonFlag = False
    """Print JSON."""

    def run(self) -> int:
        from lawqa.pipelines.comparing.comparison import compare_runs
        from lawqa.report.comparisons import comparison_text, difference_lines, gold_text_lines
        from lawqa.report.summary_text import summary_table

        comparison = compare_runs(
            self.base, self.others, recorded=self.recorded, by=self.by, clusters=self.clusters,
            seeds=self.seeds, data=self.data,
        )  # fmt: skip
        if self.as_json:
            for note in comparison.notes:
                print(f"! {note}", file=sys.stderr)
            print(json.dumps(self._content(comparison), ensure_ascii=False, indent=1))
            return 0
        for line in difference_lines(comparison.base, comparison.judged):
            print(line)
        for note in comparison.notes:
            print(f"! {note}")
        print(f"\n{comparison_text(comparison.base, comparison.comparisons)}")
        for line in gold_text_lines(comparison.base, comparison.gold_text):
            print(line)
        print(f"\n{summary_table(comparison.summaries)}")
        return 0

    def _content(self, found: Compared) -> dict[str, object]:
        from lawqa.scoring.comparisons import difference_line, significance_text

        comparisons = {}
        for name, judged in found.judged.items():
            raw = found.comparisons[name]
            comparisons[name] = {
                "sentence": difference_line(name, found.base, judged),
                **judged.comparison.to_json(),
                "interval_raw": asdict(raw.interval),
                "p_value_holm": judged.p_holm,
                "level": judged.level,
                "significant": judged.significant,
                "gold_text": [part.to_json() for part in found.gold_text[name]],
            }
        return {
            "schema_version": 2,
            "base": str(self.base),
            "base_name": found.base,
            "by": self.by,
            "verdict": significance_text(found.comparisons, base=found.base),
            "notes": list(found.notes),
            "comparisons": comparisons,
            "runs": {name: summary.to_json() for name, summary in found.summaries.items()},
        }
