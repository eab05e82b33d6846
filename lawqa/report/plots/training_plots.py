"""Curves of a training: on the page, and as a picture beside the adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.files import JsonObject
from lawqa.report.content import Training
from lawqa.report.plots.drawing import Drawing, Style, require_matplotlib
from lawqa.report.plots.svg import svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


CURVES = ("loss", "learning_rate", "dev_accuracy")
"""What a training's log holds for each step, or for some."""

_TITLES = {
    "loss": "loss (nats per answer token) by optimiser step",
    "learning_rate": "learning rate by optimiser step",
    "dev_accuracy": "dev accuracy by optimiser step; dotted: guessing",
}


def training_plots(training: Training, number: int) -> dict[str, str | None]:
    """Return the loss, learning rate and dev accuracy by optimiser step, by name; None where the log has
    none.
    """
    drawn = {name: training_curve(training, name, f"training{number}-{name}") for name in CURVES}
    return {name: svg_of(drawing) if drawing else None for name, drawing in drawn.items()}


def training_curve(training: Training, value: str, name: str) -> Drawing | None:
    """Return a curve of a training by optimiser step; None where its log has none.

    Args:
        training: whose log is drawn.
        value: one of `CURVES`.
        name: of the drawing.
    """
    rows = [(row["step"], row[value]) for row in training.log if "step" in row and value in row]
    if not rows:
        return None
    return Drawing(name, _curve(rows, value), height=2.4, width=4.8, title=_TITLES[value])


def write_training_plot(rows: Sequence[JsonObject], path: Path) -> None:
    """Draw loss, and dev accuracy where it was measured, by optimiser step.

    Args:
        rows: the lines of `log.jsonl`.
        path: the PNG to write.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    losses = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    accuracies = [(row["step"], row["dev_accuracy"]) for row in rows if "dev_accuracy" in row]
    figure = Figure(figsize=(7, 4))
    # Fixed, because a fitted layout draws everything twice.
    figure.subplots_adjust(left=0.1, right=0.9, bottom=0.13, top=0.88)
    FigureCanvasAgg(figure)  # not pyplot, which keeps every figure and may ask for a display
    axes = figure.add_subplot()
    axes.plot(*zip(*losses, strict=True), color="tab:blue", label="loss")
    axes.set_xlabel("optimiser step")
    axes.set_ylabel("loss (nats per answer token)")
    axes.set_ylim(bottom=_floor(value for _, value in losses))
    if accuracies:
        right = axes.twinx()
        right.plot(
            *zip(*accuracies, strict=True), color="tab:orange", marker="o", label="dev accuracy"
        )
        right.axhline(0.25, color="tab:orange", linestyle=":", linewidth=1, label="guessing")
        right.set_ylabel("dev accuracy")
        right.set_ylim(0, 1)
    figure.legend(loc="upper center", ncols=3, frameon=False)
    figure.savefig(path, dpi=120)


def _floor(values: Iterable[float]) -> float | None:
    """Return 0; None, the plot's own choice, where a reward is maximised and its loss is below."""
    return 0 if all(value >= 0 for value in values) else None


def _curve(rows: Sequence[tuple[float, float]], name: str) -> Callable[[Axes, Style], None]:
    def draw(axes: Axes, style: Style) -> None:
        steps, values = zip(*rows, strict=True)
        mark = "o" if name == "dev_accuracy" or len(rows) == 1 else ""
        axes.plot(steps, values, color=style.colour(0), linewidth=1.6, marker=mark)
        axes.locator_params(axis="x", integer=True)
        if name == "dev_accuracy":
            axes.axhline(0.25, color=style.ink, linestyle=":", linewidth=1)
            axes.set_ylim(0, 1)
        else:
            axes.set_ylim(bottom=_floor(values))
        axes.grid(color=style.rule, linewidth=0.6)

    return draw
