"""A plot as a matplotlib figure: to be shown in a notebook, changed, or saved as PDF, SVG or PNG."""

from __future__ import annotations

import io
import logging
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from matplotlib import font_manager, rc_context, rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lawqa.report.content import ReportRun
from lawqa.report.phrase import Phrase
from lawqa.report.plots.drawing import RUN_COLOURS, Drawing, settings_of

_JAPANESE = (
    "Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "IPAGothic", "TakaoGothic", "VL Gothic",
    "Hiragino Sans", "Yu Gothic", "Meiryo", "MS Gothic", "Noto Serif CJK JP",
)  # fmt: skip
"""Fonts of the usual systems, the likeliest first."""

_COLOURS = (
    "#1f5fbf", "#b8500a", "#147a4b", "#9c2f77", "#5b4bc4", "#7a5c00", "#0b7285", "#8c3b3b",
)  # fmt: skip
"""Those of the report's page on white."""

logger = logging.getLogger(__name__)


class PlotFigure(Figure):
    """A figure that a notebook shows by itself, also where nobody imported pyplot."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", dpi=110)
        return out.getvalue()

    def draw(self, renderer: Any) -> None:
        """Draw as matplotlib does, without its warning for every character that no font has."""
        with _boxes_without_a_word():
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save as matplotlib does, likewise."""
        with _boxes_without_a_word():
            super().savefig(fname, **options)


class FigureStyle:
    """Dark on white, which can be read in any notebook and in print; runs by their names."""

    ink, rule = "#222222", "#cccccc"

    def __init__(self) -> None:
        self.is_japanese = False

    def colour(self, number: int) -> str:
        """Return the colour of a run."""
        return _COLOURS[number % RUN_COLOURS]

    def label(self, name: str) -> str:
        """Return the name as it is."""
        self.is_japanese |= any(unicodedata.east_asian_width(char) in "WF" for char in name)
        return name

    def words(self, phrase: Phrase) -> str:
        """Return it in English, as a figure's title is."""
        return phrase.en

    def run(self, run: ReportRun) -> str:
        """Return a run's name."""
        # matplotlib leaves names that begin with an underscore out of a legend.
        return self.label(f" {run.name}" if run.name.startswith("_") else run.name)

    def against(self, run: ReportRun, base: ReportRun, only_base: bool) -> str:
        """Return a run's name, with the base's unless it is the only one."""
        return self.label(run.name + ("" if only_base else f" - {base.name}"))


def figure_of(drawing: Drawing) -> PlotFigure:
    """Draw a plot; pyplot does not know the figure, so it need not be closed."""
    style, font = FigureStyle(), _japanese_font()
    with rc_context():
        rcParams.update(settings_of(style))
        rcParams["text.parse_math"] = False  # names are no mathematics
        # What is missing in the first font is taken from the next.
        rcParams["font.family"] = ["DejaVu Sans", *([font] if font else [])]
        figure = PlotFigure(
            figsize=(drawing.width, drawing.height), layout="constrained", facecolor="white"
        )
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        drawing.draw(axes, style)
        axes.set_title(drawing.title, loc="left", fontsize=10)
        if style.is_japanese and font is None:
            logger.warning(
                "! no font for Japanese names: they are drawn as boxes; install fonts-noto-cjk"
            )
        figure.draw_without_rendering()  # ticks are made now, by these settings
    return figure


@contextmanager
def _boxes_without_a_word() -> Iterator[None]:
    """Keep matplotlib from saying for every character what `figure_of` says in a line."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        yield


@cache
def _japanese_font() -> str | None:
    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in _JAPANESE if name in known), None)
