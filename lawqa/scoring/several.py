"""Several comparisons at once: Holm's correction, and which differences stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lawqa.errors import DataError
from lawqa.scoring.paired import PairedComparison


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values adjusted for their number, in the sequence given.

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


def which_differences_stand(
    comparisons: Mapping[str, PairedComparison], *, base: str = "the base run", alpha: float = 0.05
) -> str:
    """The sentences that say which runs differ from the base by more than luck.

    Args:
        comparisons: by the other run's name; all with the same base run.
        base: the base run's name.
        alpha: the largest Holm-adjusted p-value that stands.

    Returns:
        One sentence with the verdict, then one for each comparison, those that stand first,
        otherwise in the sequence given.

    Raises:
        DataError: there are no comparisons.
    """
    if not comparisons:
        raise DataError("there is nothing to compare with the base run")
    adjusted = dict(zip(comparisons, holm([c.p_value for c in comparisons.values()]), strict=True))
    standing = [name for name in comparisons if adjusted[name] <= alpha]
    others = [name for name in comparisons if name not in standing]
    corrected = f" (Holm-corrected for {len(comparisons)})" if len(comparisons) > 1 else ""
    if standing:
        of = f"{len(standing)} of {len(comparisons)} differences" if others else "Every difference"
        stand = "stand" if others and len(standing) > 1 else "stands"
        verdict = f"{of} from {base} {stand}{corrected}."
    else:
        verdict = f"No difference from {base} is larger than luck{corrected}."
    return " ".join(
        [verdict]
        + [_standing(name, comparisons[name], adjusted[name]) for name in standing]
        + [
            _luck(name, comparisons[name], adjusted[name], alpha / len(comparisons))
            for name in others
        ]
    )


def _standing(name: str, comparison: PairedComparison, p_value: float) -> str:
    low, high = comparison.interval.low, comparison.interval.high
    return (
        f"{name} stands: {_points(comparison.difference)} points "
        f"({100 * comparison.confidence:.0f} % interval {_points(low)} to {_points(high)}, "
        f"{_p(p_value)})."
    )


def _luck(name: str, comparison: PairedComparison, p_value: float, alpha: float) -> str:
    needed = comparison.detectable_at(alpha)  # the level that Holm asks of the smallest p-value
    reach = (
        f"{comparison.questions} questions are too few to see any"
        if needed is None
        else f"at least {100 * needed:.1f} are needed to be seen 4 times in 5 on "
        f"{comparison.questions} questions"
    )
    return f"{name} may be luck: {_points(comparison.difference)} points ({_p(p_value)}; {reach})."


def _points(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:+.1f}"  # adding 0.0 turns -0.0 into 0.0


def _p(p_value: float) -> str:
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
