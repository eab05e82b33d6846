"""The drawings of a summary: shares or differences with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lawqa.report.phrase import Phrase
from lawqa.report.plots.drawing import Drawing, Style, mark_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def interval_plot(
    name: str, values: Sequence[tuple[Phrase, float, float, float]], *, dotted: float, unit: str
) -> Drawing:
    """Return shares or differences with their intervals, one below the other.

    Args:
        name: of the drawing, which no other one of its page has.
        values: name, value, and both ends of the interval, from -1 to 1.
        dotted: where a dotted line goes: the share of guessing, or no difference.
        unit: the label of the axis.
    """

    def draw(axes: Axes, style: Style) -> None:
        for number, (_, value, low, high) in enumerate(values):
            axes.errorbar(
                100 * value, number, xerr=[[100 * (value - low)], [100 * (high - value)]],
                fmt=mark_of(number), color=style.colour(number), capsize=4, markersize=8,
                linewidth=2,
            )  # fmt: skip
        axes.axvline(100 * dotted, color=style.ink, linestyle=":", linewidth=1)
        axes.set_yticks(range(len(values)), [style.words(one[0]) for one in values])
        axes.set_ylim(len(values) - 0.4, -0.6)
        if min(low for *_, low, _ in values) >= 0:
            axes.set_xlim(0, 100)
        axes.set_xlabel(unit)
        axes.grid(axis="x", color=style.rule, linewidth=0.6)

    return Drawing(name, draw, height=0.9 + 0.4 * len(values), width=6.4)
