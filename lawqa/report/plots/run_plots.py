"""Plots of a report: accuracies, differences, laws, votes, labels, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lawqa.choices import LABELS, Label
from lawqa.report.content import Report, ReportRun
from lawqa.report.plots.drawing import Drawing, Style, dash_of, legend, mark_of
from lawqa.report.words import WORDS
from lawqa.scoring import accuracy_of, calibration_of, votes_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def accuracy_plot(runs: Sequence[ReportRun]) -> Drawing:
    """Return the accuracy of each run with its interval, and the share that guessing reaches."""

    def draw(axes: Axes, style: Style) -> None:
        for number, run in enumerate(runs):
            a = run.summary.final.accuracy
            low, high = 100 * (a.value - a.interval.low), 100 * (a.interval.high - a.value)
            axes.errorbar(
                100 * a.value, number, xerr=[[low], [high]], fmt=mark_of(number),
                color=style.colour(number), capsize=4, markersize=8, linewidth=2, clip_on=False,
            )  # fmt: skip
        axes.axvline(25, color=style.ink, linestyle=":", linewidth=1)
        axes.set_yticks(range(len(runs)), [style.run(run) for run in runs])
        axes.set_ylim(len(runs) - 0.4, -0.6)
        axes.set_xlim(0, 100)
        axes.set_xlabel("%")
        axes.grid(axis="x", color=style.rule, linewidth=0.6)

    return Drawing(
        "accuracy",
        draw,
        height=0.9 + 0.4 * len(runs),
        title="accuracy with 95% interval; dotted: guessing",
    )


def difference_plot(report: Report) -> Drawing | None:
    """Return each run against its base with the interval that Holm's correction asks for; None for a single
    run.

    Filled marks are more than luck; the line at 0 is no difference.
    """
    pairs = [pair for pair in report.pairs if pair.judged is not None]
    if not pairs:
        return None
    numbers = {run.id: number for number, run in enumerate(report.runs)}
    bases = {pair.base for pair in pairs}

    def draw(axes: Axes, style: Style) -> None:
        labels = [
            style.against(report.run(pair.other), report.run(pair.base), len(bases) == 1)
            for pair in pairs
        ]
        axes.axvline(0, color=style.ink, linewidth=1)
        for row, pair in enumerate(pairs):
            assert pair.judged is not None  # noqa: S101 - those without were left out
            c, number = pair.judged.comparison, numbers[pair.other]
            low, high = c.difference - c.interval.low, c.interval.high - c.difference
            axes.errorbar(
                100 * c.difference, row, xerr=[[max(0.0, 100 * low)], [max(0.0, 100 * high)]],
                fmt=mark_of(number), color=style.colour(number), capsize=4, markersize=8,
                markerfacecolor=style.colour(number) if pair.judged.significant else "none",
                linewidth=2.6 if pair.judged.significant else 1.4,
            )  # fmt: skip
        axes.set_yticks(range(len(pairs)), labels)
        axes.set_ylim(len(pairs) - 0.4, -0.6)
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, -5), max(high, 5))
        axes.set_xlabel(f"{style.run(report.run(pairs[0].base))} = 0" if len(bases) == 1 else "")
        axes.grid(axis="x", color=style.rule, linewidth=0.6)

    return Drawing(
        "difference", draw, height=0.9 + 0.36 * len(pairs), width=8.0,
        title="difference in points with its interval; filled: more than luck",
    )  # fmt: skip


def law_plot(runs: Sequence[ReportRun]) -> Drawing | None:
    """Return the accuracy by law, a point for each run; None where there is one law."""
    laws = sorted({answer.law for run in runs for answer in run.judged})
    if len(laws) < 2:
        return None
    parts = [
        {law: accuracy_of([a for a in run.judged if a.law == law]) for law in laws
         if any(a.law == law for a in run.judged)}
        for run in runs
    ]  # fmt: skip
    step = 0.8 / len(runs)

    def draw(axes: Axes, style: Style) -> None:
        for number, (run, part) in enumerate(zip(runs, parts, strict=True)):
            rows = [laws.index(law) - 0.4 + step * (number + 0.5) for law in part]
            values = [one.value for one in part.values()]
            spread = [
                [100 * (one.value - one.interval.low) for one in part.values()],
                [100 * (one.interval.high - one.value) for one in part.values()],
            ]
            axes.errorbar(
                [100 * value for value in values], rows, xerr=spread, fmt=mark_of(number),
                color=style.colour(number), markersize=6, linestyle="none", elinewidth=1,
                label=style.run(run), clip_on=False,
            )  # fmt: skip
        axes.axvline(25, color=style.ink, linestyle=":", linewidth=1)
        for between in range(1, len(laws)):
            axes.axhline(between - 0.5, color=style.rule, linewidth=0.6)
        axes.set_yticks(range(len(laws)), [style.label(law or "?") for law in laws])
        axes.set_ylim(len(laws) - 0.5, -0.5)
        axes.set_xlim(0, 100)
        axes.set_xlabel("%")
        axes.grid(axis="x", color=style.rule, linewidth=0.6)
        legend(axes)

    rows = len(laws) * max(1.0, 0.26 * len(runs))
    height = 1.0 + 0.55 * rows + 0.25 * (len(runs) // 8)
    return Drawing(
        "laws",
        draw,
        height=height,
        width=7.0,
        title="accuracy by law with 95% interval; dotted: guessing",
    )


def votes_plot(runs: Sequence[ReportRun]) -> Drawing | None:
    """Return the expected accuracy by the number of prompts that vote; None where no run asks
    several times.
    """
    curves = [
        (number, run, votes_curve(run.answers)) for number, run in enumerate(runs)
        if len(run.answers) > run.summary.questions
    ]  # fmt: skip
    if not curves:
        return None

    def draw(axes: Axes, style: Style) -> None:
        for number, run, points in curves:
            axes.plot(
                [point.k for point in points], [100 * point.accuracy for point in points],
                marker=mark_of(number), color=style.colour(number), linestyle=dash_of(number), linewidth=1.6,
                label=style.run(run),
            )  # fmt: skip
        axes.set_xlabel("k")
        axes.set_ylabel("%")
        axes.locator_params(axis="x", integer=True)
        axes.grid(color=style.rule, linewidth=0.6)
        legend(axes)

    return Drawing("votes", draw, height=3.2, width=4.8, title="accuracy of a vote of k answers")


def histogram_plot(runs: Sequence[ReportRun]) -> Drawing:
    """Return answers by label beside the right labels."""
    golds = {tuple(run.summary.gold.values()) for run in runs}
    bars: list[tuple[ReportRun | None, Mapping[Label, int], int]] = []
    for number, run in enumerate(runs):
        if len(golds) > 1 or number == 0:
            bars.append((None, run.summary.gold, number))
        bars.append((run, run.summary.predicted, number))

    def draw(axes: Axes, style: Style) -> None:
        width = 0.84 / len(bars)
        for place, (shown, counts, number) in enumerate(bars):
            positions = [i - 0.42 + width * (place + 0.5) for i in range(len(LABELS))]
            heights = [counts[label] for label in LABELS]
            colour = style.ink if shown is None else style.colour(number)
            # An underscore keeps a name out of the legend: hatched bars are all of one kind.
            axes.bar(
                positions, heights, width * 0.9, edgecolor=colour,
                label="_gold" if shown is None and number else style.words(WORDS["gold"]) if shown is None
                else style.run(shown),
                color="none" if shown is None else colour, hatch="///" if shown is None else None,
            )  # fmt: skip
        axes.set_xticks(range(len(LABELS)), list(LABELS))
        axes.grid(axis="y", color=style.rule, linewidth=0.6)
        axes.set_axisbelow(True)
        legend(axes)

    return Drawing("histogram", draw, title="answers by label")


def reliability_plot(runs: Sequence[ReportRun]) -> Drawing | None:
    """Return the accuracy by confidence against the diagonal of perfect calibration; None without
    probabilities.
    """
    calibrated = [(number, run, calibration_of(run.answers)) for number, run in enumerate(runs)]
    if not any(calibration for _, _, calibration in calibrated):
        return None

    def draw(axes: Axes, style: Style) -> None:
        axes.plot([0, 1], [0, 1], color=style.ink, linestyle=":", linewidth=1)
        for number, run, calibration in calibrated:
            if calibration is None:
                continue
            x = [b.confidence for b in calibration.bins]
            y = [b.accuracy.value for b in calibration.bins]
            low = [b.accuracy.value - b.accuracy.interval.low for b in calibration.bins]
            high = [b.accuracy.interval.high - b.accuracy.value for b in calibration.bins]
            axes.errorbar(
                x, y, yerr=[low, high], fmt=mark_of(number), color=style.colour(number),
                linestyle=dash_of(number), linewidth=1.6, elinewidth=0.8, capsize=2, label=style.run(run),
            )  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.grid(color=style.rule, linewidth=0.6)
        legend(axes)

    return Drawing(
        "reliability",
        draw,
        height=4.4,
        width=4.8,
        title="accuracy (up) by confidence; dotted: perfect",
    )
