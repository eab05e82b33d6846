"""What a plot is: drawn once, shown on the page in its colours and in a notebook as a matplotlib figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from lawqa.errors import MissingExtraError
from lawqa.report.content import ReportRun
from lawqa.report.phrase import Phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RUN_COLOURS = 8
"""Further runs share these colours; their marks (nine of them) and line styles differ."""

_MARKS = "osD^vPX*h"
_DASHES = ("-", "--", ":")


class Style(Protocol):
    """Colours and names as the place asks for them where a plot is shown."""

    @property
    def ink(self) -> str:
        """The colour of text and of lines that mean something."""

    @property
    def rule(self) -> str:
        """The colour of axes and grids."""

    def colour(self, number: int) -> str:
        """Return the colour of a run."""

    def label(self, name: str) -> str:
        """Return what an axis is labelled with for a name in any script."""

    def words(self, phrase: Phrase) -> str:
        """Return what an axis or a legend is labelled with for a phrase."""

    def run(self, run: ReportRun) -> str:
        """Return what a run is called beside its marks."""

    def against(self, run: ReportRun, base: ReportRun, only_base: bool) -> str:
        """Return what the difference of a run from its base is called."""


@dataclass(frozen=True)
class Drawing:
    """A plot before it is drawn."""

    name: str
    """Its own on its page."""
    draw: Callable[[Axes, Style], None]
    """Draws it."""
    height: float = 3.0
    """Inches."""
    width: float = 5.4
    """Inches."""
    title: str = ""
    """What a figure says of itself; on the page a caption in two languages says it."""


def settings_of(style: Style) -> Any:  # its keys are a Literal of 300 names in matplotlib's types
    """Return matplotlib's settings for a style, a dictionary."""
    return {
        "font.size": 11.0,
        "text.color": style.ink,
        "axes.edgecolor": style.rule,
        "axes.labelcolor": style.ink,
        "xtick.color": style.ink,
        "ytick.color": style.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }


def mark_of(number: int) -> str:
    """Return the mark of a run: those that share a colour have different ones."""
    return _MARKS[number % len(_MARKS)]


def dash_of(number: int) -> str:
    """Return the line style of a run."""
    return _DASHES[number // RUN_COLOURS % len(_DASHES)]


def legend(axes: Axes) -> None:
    """Put the legend above a plot, four names a line."""
    axes.figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False
    )


def require_matplotlib() -> None:
    """Make sure that matplotlib is installed.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "report")
