"""How often the answer parser agrees with labels read by hand, by source, category and kind of disagreement.

    python benchmarks/agreement.py [--list]

Reads the labelled outputs beside the checkout where they are at hand; `--list` names every disagreement by
its number in the file.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lawqa.answers import parse

FOLDER = Path(__file__).resolve().parents[2] / "shared/data/real_outputs"


@dataclass(frozen=True)
class Row:
    """One labelled output and what the parser reads in it."""

    number: int
    label: str | None
    read: str | None
    rule: str
    groups: dict[str, str]
    clear: bool

    @property
    def kind(self) -> str:
        """Agreement, or the kind of disagreement."""
        if self.label == self.read:
            return "agrees"
        if self.read is None:
            return "missed"
        return "label where none is" if self.label is None else "wrong label"


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of labelled outputs, parsed."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        item: dict[str, Any] = json.loads(line)
        choices = item.get("choices")
        if isinstance(choices, str):
            choices = [choice[2:] for choice in choices.splitlines()]
        parsed = parse(item["response"], choices)
        groups: dict[str, str] = {
            key: str(item[key]) for key in ("set", "source", "category") if key in item
        }
        rows.append(
            Row(number, item["label"], parsed.label, parsed.rule, groups, not item["ambiguous"])
        )
    return rows


def report(title: str, rows: Iterable[Row]) -> None:
    """Print one line of counts."""
    found = list(rows)
    kinds = [row.kind for row in found]
    others = ", ".join(
        f"{kinds.count(kind)} {kind}"
        for kind in ("wrong label", "label where none is", "missed")
        if kind in kinds
    )
    agree = kinds.count("agrees")
    print(f"  {title:34} {agree:4} / {len(found):4}  {agree / len(found):6.1%}  {others}")


def main() -> int:
    """Print the agreement with every file that is at hand."""
    files = [path for path in (FOLDER / "dev.jsonl", FOLDER / "world_dev.jsonl") if path.is_file()]
    if not files:
        print(f"no labelled outputs are at hand: {FOLDER}")
        return 0
    for path in files:
        rows = read_rows(path)
        clear = [row for row in rows if row.clear]
        print(path.name)
        report("clear", clear)
        report("clear, no choice made", [row for row in clear if row.label is None])
        if len(clear) < len(rows):
            report("ambiguous", [row for row in rows if not row.clear])
        for key in ("set", "source", "category"):
            groups: dict[str, list[Row]] = defaultdict(list)
            for row in clear:
                if key in row.groups:
                    groups[row.groups[key]].append(row)
            for name in sorted(groups):
                report(f"{key}: {name}", groups[name])
        if "--list" in sys.argv[1:]:
            for row in rows:
                if row.kind != "agrees":
                    mark = "" if row.clear else " (ambiguous)"
                    print(
                        f"  {row.number}{mark}: {row.kind}: {row.label} read as {row.read} by {row.rule}"
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
