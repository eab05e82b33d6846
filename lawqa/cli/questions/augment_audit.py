"""`lawqa augment audit`: what a question file can be solved by without reading it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from lawqa.amounts import counted
from lawqa.cli.console import JsonFlag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lawqa.augment.shortcuts import ShortcutAudit

SCHEMA_VERSION = 1
"""The layout of what --json prints."""


@dataclass(frozen=True)
class ShortcutAuditCommand:
    """Score solvers that do not read: the verbatim choice, the longest, the most hedged, …

    Exit code 1 if one of them exceeds a limit on FILE: .45 of all questions, .35 of those that ask
    for the wrong choice, or one answer for .40 of a kind. Guessing scores .25.
    """

    file: Positional[Path]
    """The question file to judge: lawqa_jp's schema, made by `lawqa augment statutes` or by hand."""
    beside: tuple[Path, ...] = ()
    """Question files shown for comparison and not judged, such as lawqa_jp's own."""
    as_json: JsonFlag = False
    """Print JSON."""

    def run(self) -> int:
        from lawqa.pipelines.corpus.shortcuts import audit_question_files

        audits = audit_question_files((self.file, *self.beside))
        judged = audits[self.file]
        if self.as_json:
            print(json.dumps(self._content(audits), ensure_ascii=False, indent=1))
        else:
            print(shortcut_audit_text(audits))
            print(audit_verdict(self.file, judged))
        return 1 if judged.breaches else 0

    def _content(self, audits: Mapping[Path, ShortcutAudit]) -> dict[str, object]:
        from lawqa.augment.shortcuts import LIMITS

        return {
            "schema_version": SCHEMA_VERSION,
            "file": str(self.file),
            "limits": asdict(LIMITS),
            "kept": not audits[self.file].breaches,
            "audits": {str(path): asdict(audit) for path, audit in audits.items()},
        }


def shortcut_audit_text(audits: Mapping[Path, ShortcutAudit]) -> str:
    """Return a table of all rules for each file: overall, where the wrong one is asked for, and by kind."""
    return "\n\n".join(_file_text(path, audit) for path, audit in audits.items())


def _file_text(path: Path, audit: ShortcutAudit) -> str:
    from lawqa.report.table import Table, render_text

    labels = "  ".join(f"{label} {count}" for label, count in audit.labels.items())
    columns = ["rule", "all", "wrong asked", *audit.kinds]
    rows: list[list[str]] = [
        ["n", str(audit.n), str(audit.n_wrong_asked), *map(str, audit.kinds.values())]
    ]
    for score in audit.scores:
        wrong = "-" if score.wrong_asked is None else f"{score.wrong_asked:.2f}"
        shares = [f"{score.kinds[kind]:.2f}" for kind in audit.kinds]
        rows.append([score.rule, f"{score.overall:.2f}", wrong, *shares])
    commonest = [f"{each.share:.2f}" for each in audit.commonest]
    rows.append(["share of the commonest answer", "", "", *commonest])
    table = render_text(Table(columns, rows))
    return f"{path}: {counted(audit.n, 'question')}, right answers: {labels}\n{table}"


def audit_verdict(path: Path, audit: ShortcutAudit) -> str:
    """Return which limits a file breaks, a line each, or that it keeps them."""
    if not audit.breaches:
        best = max(audit.scores, key=lambda score: score.overall)
        return f"{path}: keeps the limits; the best rule is “{best.rule}”, {best.overall:.2f}"
    lines = [
        f"  {breach.what}: {breach.score:.2f} ({breach.where}), limit {breach.limit:.2f}"
        for breach in audit.breaches
    ]
    return "\n".join(
        [f"{path}: can be solved without reading; {counted(len(lines), 'limit')} broken:", *lines]
    )
