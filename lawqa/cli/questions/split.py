"""`lawqa split`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tyro.conf import OmitArgPrefixes

from lawqa.amounts import counted
from lawqa.choices import LABELS
from lawqa.cli.console import ConsoleFlags
from lawqa.settings import SplitSettings, part_of

if TYPE_CHECKING:
    from lawqa.pipelines.corpus.split import SplitResult

MAX_SHOWN_LEAKS = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SplitCommand(SplitSettings):
    """Divide a question file into parts that do not give each other away."""

    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.split import write_split

        result = write_split(part_of(SplitSettings, self))
        for note in result.notes:
            logger.warning("note: %s", note)
        print(split_text(result))
        return 0


def split_text(result: SplitResult) -> str:
    """Return groups, balance of each part and leaks."""
    lines = [*_group_lines(result), "", _balance_table(result), "", *_leak_lines(result), ""]
    count = len(result.parts)
    return "\n".join(
        [*lines, f"wrote {counted(count, 'part')} and split.json to {result.config.output_dir}"]
    )


def _group_lines(result: SplitResult) -> Iterator[str]:
    from lawqa.splits import LINK_KINDS

    sizes = Counter(len(group.members) for group in result.groups)
    shown = ", ".join(f"{sizes[size]} of {size}" for size in sorted(sizes))
    yield f"{counted(len(result.questions), 'question')} in {counted(len(result.groups), 'group')}: {shown}"
    # A pair counts once for each kind, however many paragraphs it shares.
    links = {(ln.first, ln.second, ln.reason.kind) for g in result.groups for ln in g.links}
    kinds = Counter(kind for _, _, kind in links)
    if kinds:
        reasons = ", ".join(f"{kind} {kinds[kind]}" for kind in LINK_KINDS if kinds[kind])
        yield f"links between them by reason: {reasons} (each with its pair in split.json)"


def _balance_table(result: SplitResult) -> str:
    from lawqa.report.table import Table, render_text
    from lawqa.splits import class_balance

    laws = sorted({question.law for question in result.questions})
    columns = ["part", "n", *LABELS, *(f"{law} a b c d" for law in laws)]
    rows: list[list[str]] = []
    for name, part in {**result.parts, "all": result.questions}.items():
        golds = Counter(question.gold for question in part)
        balance = class_balance(part)
        by_law = (" ".join(str(balance.get(law, {}).get(x, 0)) for x in LABELS) for law in laws)
        rows.append([name, str(len(part)), *(str(golds[label]) for label in LABELS), *by_law])
    return render_text(Table(columns, rows))


def _leak_lines(result: SplitResult) -> Iterator[str]:
    from lawqa.cli.questions.leaks import leak_line

    if not result.leaks:
        yield "leaks between parts: none"
        return
    touched = len({(leak.right, leak.leak.test) for leak in result.leaks})
    yield (
        f"leaks between parts: {counted(len(result.leaks), 'pair')}, "
        f"which give {counted(touched, 'question')} away"
    )
    for leak in result.leaks[:MAX_SHOWN_LEAKS]:
        yield f"  {leak.left} -> {leak.right}: {leak_line(leak.leak)}"
    if len(result.leaks) > MAX_SHOWN_LEAKS:
        yield f"  … and {len(result.leaks) - MAX_SHOWN_LEAKS} more in split.json"
