"""Paired comparisons as plain text and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lawqa.scoring import (
    GoldTextPart,
    Interval,
    Judged,
    PairedComparison,
    compared_answers,
    difference_line,
    judge,
    power_sentence,
    significance_sentence,
    verdict,
)
from lawqa.scoring.several import confidence_name, p_text, signed

_COLUMNS = (
    "run", "questions", "accuracy", "95 % interval", "base", "difference (points)", "interval",
    "both / only base / only this / neither", "p (raw)", "p (Holm)", "significant from (points)",
    "detectable (points)", "left out base / this",
)  # fmt: skip


def difference_lines(base: str, judged: Mapping[str, Judged]) -> list[str]:
    """For each comparison `NAME - BASE: +50.0 points ...`, then what it is by and what it could have shown.

    Args:
        base: the base's name.
        judged: the comparisons by the other's name.
    """
    lines = []
    for name, one in judged.items():
        lines += [
            difference_line(name, base, one),
            f"  {compared_answers(name, base, one.comparison)}, on {one.comparison.questions} questions",
            f"  {significance_sentence(one)}",
            f"  {power_sentence(one)}",
        ]
    return lines


def comparison_markdown(base: str, comparisons: Mapping[str, PairedComparison]) -> str:
    """How many differences stand, and the paired table.

    Args:
        base: the base run's name.
        comparisons: by the other run's name.
    """
    judged = judge(comparisons)
    several = len(judged) > 1
    rows = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    for name, one in judged.items():
        c = one.comparison
        bar, needed = c.significant_at(one.level), c.detectable_at(one.level)
        cells = [
            name.replace("|", "\\|"),
            f"{c.questions}" + (f" ({c.prompts} pairs)" if c.prompts != c.questions else ""),
            f"{c.other.value:.1%}",
            _percent(c.other.interval),
            f"{c.base.value:.1%}",
            signed(c.difference),
            f"{signed(c.interval.low)} to {signed(c.interval.high)}"
            + (f" ({confidence_name(c.confidence)})" if several else ""),
            f"{c.both} / {c.only_base} / {c.only_other} / {c.neither}",
            p_text(c.p_value).removeprefix("p ").removeprefix("= "),
            p_text(one.p_holm).removeprefix("p ").removeprefix("= ") if several else "-",
            "none" if bar is None else f"{100 * bar:.1f}",
            "none" if needed is None else f"{100 * needed:.1f}",
            f"{c.left_out_base} / {c.left_out_other}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(
        [
            verdict(judged, base),
            "",
            *rows,
            "",
            _legend([*judged.values()]),
        ]
    )


def gold_text_lines(base: str, parts: Mapping[str, Sequence[GoldTextPart]]) -> list[str]:
    """The comparisons split by whether the gold text was in the prompt: reader and retriever told apart."""
    lines = []
    for name, found in parts.items():
        if found:
            lines += [
                "",
                f"{name} - {base}, by whether the gold text was in the prompt (each p raw):",
            ]
        for part in found:
            where, n = part.where(base, name), part.questions
            if part.comparison is None:
                lines.append(
                    f"  {where}: {n} question, {part.base.correct} -> {part.other.correct} right"
                )
                continue
            c = part.comparison
            lines.append(
                f"  {where}: {n} questions, {part.base.value:.1%} -> {part.other.value:.1%}, "
                f"{signed(c.difference)} points (95 % interval {signed(c.interval.low)} to "
                f"{signed(c.interval.high)}; {c.test} {p_text(c.p_value)})"
            )
    return lines


def _legend(found: Sequence[Judged]) -> str:
    tests = sorted({one.comparison.test for one in found})
    methods = sorted({one.comparison.interval_method for one in found})
    holm = (
        f", at the level that Holm's correction for {len(found)} asks of each, so that interval and "
        "p (Holm) agree"
        if len(found) > 1
        else ""
    )
    return (
        f"p: {' / '.join(tests)}; interval of the difference: {' / '.join(methods)}{holm}; "
        "significant from: with these discordant answers; detectable: a true difference that such a "
        "comparison sees in 80 % of cases."
    )


def _percent(interval: Interval) -> str:
    return f"{interval.low:.1%} - {interval.high:.1%}"
