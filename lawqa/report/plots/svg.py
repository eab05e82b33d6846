"""How a plot is drawn for the page: as SVG in the colours of the page around it."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

from lawqa.report.content import ReportRun
from lawqa.report.phrase import Phrase, same
from lawqa.report.plots.drawing import RUN_COLOURS, Drawing, require_matplotlib, settings_of
from lawqa.report.table import text_width

# Drawn in colours that nothing else has, which become variables of the page's style sheet.
INK, RULE = "#010203", "#010204"
_LONGEST_NAME = 32


class PageStyle:
    """Colours that become variables of the style sheet, and names that fonts of the page draw.

    matplotlib's own fonts have no Japanese, and it would read `$` as mathematics: labels of about the same
    width are laid out, and the names put in their places.
    """

    ink, rule = INK, RULE

    def __init__(self) -> None:
        self._names: dict[str, Phrase] = {}

    def colour(self, number: int) -> str:
        """Return the colour of a run."""
        return _colour(number)

    def run(self, run: ReportRun) -> str:
        """Return a run's id, which the page explains."""
        return run.id

    def against(self, run: ReportRun, base: ReportRun, only_base: bool) -> str:
        """Return a run's id and name, with the base's id unless it is the only one."""
        return self._laid_out(run.title, "" if only_base else f" - {base.id}")

    def label(self, name: str) -> str:
        """Return a label that is laid out in place of a name, shortened where it is long."""
        return self._laid_out(name)

    def words(self, phrase: Phrase) -> str:
        """Return a label in place of a phrase, of which the page shows the language of its reader."""
        wider = max(phrase.en, phrase.ja, key=text_width)
        label = self._laid_out(wider)
        self._names[label] = phrase
        return label

    def _laid_out(self, name: str, end: str = "") -> str:
        """Return a label in place of a name and what follows it; a long name is shortened, its end is not."""
        room = _LONGEST_NAME - len(end)
        shown = (name if len(name) <= room else f"{name[: room - 1]}…") + end
        label = f"{'n' * max(0, text_width(shown) - 2)}{len(self._names):02d}"
        self._names[label] = same(shown)
        return label

    def put_into(self, svg: str) -> str:
        """Return the drawing with the names in place of their labels."""
        for label, name in self._names.items():
            shown = escape(name.en)
            if name.en != name.ja:
                spans = (("en", shown), ("ja", escape(name.ja)))
                shown = "".join(
                    f'<tspan class="{one}" lang="{one}">{text}</tspan>' for one, text in spans
                )
            svg = svg.replace(f">{label}</text>", f">{shown}</text>")
        return svg


def svg_of(drawing: Drawing) -> str:
    """Return a plot as an svg element whose ids no other plot of the page has.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style = PageStyle()
    with rc_context():
        rcdefaults()  # a reader's own style file must not change the page
        # As none, text stays text: it can be read aloud, and the page's font is used.
        # Any, as in `settings_of`.
        settings: Any = {"svg.fonttype": "none", "svg.hashsalt": drawing.name}
        rcParams.update(settings_of(style))
        rcParams.update(settings)
        figure = Figure(figsize=(drawing.width, drawing.height), layout="constrained")
        FigureCanvasSVG(figure)  # not pyplot, which keeps every figure
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        drawing.draw(axes, style)
        out = io.StringIO()
        figure.savefig(
            out,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return style.put_into(_for_page(out.getvalue(), drawing.name))


def _colour(number: int) -> str:
    return f"#0102{0x10 + number % RUN_COLOURS:02x}"


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
    # A hundredth of a point is less than any screen shows; matplotlib writes six decimals.
    svg = re.sub(r'(?<=[ "\n,(-])(\d+\.\d{2})\d+', r"\1", svg)
    svg = svg.replace(INK, "var(--ink)").replace(RULE, "var(--rule)")
    for number in range(RUN_COLOURS):
        svg = svg.replace(_colour(number), f"var(--run-{number})")
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
