"""Runs side by side as a plain-text table."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from lawqa.choices import LABELS, Label
from lawqa.scoring import Accuracy, Summary


def summary_table(runs: Mapping[str, Summary]) -> str:
    """Accuracy of the final answers first, with everything that must travel with it, a column a run.

    Args:
        runs: summaries by column title.
    """
    one = all(s.final.by == "plain" and s.n == s.questions for s in runs.values())
    rows: list[tuple[str, Callable[[Summary], str]]] = [
        ("accuracy", lambda s: f"{s.final.accuracy.value:.1%}"),
        ("95 % interval (Wilson)", lambda s: _interval(s.final.accuracy)),
        ("correct / asked", lambda s: f"{s.final.accuracy.correct} / {s.final.accuracy.asked}"),
    ]
    if not one:
        rows.insert(0, ("final answer", lambda s: s.final.name))
        rows += [
            ("single prompts", lambda s: f"{s.accuracy.value:.1%}"),
            ("95 % interval (clustered)", lambda s: _interval(s.accuracy)),
            ("correct / prompts", lambda s: f"{s.accuracy.correct} / {s.n}"),
        ]
    if any(s.final.ties for s in runs.values()):
        rows += [("ties (accuracy if shared)", _ties)]
    if any(s.final.votes for s in runs.values()):
        rows += [("vote of k prompts", _curve)]
    rows += [
        (
            "unparsed / truncated / failed",
            lambda s: " / ".join(str(s.outcomes[o]) for o in ("unparsed", "truncated", "failed")),
        ),
        ("answers a b c d", lambda s: _histogram(s.predicted)),
        ("gold a b c d", lambda s: _histogram(s.gold)),
        ("floor: guessing", lambda s: f"{s.floors.chance:.1%}"),
        (
            "floor: one letter always",
            lambda s: f"{s.floors.constant:.1%} ({s.floors.constant_label})",
        ),
    ]
    if any(summary.soft for summary in runs.values()):
        rows.insert(5, ("of them soft (only called likely)", lambda s: str(s.soft)))
    cells = [["", *runs]] + [[name, *(show(s) for s in runs.values())] for name, show in rows]
    return aligned(cells)


def law_table(summary: Summary) -> str:
    """Accuracy by law with its interval."""
    cells = [["law", "accuracy", "95 % interval", "n"]]
    cells += [
        [law or "(unknown)", f"{a.value:.1%}", _interval(a), str(a.asked)]
        for law, a in summary.by_law.items()
    ]
    return aligned(cells)


def retrieval_table(summary: Summary) -> str:
    """Accuracy where a gold article was retrieved, and where none was."""
    names = {"hit": "gold article retrieved", "miss": "gold article not retrieved"}
    cells = [["retrieval", "accuracy", "95 % interval", "n"]]
    cells += [
        [names[outcome], f"{a.value:.1%}", _interval(a), str(a.asked)]
        for outcome, a in summary.by_retrieval.items()
    ]
    return aligned(cells)


def _ties(summary: Summary) -> str:
    final = summary.final
    return f"{final.ties} ({final.expected:.1%})" if final.ties else "0"


def _curve(summary: Summary) -> str:
    return ", ".join(f"{point.k}: {point.accuracy:.1%}" for point in summary.final.votes) or "-"


def aligned(cells: Sequence[Sequence[str]]) -> str:
    """Rows of cells in columns of equal width on a terminal; the first row gets a rule under it."""
    widths = [max(map(_columns, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True)
        )
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def _columns(text: str) -> int:
    """How many columns a text takes on a terminal: full-width characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _interval(accuracy: Accuracy) -> str:
    return f"{accuracy.interval.low:.1%} - {accuracy.interval.high:.1%}"


def _histogram(counts: Mapping[Label, int]) -> str:
    return " ".join(str(counts[label]) for label in LABELS)
