"""Two runs on the same questions: which answers differ, and whether that is more than luck."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lawqa.errors import DataError
from lawqa.scoring.accuracy import Accuracy, Interval, accuracy_of
from lawqa.scoring.bootstrap import bootstrap_by_question
from lawqa.scoring.outcomes import PromptKey, ScoredAnswer, by_prompt, order_name
from lawqa.scoring.power import minimum_detectable_difference
from lawqa.scoring.sign_flip import sign_flip_p

PairedTest = Literal["exact McNemar", "exact sign-flip by question"]
"""McNemar where each shared question has one prompt, else its form for clusters."""


@dataclass(frozen=True)
class PairedComparison:
    """Two runs on the prompts that both were asked."""

    prompts: int
    """Shared prompts: same question, choice order and repeat."""

    questions: int
    """Different questions among them; the independent units of test and interval."""

    left_out_base: int
    """Prompts of the base run that the other was not asked."""

    left_out_other: int
    """Prompts of the other run that the base was not asked."""

    both: int
    """Shared prompts that both answer rightly."""

    only_base: int
    """Shared prompts that only the base answers rightly."""

    only_other: int
    """Shared prompts that only the other answers rightly."""

    neither: int
    """Shared prompts that neither answers rightly."""

    base: Accuracy
    """The base run on the shared prompts."""

    other: Accuracy
    """The other run on the shared prompts."""

    difference: float
    """Accuracy of the other less that of the base, from -1 to 1."""

    interval: Interval
    """Paired bootstrap percentile interval of the difference, by question."""

    p_value: float
    """Two-sided exact p-value of no difference."""

    test: PairedTest
    """The test that gave the p-value."""

    discordance: float
    """Share of the shared prompts that exactly one of the runs answers rightly."""

    moved: int
    """Questions of which the runs answer a different number of prompts rightly."""

    move: float
    """Root mean square of how far those move the accuracy, in questions; 1 where each has one prompt."""

    confidence: float
    """Of all intervals; 1 less this is the level of the test in the detectable difference."""

    resamples: int
    """Bootstrap samples."""

    seed: int
    """Of the bootstrap."""

    def detectable_at(self, alpha: float) -> float | None:
        """The smallest true difference seen with 80 % power by a test at this level.

        Exact for one prompt per question. For several, a question moves the accuracy by less than a
        whole question: the exact difference for questions is scaled by the root mean square move of
        those that moved, which agrees with the normal approximation (Connor 1987) applied to question
        means.

        Args:
            alpha: the level, such as 0.05 over the number of comparisons.
        """
        whole = minimum_detectable_difference(
            self.questions, self.moved / self.questions, alpha=alpha
        )
        return None if whole is None else min(1.0, whole * self.move)

    @property
    def minimum_detectable_difference(self) -> float | None:
        """Smallest true difference seen with 80 % power at this n and discordance, as a share; None
        where the questions are too few for any.
        """
        return self.detectable_at(1 - self.confidence)

    def to_json(self) -> dict[str, Any]:
        """This comparison in plain JSON types; the file around it carries the schema version."""
        needed = self.minimum_detectable_difference
        return {**asdict(self), "minimum_detectable_difference": needed}


def compare(
    base: Sequence[ScoredAnswer],
    other: Sequence[ScoredAnswer],
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> PairedComparison:
    """Hold two runs against each other on the prompts that both were asked.

    Prompts pair up by question, choice order and repeat. With one shared prompt for each question
    the test is exact McNemar. With several, pairs of one question depend on each other and McNemar
    would claim too much; then whole questions are swapped (`sign_flip_p`).

    Args:
        base: the run to compare with.
        other: the run whose gain is asked for.
        confidence: of the intervals, between 0 and 1.
        resamples: bootstrap samples.
        seed: of the bootstrap.

    Raises:
        DataError: fewer than 2 questions are shared, a prompt occurs twice in a run, or the runs
            disagree on a gold label.
    """
    base_by, other_by = by_prompt(base, "the base run"), by_prompt(other, "the other run")
    shared = sorted(base_by.keys() & other_by.keys())
    _check_shared(shared, base_by, other_by)
    return _compare_pairs(
        [(base_by[key], other_by[key]) for key in shared],
        left_out=(len(base_by) - len(shared), len(other_by) - len(shared)),
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def _compare_pairs(
    pairs: Sequence[tuple[ScoredAnswer, ScoredAnswer]],
    *,
    left_out: tuple[int, int],
    confidence: float,
    resamples: int,
    seed: int,
) -> PairedComparison:
    table = Counter((base.is_correct, other.is_correct) for base, other in pairs)
    gains, sizes = Counter[str](), Counter[str]()
    for base, other in pairs:
        gains[base.question_id] += other.is_correct - base.is_correct
        sizes[base.question_id] += 1
    differences = [gains[question_id] for question_id in sizes]
    mean_size = len(pairs) / len(sizes)
    moves = [difference / mean_size for difference in differences if difference]
    return PairedComparison(
        prompts=len(pairs),
        questions=len(sizes),
        left_out_base=left_out[0],
        left_out_other=left_out[1],
        both=table[True, True],
        only_base=table[True, False],
        only_other=table[False, True],
        neither=table[False, False],
        base=accuracy_of([base for base, _ in pairs], confidence),
        other=accuracy_of([other for _, other in pairs], confidence),
        difference=sum(differences) / len(pairs),
        interval=bootstrap_by_question(
            differences, [*sizes.values()], confidence=confidence, resamples=resamples, seed=seed
        ),
        p_value=sign_flip_p(differences),
        test="exact McNemar" if len(sizes) == len(pairs) else "exact sign-flip by question",
        discordance=(table[True, False] + table[False, True]) / len(pairs),
        moved=len(moves),
        move=math.sqrt(math.fsum(m**2 for m in moves) / len(moves)) if moves else 1.0,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def _check_shared(
    shared: Sequence[PromptKey],
    base: dict[PromptKey, ScoredAnswer],
    other: dict[PromptKey, ScoredAnswer],
) -> None:
    questions = {question_id for question_id, _, _ in shared}
    if len(questions) < 2:
        raise DataError(
            f"the runs share {len(questions)} of {len({k[0] for k in base})} and "
            f"{len({k[0] for k in other})} questions (same id, choice order and repeat); "
            "a comparison needs at least 2",
            hint="compare runs over the same data file with the same --permutations",
        )
    for key in shared:
        if base[key].gold != other[key].gold:
            raise DataError(
                f"question {key[0]}, order {order_name(key[1])}: gold is {base[key].gold} in the "
                f"base run and {other[key].gold} in the other",
                hint="the runs were scored against different data files; rescore one of them",
            )
