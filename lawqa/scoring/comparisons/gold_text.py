"""Reader and retriever separated: a comparison split by whether the gold text was in the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from lawqa.scoring.accuracy import Accuracy, accuracy_of
from lawqa.scoring.comparisons.comparison import PairedComparison
from lawqa.scoring.comparisons.paired import compare, shared_answers
from lawqa.scoring.outcomes import ScoredAnswer
from lawqa.settings import By


@dataclass(frozen=True)
class GoldTextPart:
    """The questions whose prompts held, or did not hold, the gold text."""

    in_base: bool | None
    """Whether the base's prompt held it; None where the base retrieved nothing."""
    in_other: bool | None
    """Whether the other's prompt held it; None where the other retrieved nothing."""
    questions: int
    """How many there are."""
    base: Accuracy
    """The base on them."""
    other: Accuracy
    """The other on them."""
    comparison: PairedComparison | None
    """Their own comparison, not corrected for being one of several; None for a single question."""

    def where(self, base: str, other: str) -> str:
        """Return which prompts held the gold text, in words."""
        if self.in_base is None:
            return f"in the prompt of {other}" if self.in_other else f"not in the prompt of {other}"
        if self.in_other is None:
            return f"in the prompt of {base}" if self.in_base else f"not in the prompt of {base}"
        if self.in_base and self.in_other:
            return "in both prompts"
        if self.in_base or self.in_other:
            return f"only in the prompt of {base if self.in_base else other}"
        return "in neither prompt"

    def to_json(self) -> dict[str, object]:
        """Return this part in plain JSON types."""
        record = asdict(self)
        record["comparison"] = self.comparison.to_json() if self.comparison else None
        return record


def by_gold_text(
    base: Sequence[ScoredAnswer], other: Sequence[ScoredAnswer], by: By = "own"
) -> tuple[GoldTextPart, ...]:
    """Return a comparison split by whether the gold text was in each run's prompt.

    Where it was in both, the readers differ; where it was in one, the retrievers do. Questions for which a
    run that retrieved does not know whether it found the gold text are left out.

    Args:
        base: the run to compare with.
        other: the run whose gain is asked for.
        by: what is compared, as for `compare`.

    Returns:
        Parts that hold a question, gold text in both prompts first; none where neither run retrieved.
    """
    one, two = shared_answers(base, other, by)
    knows = [any(answer.gold_retrieved is not None for answer in side) for side in (one, two)]
    if not any(knows):
        return ()
    parts: dict[tuple[bool | None, bool | None], list[int]] = {}
    for index, (b, o) in enumerate(zip(one, two, strict=True)):
        key = (b.gold_retrieved if knows[0] else None, o.gold_retrieved if knows[1] else None)
        if (key[0] is None) == knows[0] or (key[1] is None) == knows[1]:
            continue
        parts.setdefault(key, []).append(index)
    ranked = sorted(parts, key=lambda key: (key[0] is False, key[1] is False))
    return tuple(
        _part(key, [one[i] for i in parts[key]], [two[i] for i in parts[key]], by) for key in ranked
    )


def _part(
    key: tuple[bool | None, bool | None],
    base: Sequence[ScoredAnswer],
    other: Sequence[ScoredAnswer],
    by: By,
) -> GoldTextPart:
    questions = len({answer.question_id for answer in base})
    # The answers are final ones already, unless single prompts are compared.
    comparison = (
        compare(base, other, by="prompts" if by == "prompts" else "plain")
        if questions > 1
        else None
    )
    return GoldTextPart(*key, questions, accuracy_of(base), accuracy_of(other), comparison)
