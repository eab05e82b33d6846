"""Plots: of a report as SVG in the colours of the page around it, of a training as PNG."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lawqa.choices import LABELS, Label
from lawqa.errors import MissingExtraError
from lawqa.files import JsonObject
from lawqa.report.content import Report, ReportRun, Training
from lawqa.scoring import accuracy_of, calibration_of, votes_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RUN_COLOURS = 8
"""Further runs share these colours; their marks (nine of them) and line styles differ."""

# Drawn in colours that nothing else has, which become variables of the page's style sheet.
INK, RULE = "#010203", "#010204"
_MARKS = "osD^vPX*h"
_DASHES = ("-", "--", ":")
_LONGEST_NAME = 32
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, and the page's font is used
    "font.size": 11.0,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def accuracy_plot(runs: Sequence[ReportRun]) -> str:
    """Accuracy of each run with its interval, and the share that guessing reaches."""

    def draw(axes: Axes) -> None:
        for number, run in enumerate(runs):
            a = run.summary.final.accuracy
            low, high = 100 * (a.value - a.interval.low), 100 * (a.interval.high - a.value)
            axes.errorbar(
                100 * a.value, number, xerr=[[low], [high]], fmt=mark_of(number),
                color=colour_of(number), capsize=4, markersize=8, linewidth=2,
            )  # fmt: skip
        axes.axvline(25, color=INK, linestyle=":", linewidth=1)
        axes.set_yticks(range(len(runs)), [run.id for run in runs])
        axes.set_ylim(len(runs) - 0.4, -0.6)
        axes.set_xlim(0, 100)
        axes.set_xlabel("%")
        axes.grid(axis="x", color=RULE, linewidth=0.6)

    return svg_figure("accuracy", draw, height=0.9 + 0.4 * len(runs))


def difference_plot(report: Report) -> str | None:
    """Each run against its base with the interval that Holm's correction asks for; None for a single run.

    Filled marks are differences that stand; the line at 0 is no difference.
    """
    pairs = [pair for pair in report.pairs if pair.judged is not None]
    if not pairs:
        return None
    numbers = {run.id: number for number, run in enumerate(report.runs)}
    names, bases = _Names(), {pair.base for pair in pairs}
    labels = [
        names.label(report.run(pair.other).title + ("" if len(bases) == 1 else f" - {pair.base}"))
        for pair in pairs
    ]

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=INK, linewidth=1)
        for row, pair in enumerate(pairs):
            assert pair.judged is not None  # noqa: S101 - those without were left out
            c, number = pair.judged.comparison, numbers[pair.other]
            low, high = c.difference - c.interval.low, c.interval.high - c.difference
            axes.errorbar(
                100 * c.difference, row, xerr=[[max(0.0, 100 * low)], [max(0.0, 100 * high)]],
                fmt=mark_of(number), color=colour_of(number), capsize=4, markersize=8,
                markerfacecolor=colour_of(number) if pair.judged.stands else "none",
                linewidth=2.6 if pair.judged.stands else 1.4,
            )  # fmt: skip
        axes.set_yticks(range(len(pairs)), labels)
        axes.set_ylim(len(pairs) - 0.4, -0.6)
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, -5), max(high, 5))
        axes.set_xlabel(f"{pairs[0].base} = 0" if len(bases) == 1 else "")
        axes.grid(axis="x", color=RULE, linewidth=0.6)

    return svg_figure("difference", draw, height=0.9 + 0.36 * len(pairs), width=8.0, names=names)


def law_plot(runs: Sequence[ReportRun]) -> str | None:
    """Accuracy by law, a point for each run; None where there is one law."""
    laws = sorted({answer.law for run in runs for answer in run.judged})
    if len(laws) < 2:
        return None
    parts = [
        {law: accuracy_of([a for a in run.judged if a.law == law]) for law in laws
         if any(a.law == law for a in run.judged)}
        for run in runs
    ]  # fmt: skip
    step, names = 0.8 / len(runs), _Names()

    def draw(axes: Axes) -> None:
        for number, (run, part) in enumerate(zip(runs, parts, strict=True)):
            rows = [laws.index(law) - 0.4 + step * (number + 0.5) for law in part]
            values = [one.value for one in part.values()]
            spread = [
                [100 * (one.value - one.interval.low) for one in part.values()],
                [100 * (one.interval.high - one.value) for one in part.values()],
            ]
            axes.errorbar(
                [100 * value for value in values], rows, xerr=spread, fmt=mark_of(number),
                color=colour_of(number), markersize=6, linestyle="none", elinewidth=1, label=run.id,
            )  # fmt: skip
        axes.axvline(25, color=INK, linestyle=":", linewidth=1)
        for between in range(1, len(laws)):
            axes.axhline(between - 0.5, color=RULE, linewidth=0.6)
        axes.set_yticks(range(len(laws)), [names.label(law or "?") for law in laws])
        axes.set_ylim(len(laws) - 0.5, -0.5)
        axes.set_xlim(0, 100)
        axes.set_xlabel("%")
        axes.grid(axis="x", color=RULE, linewidth=0.6)
        _legend(axes)

    rows = len(laws) * max(1.0, 0.26 * len(runs))
    height = 1.0 + 0.55 * rows + 0.25 * (len(runs) // 8)
    return svg_figure("laws", draw, height=height, width=7.0, names=names)


def votes_plot(runs: Sequence[ReportRun]) -> str | None:
    """Expected accuracy by the number of prompts that vote; None where no run asks several times."""
    curves = [
        (number, run, votes_curve(run.answers)) for number, run in enumerate(runs)
        if len(run.answers) > run.summary.questions
    ]  # fmt: skip
    if not curves:
        return None

    def draw(axes: Axes) -> None:
        for number, run, points in curves:
            axes.plot(
                [point.k for point in points], [100 * point.accuracy for point in points],
                marker=mark_of(number), color=colour_of(number), linestyle=_dash(number), linewidth=1.6,
                label=run.id,
            )  # fmt: skip
        axes.set_xlabel("k")
        axes.set_ylabel("%")
        axes.locator_params(axis="x", integer=True)
        axes.grid(color=RULE, linewidth=0.6)
        _legend(axes)

    return svg_figure("votes", draw, height=3.2, width=4.8)


def histogram_plot(runs: Sequence[ReportRun]) -> str:
    """Answers by label beside the right labels."""
    golds = {tuple(run.summary.gold.values()) for run in runs}
    bars: list[tuple[str, Mapping[Label, int], str | None]] = []
    for number, run in enumerate(runs):
        if len(golds) > 1 or number == 0:
            # An underscore keeps a name out of the legend: hatched bars are all of one kind.
            bars.append(("_gold" if number else "gold", run.summary.gold, None))
        bars.append((run.id, run.summary.predicted, colour_of(number)))

    def draw(axes: Axes) -> None:
        width = 0.84 / len(bars)
        for place, (name, counts, colour) in enumerate(bars):
            positions = [i - 0.42 + width * (place + 0.5) for i in range(len(LABELS))]
            heights = [counts[label] for label in LABELS]
            axes.bar(
                positions, heights, width * 0.9, label=name, edgecolor=INK if colour is None else colour,
                color="none" if colour is None else colour, hatch="///" if colour is None else None,
            )  # fmt: skip
        axes.set_xticks(range(len(LABELS)), list(LABELS))
        axes.grid(axis="y", color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        _legend(axes)

    return svg_figure("histogram", draw)


def reliability_plot(runs: Sequence[ReportRun]) -> str | None:
    """Accuracy by confidence against the diagonal of perfect calibration; None without probabilities."""
    found = [(number, run, calibration_of(run.answers)) for number, run in enumerate(runs)]
    if not any(calibration for _, _, calibration in found):
        return None

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1)
        for number, run, calibration in found:
            if calibration is None:
                continue
            x = [b.confidence for b in calibration.bins]
            y = [b.accuracy.value for b in calibration.bins]
            low = [b.accuracy.value - b.accuracy.interval.low for b in calibration.bins]
            high = [b.accuracy.interval.high - b.accuracy.value for b in calibration.bins]
            axes.errorbar(
                x, y, yerr=[low, high], fmt=mark_of(number), color=colour_of(number),
                linestyle=_dash(number), linewidth=1.6, elinewidth=0.8, capsize=2, label=run.id,
            )  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.grid(color=RULE, linewidth=0.6)
        _legend(axes)

    return svg_figure("reliability", draw, height=4.4, width=4.8)


def training_plots(training: Training, number: int) -> dict[str, str | None]:
    """Loss, learning rate and dev accuracy by optimiser step, by name; None where the log has none."""
    made: dict[str, str | None] = {}
    for name in ("loss", "learning_rate", "dev_accuracy"):
        rows = [(row["step"], row[name]) for row in training.log if "step" in row and name in row]
        made[name] = (
            svg_figure(f"training{number}-{name}", _curve(rows, name), height=2.4, width=4.8)
            if rows
            else None
        )
    return made


def write_training_plot(rows: Sequence[JsonObject], path: Path) -> None:
    """Draw loss, and dev accuracy where it was measured, by optimiser step.

    Args:
        rows: the lines of `log.jsonl`.
        path: the PNG to write.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    _require_matplotlib()
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


