"""One plot of stored runs, as a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.pipelines.comparing.report_runs import read_training
from lawqa.report.content import Report
from lawqa.report.plots.drawing import Drawing, require_matplotlib
from lawqa.report.plots.run_plots import (
    accuracy_plot,
    difference_plot,
    histogram_plot,
    law_plot,
    reliability_plot,
    votes_plot,
)
from lawqa.report.plots.training_plots import CURVES, training_curve
from lawqa.settings import By, StrPath, as_path, as_paths, checks_arguments

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Plot = Literal[
    "accuracy", "difference", "laws", "votes", "labels", "calibration",
    "loss", "learning_rate", "dev_accuracy",
]  # fmt: skip

_DRAWN: Mapping[str, tuple[Callable[[Report], Drawing | None], str]] = {
    "accuracy": (lambda report: accuracy_plot(report.runs), ""),
    "difference": (difference_plot, "it takes two runs that share questions"),
    "laws": (lambda report: law_plot(report.runs), "all questions are of one law"),
    "votes": (lambda report: votes_plot(report.runs), "no run asks a question several times"),
    "labels": (lambda report: histogram_plot(report.runs), ""),
    "calibration": (
        lambda report: reliability_plot(report.runs), "no run stores label probabilities"
    ),
}  # fmt: skip
"""What draws each plot, and why there may be nothing to draw."""


@checks_arguments
def plot(
    runs: StrPath | Iterable[StrPath],
    what: Plot,
    *,
    base: StrPath | None = None,
    by: By = "own",
    recorded: bool = False,
) -> Figure:
    """Draw one of the report's plots as a matplotlib figure.

    A notebook shows it; `.savefig("plot.pdf")` saves it, `.axes[0]` can be changed.

    Example:
        >>> import lawqa
        >>> lawqa.plot("runs/base", "loss")
        Traceback (most recent call last):
        lawqa.errors.ConfigError: runs/base: no such directory

    Args:
        runs: run directories and result files; for a curve of a training one adapter.
        what: final accuracies with intervals; differences from a base; accuracy by law; by number of votes;
            answers by label; accuracy by confidence. Of a training: loss, learning rate, dev accuracy.
        base: the run that all others are compared with. None: as in a report.
        by: how the prompts of a question become its final answer.
        recorded: take the labels as they were recorded instead of reading the stored texts again.

    Raises:
        ConfigError: no run was given, or it is not an adapter.
        DataError: the runs hold nothing of it, or cannot be read.
        MissingExtraError: matplotlib is not installed.
    """
    require_matplotlib()
    paths = as_paths(runs, "runs")
    if not paths:
        raise ConfigError(
            "no run was given", 'lawqa.plot(["runs/base", "runs/adapter"], "accuracy")'
        )
    if what in CURVES:
        drawing, why = _curve(paths, what), "the log of the training does not hold it"
    else:
        chosen = None if base is None else as_path(base, "base")
        if chosen is not None and chosen not in paths:
            paths = (*paths, chosen)
        drawn, why = _DRAWN[what]
        drawing = drawn(make_report(ReportConfig(paths, chosen, recorded=recorded, by=by)))
    if drawing is None:
        raise DataError(
            f"{what}: nothing to draw: {why}", f"one of {', '.join(_DRAWN)} may hold something"
        )
    from lawqa.report.plots.figure import figure_of

    return figure_of(drawing)


def _curve(paths: tuple[Path, ...], what: str) -> Drawing | None:
    if len(paths) > 1:
        raise ConfigError(
            f"{what} is drawn of one training; {len(paths)} were given", "name one adapter"
        )
    if not paths[0].is_dir():
        raise ConfigError(f"{paths[0]}: no such directory", "name the adapter's directory")
    training = read_training(paths[0])
    if training.missing:
        raise ConfigError(f"{paths[0]}: {training.missing}", "name the adapter's directory")
    return training_curve(training, what, what)
