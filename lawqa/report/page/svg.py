"""How a plot is drawn for the page: as SVG in the colours of the page around it."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lawqa.errors import MissingExtraError

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


def colour_of(number: int) -> str:
    """Return the colour of a run, which becomes a variable of the style sheet."""
    return f"#0102{0x10 + number % RUN_COLOURS:02x}"


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


class Names:
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
    names: Names | None = None,
) -> str:
    """An svg element whose ids no other plot of the page has."""
    require_matplotlib()
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


def require_matplotlib() -> None:
    """Make sure that matplotlib is installed.

    Raises:
        MissingExtraError: it is not.
    """
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