def _curve(rows: Sequence[tuple[float, float]], name: str) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        steps, values = zip(*rows, strict=True)
        mark = "o" if name == "dev_accuracy" or len(rows) == 1 else ""
        axes.plot(steps, values, color=colour_of(0), linewidth=1.6, marker=mark)
        axes.locator_params(axis="x", integer=True)
        if name == "dev_accuracy":
            axes.axhline(0.25, color=INK, linestyle=":", linewidth=1)
            axes.set_ylim(0, 1)
        else:
            axes.set_ylim(bottom=0)
        axes.grid(color=RULE, linewidth=0.6)

    return draw


def colour_of(number: int) -> str:
    """Return the colour of a run, which becomes a variable of the style sheet."""
    return f"#0102{0x10 + number % RUN_COLOURS:02x}"


def mark_of(number: int) -> str:
    """Return the mark of a run: those that share a colour have different ones."""
    return _MARKS[number % len(_MARKS)]


def _dash(number: int) -> str:
    return _DASHES[number // RUN_COLOURS % len(_DASHES)]


def _legend(axes: Axes) -> None:
    axes.figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False
    )


class _Names:
    """Names in any script as labels of an axis.

    Fonts of the page draw them, not matplotlib's, which has no Japanese and would read `$` as mathematics:
    labels of about the same width are laid out, and the names put in their places.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def label(self, name: str) -> str:
        """A label that is laid out in place of a name, shortened where it is long."""
        shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        wide = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in shown)
        label = f"{'n' * max(0, wide - 2)}{len(self._names):02d}"
        self._names[label] = shown
        return label

    def put_into(self, svg: str) -> str:
        """The drawing with the names in place of their labels."""
        for label, name in self._names.items():
            svg = svg.replace(f">{label}</text>", f">{escape(name)}</text>")
        return svg


def svg_figure(
    name: str,
    draw: Callable[[Axes], None],
    *,
    height: float = 3.0,
    width: float = 5.4,
    names: _Names | None = None,
) -> str:
    """An svg element whose ids no other plot of the page has."""
    _require_matplotlib()
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context():
        rcdefaults()  # a reader's own style file must not change the page
        settings: Any = {**_SETTINGS, "svg.hashsalt": name}
        rcParams.update(settings)
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)  # not pyplot, which keeps every figure
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        draw(axes)
        out = io.StringIO()
        figure.savefig(
            out,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    drawn = _for_page(out.getvalue(), name)
    return names.put_into(drawn) if names else drawn


def _require_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "report")


def _for_page(svg: str, name: str) -> str:
    svg = svg[svg.index("<svg") :].strip()  # without the prologue, which names a DTD on the network
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    svg = re.sub(
        r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, flags=re.DOTALL
    )  # for all of the page
    svg = svg.replace(INK, "var(--ink)").replace(RULE, "var(--rule)")
    for number in range(RUN_COLOURS):
        svg = svg.replace(colour_of(number), f"var(--run-{number})")
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
