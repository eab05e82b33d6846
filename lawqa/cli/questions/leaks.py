"""`lawqa data leaks`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from lawqa.amounts import counted

if TYPE_CHECKING:
    from lawqa.pipelines.corpus.leaks import AuditResult
    from lawqa.splits import Leak

EXIT_LEAKS = 1


@dataclass(frozen=True)
class Leaks:
    """List every pair of a training item and a test item of which one gives the other away; exit 1 if any."""

    train: Positional[Path]
    """What is learnt from: questions, records from `lawqa records`, or documents that an index is made of (a
    file or a directory)."""
    test: Positional[Path]
    """What is measured on: the same."""

    def run(self) -> int:
        from lawqa.pipelines.corpus.leaks import audit_leaks

        result = audit_leaks(self.train, self.test)
        for note in result.notes:
            print(f"note: {note}", file=sys.stderr)
        print(leak_audit_text(result))
        return EXIT_LEAKS if result.leaks else 0


def leak_audit_text(result: AuditResult) -> str:
    """Return all leaking pairs with their reasons, and the counts."""
    tested = counted(result.test, "test item")
    if not result.leaks:
        return f"no leaks between {counted(result.train, 'training item')} and {tested}"
    touched = len({leak.test for leak in result.leaks})
    return "\n".join(
        [
            *map(leak_line, result.leaks),
            f"{counted(len(result.leaks), 'leaking pair')}; {touched} of {tested} given away",
        ]
    )


def leak_line(leak: Leak) -> str:
    """Return a leaking pair and all reasons."""
    return f"{leak.train} -> {leak.test}: {'; '.join(map(str, leak.reasons))}"
