"""Paired comparisons of runs, and the cells of a sweep, as plain text and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lawqa.amounts import counted, percent
from lawqa.report.figures import interval_text, label_counts
from lawqa.report.paired_figures import paired_figures
from lawqa.report.table import Table, render_text
from lawqa.scoring import Summary
from lawqa.scoring.comparisons import (
    GoldTextPart,
    Judged,
    PairedComparison,
    compared_answers,
    difference_line,
    judge_by_holm,
    power_sentence,
    significance_sentence,
    significance_text,
    verdict,
)
from lawqa.scoring.comparisons.multiple import p_text, signed

_COLUMNS = (
    "run", "questions", "accuracy", "95% interval", "base", "difference (points)", "interval",
    "both / only base / only this / neither", "p (raw)", "p (Holm)", "significant from (points)",
    "detectable (points)", "left out base / this",
)  # fmt: skip
_SWEEP_COLUMNS = (
    "settings", "accuracy", "95% interval", "correct", "against base", "answers a b c d",
)  # fmt: skip


def difference_lines(base: str, judged: Mapping[str, Judged]) -> list[str]:
    """Write `NAME - BASE: +50.0 points ...` for each comparison, what is compared, the test and its power.

    Args:
        base: the base's name.
        judged: the comparisons by the other's name.
    """
    lines = []
    for name, one in judged.items():
        lines += [
            difference_line(name, base, one),
            f"  {compared_answers(name, base, one.comparison)}, on "
            f"{counted(one.comparison.questions, 'question')}",
            f"  {significance_sentence(one)}",
            f"  {power_sentence(one)}",
        ]
    return lines


def comparison_text(base: str, comparisons: Mapping[str, PairedComparison]) -> str:
    """Return how many differences are significant, and the paired figures, a column for each comparison.

    Args:
        base: the base run's name.
        comparisons: by the other run's name.
    """
    judged = judge_by_holm(comparisons)
    heads, *figures = zip(_COLUMNS, *comparison_table(judged).rows, strict=True)
    columns = (f"against {base}", *heads[1:])
    table = render_text(Table(columns, figures))
    return f"{verdict(judged, base)}\n\n{table}\n\n{_legend([*judged.values()])}"


def comparison_table(judged: Mapping[str, Judged]) -> Table:
    """Return the paired figures, a row for each comparison.

    Args:
        judged: the comparisons by the other's name.
    """
    return Table(_COLUMNS, [_comparison_row(name, one) for name, one in judged.items()])


def _comparison_row(name: str, judged: Judged) -> tuple[str, ...]:
    c, figures = judged.comparison, paired_figures(judged)
    return (
        name,
        figures.questions,
        percent(c.other.value),
        interval_text(c.other.interval),
        percent(c.base.value),
        figures.difference,
        figures.interval,
        figures.contingency,
        figures.p_raw,
        figures.p_holm or "-",
        figures.significant_from or "none",
        figures.detectable or "none",
        f"{c.left_out_base} / {c.left_out_other}",
    )


def gold_text_lines(base: str, parts: Mapping[str, Sequence[GoldTextPart]]) -> list[str]:
    """Return the comparisons split by whether the gold text was in the prompt: reader and retriever apart."""
    lines = []
    for name, split in parts.items():
        if split:
            lines += [
                "",
                f"{name} - {base}, by whether the gold text was in the prompt (each p raw):",
            ]
        for part in split:
            where, n = part.where(base, name), part.questions
            if part.comparison is None:
                lines.append(
                    f"  {where}: {n} question, {part.base.correct} -> {part.other.correct} right"
                )
                continue
            c = part.comparison
            lines.append(
                f"  {where}: {counted(n, 'question')}, {part.base.value:.1%} -> {part.other.value:.1%}, "
                f"{signed(c.difference)} points (95% interval {signed(c.interval.low)} to "
                f"{signed(c.interval.high)}; {c.test} {p_text(c.p_value)})"
            )
    return lines


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
    """Return the cells of a sweep, the best first, with what the table does and does not say.

    Args:
        base: the model without an adapter.
        cells: the most accurate first.
    """
    rows = [_swept_row(cell.name, cell.summary, cell.against_base) for cell in cells]
    rows.append(_swept_row("no adapter", base, None))
    rows.append(("gold", "", "", "", "", label_counts(base.gold)))
    best = cells[0]
    caution = (
        f"{best.name} is the best of {len(cells)} on the very folds that chose it, so its accuracy flatters; "
        "train with it on all of the file and measure on questions that no fold has seen."
    )
    collapsed = [f"! {c.name}: {c.summary.collapse.sentence}" for c in cells if c.summary.collapse]
    differences = significance_text(
        {cell.name: cell.against_base for cell in cells}, base="the model without an adapter"
    )
    return "\n".join(
        [*collapsed, render_text(Table(_SWEEP_COLUMNS, rows)), "", differences, caution]
    )


def _swept_row(name: str, summary: Summary, gain: PairedComparison | None) -> tuple[str, ...]:
    accuracy = summary.final.accuracy
    return (
        name,
        percent(accuracy.value),
        interval_text(accuracy.interval),
        f"{accuracy.correct} / {accuracy.asked}",
        f"{100 * gain.difference:+.1f} points" if gain else "",
        label_counts(summary.predicted),
    )


def _legend(judged: Sequence[Judged]) -> str:
    tests = sorted({one.comparison.test for one in judged})
    methods = sorted({one.comparison.interval_method for one in judged})
    holm = (
        f", at the level that Holm's correction for {len(judged)} asks of each, so that interval and "
        "p (Holm) agree"
        if len(judged) > 1
        else ""
    )
    return (
        f"p: {' / '.join(tests)}; interval of the difference: {' / '.join(methods)}{holm}; "
        "significant from: with these discordant answers; detectable: a true difference that such a "
        "comparison sees in 80% of cases."
    )
