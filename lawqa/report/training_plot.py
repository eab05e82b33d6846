"""Loss and dev accuracy over a training as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lawqa.errors import MissingExtraError


def write_training_plot(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw loss, and dev accuracy where it was measured, by optimiser step.

    Args:
        rows: the lines of `log.jsonl`.
        path: the PNG to write.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "report")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    losses = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    accuracies = [(row["step"], row["dev_accuracy"]) for row in rows if "dev_accuracy" in row]
    figure = Figure(figsize=(7, 4))
    figure.subplots_adjust(
        left=0.1, right=0.9, bottom=0.13, top=0.88
    )  # a fitted layout draws all twice
    FigureCanvasAgg(figure)  # not pyplot, which keeps every figure and may ask for a display
    axes = figure.add_subplot()
    axes.plot(*zip(*losses, strict=True), color="tab:blue", label="loss")
    axes.set_xlabel("optimiser step")
    axes.set_ylabel("loss (nats per answer token)")
    axes.set_ylim(bottom=0)
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
