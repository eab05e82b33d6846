"""The figures of a paired comparison as text, the same on a terminal, in Markdown and on the page."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.amounts import counted
from lawqa.scoring.comparisons import Judged
from lawqa.scoring.comparisons.multiple import confidence_name, p_text, signed


@dataclass(frozen=True)
class PairedFigures:
    """The figures of one paired comparison as text."""

    questions: str
    """With the number of pairs where a question has several."""
    difference: str
    interval: str
    """Of the difference, with its level."""
    contingency: str
    """Answered right by both runs, by the base only, by the other only, by neither."""
    p_raw: str
    p_holm: str | None
    """None for a single comparison, where there is nothing to correct."""
    significant_from: str | None
    """The smallest difference in points that is significant with these discordant answers; None: none is."""
    detectable: str | None
    """The true difference in points that 80% of such comparisons detect; None: none is."""


def paired_figures(judged: Judged) -> PairedFigures:
    """Return the figures of a comparison at the level at which it was judged."""
    c = judged.comparison
    bar, needed = c.significant_at(judged.level), c.detectable_at(judged.level)
    return PairedFigures(
        f"{c.questions}" + (f" ({counted(c.prompts, 'pair')})" if c.prompts != c.questions else ""),
        signed(c.difference),
        f"{signed(c.interval.low)} to {signed(c.interval.high)} ({confidence_name(c.confidence)})",
        f"{c.both} / {c.only_base} / {c.only_other} / {c.neither}",
        _p_value(c.p_value),
        _p_value(judged.p_holm) if judged.number > 1 else None,
        None if bar is None else f"{100 * bar:.1f}",
        None if needed is None else f"{100 * needed:.1f}",
    )


def _p_value(value: float) -> str:
    return p_text(value).removeprefix("p ").removeprefix("= ")
