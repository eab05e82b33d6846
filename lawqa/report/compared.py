"""Paired comparisons as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from lawqa.scoring import Interval, PairedComparison, which_differences_stand

_COLUMNS = (
    "run", "questions", "accuracy", "95 % interval", "base", "difference (points)", "95 % interval",
    "both / only base / only this / neither", "p", "detectable (points)", "left out base / this",
)  # fmt: skip


def comparison_markdown(base: str, comparisons: Mapping[str, PairedComparison]) -> str:
    """The paired table, and the sentences that say which differences stand.

    Args:
        base: the base run's name.
        comparisons: by the other run's name.
    """
    rows = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    for name, c in comparisons.items():
        needed = c.detectable_at((1 - c.confidence) / len(comparisons))
        cells = [
            name,
            f"{c.questions}" + (f" ({c.prompts} prompts)" if c.prompts != c.questions else ""),
            f"{c.other.value:.1%}",
            _percent(c.other.interval),
            f"{c.base.value:.1%}",
            f"{100 * c.difference:+.1f}",
            f"{100 * c.interval.low:+.1f} to {100 * c.interval.high:+.1f}",
            f"{c.both} / {c.only_base} / {c.only_other} / {c.neither}",
            f"{c.p_value:.3f}" if c.p_value >= 0.001 else "< 0.001",
            "none" if needed is None else f"{100 * needed:.1f}",
            f"{c.left_out_base} / {c.left_out_other}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    tests = sorted({c.test for c in comparisons.values()})
    return "\n".join(
        [
            which_differences_stand(comparisons, base=base),
            "",
            *rows,
            "",
            f"p: {' / '.join(tests)}; interval of the difference: paired bootstrap by question; "
            "detectable: seen 4 times in 5 at this n and discordance"
            + (f", at p = 0.05 / {len(comparisons)}." if len(comparisons) > 1 else "."),
        ]
    )


def _percent(interval: Interval) -> str:
    return f"{interval.low:.1%} - {interval.high:.1%}"
