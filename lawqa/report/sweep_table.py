"""The cells of a sweep side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lawqa.choices import LABELS, Label
from lawqa.report.table import aligned
from lawqa.scoring import PairedComparison, Summary, which_differences_stand


class SweptCell(Protocol):
    """What the table needs of a cell."""

    @property
    def name(self) -> str:
        """Its settings in short."""

    @property
    def summary(self) -> Summary:
        """Its figures."""

    @property
    def against_base(self) -> PairedComparison:
        """Its gain over the model without an adapter."""


def sweep_text(base: Summary, cells: Sequence[SweptCell]) -> str:
    """The table, the best cell first, with what it does and does not say.

    Args:
        base: the model without an adapter.
        cells: the most accurate first.
    """
    rows = [["settings", "accuracy", "95 % interval", "correct", "against base", "answers a b c d"]]
    rows += [_row(cell.name, cell.summary, cell.against_base) for cell in cells]
    rows.append(_row("no adapter", base, None))
    rows.append(["gold", "", "", "", "", _histogram(base.gold)])
    best = cells[0]
    caution = (
        f"{best.name} is the best of {len(cells)} on the very folds that chose it, so its accuracy flatters; "
        "train with it on all of the file and measure on questions that no fold has seen."
    )
    collapsed = [f"! {c.name}: {c.summary.collapse.sentence}" for c in cells if c.summary.collapse]
    verdict = which_differences_stand(
        {cell.name: cell.against_base for cell in cells}, base="the model without an adapter"
    )
    return "\n".join([*collapsed, aligned(rows), "", verdict, caution])


def _row(name: str, summary: Summary, gain: PairedComparison | None) -> list[str]:
    accuracy = summary.final.accuracy
    return [
        name,
        f"{accuracy.value:.1%}",
        f"{accuracy.interval.low:.1%} - {accuracy.interval.high:.1%}",
        f"{accuracy.correct} / {accuracy.asked}",
        f"{100 * gain.difference:+.1f} points" if gain else "",
        _histogram(summary.predicted),
    ]


def _histogram(counts: Mapping[Label, int]) -> str:
    return " ".join(str(counts[label]) for label in LABELS)
