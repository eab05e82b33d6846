"""Several comparisons at once: Holm's correction, and which differences are significant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lawqa.amounts import counted
from lawqa.errors import DataError
from lawqa.scoring.comparisons.comparison import PairedComparison

ALPHA = 0.05
"""The chance, over all comparisons, that a difference is claimed where there is none."""


@dataclass(frozen=True)
class Judged:
    """A comparison among others."""

    comparison: PairedComparison
    """The comparison at the level that Holm's correction asks of it: interval and p_holm never contradict."""
    level: float
    """What the p-value must reach: 0.05 over the comparisons that are left when its turn comes."""
    p_holm: float
    """The p-value corrected for the number of comparisons; that of the comparison itself is raw."""
    number: int
    """How many comparisons there are."""
    significant: bool
    """Whether the difference is more than luck."""


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values adjusted for their number, in the sequence given.

    Rejecting those at or below alpha keeps the chance of any false rejection at alpha, whatever the
    dependence between the tests (runs compared with one base share its answers).

    Raises:
        ValueError: a p-value is not between 0 and 1.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values lie between 0 and 1, found {list(p_values)}")
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, (len(p_values) - rank) * p_values[index])
        adjusted[index] = min(1.0, largest)
    return tuple(adjusted)


def judge_by_holm(
    comparisons: Mapping[str, PairedComparison], alpha: float = ALPHA
) -> dict[str, Judged]:
    """Return each comparison at the level at which Holm's step-down procedure tests it.

    The smallest p-value of m is tested at alpha / m, the next at alpha / (m - 1), until one fails; those that
    are left are judged at the level that failed. An interval at the same level holds 0 exactly where the
    difference is not significant.

    Args:
        comparisons: by name; all of one family.
        alpha: the chance of any false claim.
    """
    ranked = sorted(comparisons, key=lambda name: comparisons[name].p_value)
    adjusted = dict(zip(comparisons, holm([c.p_value for c in comparisons.values()]), strict=True))
    levels: dict[str, float] = {}
    left = len(ranked)
    for name in ranked:
        levels[name] = alpha / left
        if comparisons[name].p_value <= alpha / left:
            left = max(1, left - 1)
        # else nothing below it can be significant, and all of them are judged at this level
    return {
        name: Judged(
            replace(comparison, confidence=1 - levels[name]),
            levels[name],
            adjusted[name],
            len(comparisons),
            comparison.p_value <= levels[name],
        )
        for name, comparison in comparisons.items()
    }


def significance_text(
    comparisons: Mapping[str, PairedComparison], *, base: str = "the base run", alpha: float = ALPHA
) -> str:
    """Return the sentences that say which runs differ from the base by more than luck.

    Args:
        comparisons: by the other run's name; all with the same base run.
        base: the base run's name.
        alpha: the largest Holm-adjusted p-value that is significant.

    Returns:
        One sentence with the verdict, then one for each comparison, the significant ones first,
        otherwise in the sequence given.

    Raises:
        DataError: there are no comparisons.
    """
    if not comparisons:
        raise DataError("there is nothing to compare with the base run")
    judged = judge_by_holm(comparisons, alpha)
    significant = [name for name in judged if judged[name].significant]
    others = [name for name in judged if name not in significant]
    return " ".join(
        [verdict(judged, base)]
        + [f"{name} is more than luck: {_found(judged[name])}." for name in significant]
        + [
            f"{name} may be luck: {_found(judged[name])}; {significance_sentence(judged[name])}; "
            f"{power_sentence(judged[name])}."
            for name in others
        ]
    )


def verdict(judged: Mapping[str, Judged], base: str) -> str:
    """Return one sentence: how many differences from the base are larger than luck."""
    significant = sum(one.significant for one in judged.values())
    corrected = f" (Holm-corrected for {len(judged)})" if len(judged) > 1 else ""
    if not significant:
        return f"No difference from {base} is larger than luck{corrected}."
    every = significant == len(judged)
    of = "Every difference" if every else f"{significant} of {len(judged)} differences"
    are = "is" if every or significant == 1 else "are"
    return f"{of} from {base} {are} larger than luck{corrected}."


def difference_line(name: str, base: str, judged: Judged) -> str:
    """Return the difference of the final answers in one line: `NAME - BASE: +50.0 points, higher ...`.

    The sign is ASCII, with one decimal. What follows the number explains it: the direction, whether it is
    more than luck, interval, test and p-value with their labels.
    """
    c = judged.comparison
    way = "higher" if c.difference > 0 else "lower" if c.difference < 0 else "equal"
    luck = "more than luck" if judged.significant else "may be luck"
    return f"{name} - {base}: {signed(c.difference)} points, {way}, {luck} ({evidence(judged)})"


def evidence(judged: Judged) -> str:
    """Return the interval, test and p-value, each labelled."""
    c = judged.comparison
    return (
        f"{confidence_name(c.confidence)} interval {signed(c.interval.low)} to "
        f"{signed(c.interval.high)}, {c.interval_method}; {p_labelled(judged)}"
    )


def p_labelled(judged: Judged) -> str:
    """Return the p-value with its test; of several comparisons the raw and the corrected one."""
    raw = f"{judged.comparison.test} {p_text(judged.comparison.p_value)}"
    if judged.number == 1:
        return raw
    return f"{raw} raw, {p_text(judged.p_holm)} Holm-corrected for {judged.number}"


def significance_sentence(judged: Judged) -> str:
    """Return the smallest difference that would have been significant with these discordant answers."""
    c = judged.comparison
    bar = c.significant_at(judged.level)
    unit = "question" if c.clusters == c.questions else "group"
    few = {0: f"no discordant {unit}", 1: f"one discordant {unit}"}
    on = f"with {few.get(c.moved) or f'these {c.moved:,} discordant {unit}s'}"
    if bar is None:
        return f"{on} no difference could be significant"
    return f"{on} the smallest significant difference is {100 * bar:.1f} points (p <= {judged.level:.3g})"


def power_sentence(judged: Judged) -> str:
    """Return the true difference that such a comparison detects in 80% of cases; not the bar for what was
    found.
    """
    c = judged.comparison
    needed = c.detectable_at(judged.level)
    if needed is None:
        return f"{counted(c.questions, 'question is', 'questions are')} too few to detect any difference"
    return f"a true difference of {100 * needed:.1f} points is detected in 80% of such comparisons"


def compared_answers(name: str, base: str, c: PairedComparison) -> str:
    """Return what was compared: the rule of each run's final answers, and its seeds."""
    one, two = _with_seeds(c.by_base, c.seeds_base), _with_seeds(c.by_other, c.seeds_other)
    if one == two:
        return f"by {one}"
    return f"{name} by {two}, {base} by {one}"


def confidence_name(confidence: float) -> str:
    """Write a level as 95%, 97.5%, 99.4%."""
    return f"{round(100 * confidence, 1):g}%"


def signed(share: float) -> str:
    """Return a difference of shares in points, with an ASCII sign and one decimal."""
    return f"{round(100 * share, 1) + 0.0:+.1f}"  # adding 0.0 turns -0.0 into 0.0


def p_text(p_value: float) -> str:
    """Return a p-value as a reader wants it."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _found(judged: Judged) -> str:
    return f"{signed(judged.comparison.difference)} points ({evidence(judged)})"


def _with_seeds(name: str, seeds: int) -> str:
    return f"{name} over {counted(seeds, 'seed')}" if seeds > 1 else name
