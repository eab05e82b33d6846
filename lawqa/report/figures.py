"""Figures as text, the same on a terminal, in Markdown and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lawqa.amounts import percent
from lawqa.choices import LABELS, Label
from lawqa.scoring import Interval, Summary, VotesPoint


def interval_text(interval: Interval) -> str:
    """Return the ends of an interval as percentages."""
    return f"{percent(interval.low)} - {percent(interval.high)}"


def label_counts(counts: Mapping[Label, int]) -> str:
    """Return how many of each label, in the sequence a b c d."""
    return " ".join(f"{counts[label]:,}" for label in LABELS)


def lost_answers(summary: Summary) -> str:
    """Return unparsed, truncated and failed answers."""
    return " / ".join(f"{summary.outcomes[o]:,}" for o in ("unparsed", "truncated", "failed"))


def ties_text(summary: Summary) -> str:
    """Return ties between labels, and the accuracy if each were shared among its labels."""
    final = summary.final
    return f"{final.ties} ({percent(final.expected)})" if final.ties else "0"


def constant_floor(summary: Summary) -> str:
    """Return what always answering the best letter reaches."""
    return f"{percent(summary.floors.constant)} ({summary.floors.constant_label})"


def votes_curve_text(curve: Sequence[VotesPoint]) -> str:
    """Return the accuracy of a vote of k prompts for each k."""
    return ", ".join(f"{point.k}: {percent(point.accuracy)}" for point in curve)
