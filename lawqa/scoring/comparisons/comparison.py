"""The figures of a paired comparison: difference, p-value, interval, and what could have been seen."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Literal

from lawqa.scoring.accuracy import Accuracy, Interval
from lawqa.scoring.comparisons.bootstrap import bootstrap_by_question
from lawqa.scoring.comparisons.newcombe import newcombe_paired
from lawqa.scoring.comparisons.power import minimum_detectable_difference
from lawqa.scoring.comparisons.seed_spread import Spread, Widening, widening
from lawqa.scoring.comparisons.sign_flip import sign_flip_bar, sign_flip_p

PairedTest = Literal["exact McNemar", "exact sign-flip by question", "exact sign-flip by group"]
"""McNemar where each shared question has one pair of answers, else its form for clusters."""

IntervalMethod = Literal["Newcombe's paired score", "bootstrap by question", "bootstrap by group"]
"""How the interval of the difference is made."""


@dataclass(frozen=True)
class PairedComparison:
    """Two runs on the questions that both were asked."""

    prompts: int
    """Pairs of answers: one a question, unless prompts or several seeds are compared."""

    questions: int
    """Different questions among them."""

    clusters: int
    """The independent units of test and interval: the questions, or their groups."""

    by_base: str
    """What the base's answers are: 'single answers', 'the vote of 8'."""

    by_other: str
    """What the other's answers are."""

    seeds_base: int
    """Runs of the base that count as repeats of one."""

    seeds_other: int
    """Runs of the other that count as repeats of one."""

    left_out_base: int
    """Questions (single prompts, if those are compared) of the base run that the other was not asked."""

    left_out_other: int
    """Those of the other run that the base was not asked."""

    left_out_questions: int
    """Questions that only one of the two was asked, in any order; 0 where only orders or samples differ."""

    both: int
    """Pairs in which both are right."""

    only_base: int
    """Pairs in which only the base is right."""

    only_other: int
    """Pairs in which only the other is right."""

    neither: int
    """Pairs in which neither is right."""

    base: Accuracy
    """The base run on the shared questions."""

    other: Accuracy
    """The other run on the shared questions."""

    difference: float
    """Accuracy of the other less that of the base, from -1 to 1."""

    test: PairedTest
    """The test that gave the p-value."""

    discordance: float
    """Share of the pairs in which exactly one of the runs is right."""

    spread_base: float | None
    """Standard deviation of the base's accuracy between its seeds, from 0 to 1; None for one seed."""

    spread_other: float | None
    """The same of the other run."""

    confidence: float
    """Of `interval`; 1 less this is the level of the test in what is significant and detectable."""

    resamples: int
    """Bootstrap samples."""

    seed: int
    """Of the bootstrap."""

    gains: tuple[int, ...] = field(repr=False)
    """For each cluster, right answers of the other less those of the base."""

    sizes: tuple[int, ...] = field(repr=False)
    """For each cluster, its pairs."""

    @cached_property
    def p_value(self) -> float:
        """Two-sided p-value of no difference: exact, and not below what the spread between seeds allows."""
        return max(sign_flip_p(self.gains), self._widening(self.confidence).p_value)

    @cached_property
    def interval(self) -> Interval:
        """Of the difference, at this comparison's confidence; it holds 0 exactly where the p-value is above
        1 less the confidence.
        """
        return self.interval_at(1 - self.confidence)

    @property
    def interval_method(self) -> IntervalMethod:
        """How the interval is made."""
        if self.test == "exact McNemar":
            return "Newcombe's paired score"
        grouped = self.test == "exact sign-flip by group"
        return "bootstrap by group" if grouped else "bootstrap by question"

    @property
    def moved(self) -> int:
        """Clusters in which the runs give a different number of right answers."""
        return sum(bool(gain) for gain in self.gains)

    @property
    def move(self) -> float:
        """Root mean square of how far those move the accuracy, in clusters; 1 where each has one pair."""
        mean_size = self.prompts / self.clusters
        moves = [gain / mean_size for gain in self.gains if gain]
        return math.sqrt(math.fsum(m**2 for m in moves) / len(moves)) if moves else 1.0

    def interval_at(self, alpha: float) -> Interval:
        """Return the interval that goes with a test at this level: it holds 0 exactly where p is above the
        level.

        Newcombe's score interval for one pair a question, else the bootstrap, widened by the spread between
        seeds. Where one of its bounds contradicts the exact test, that bound is replaced by that of the test
        turned round: the differences which the sizes of these moves do not exclude.

        Args:
            alpha: the level, such as 0.05, or what Holm's correction asks of this comparison.
        """
        interval = self._plain_interval(1 - alpha)
        wider = self._widening(1 - alpha)
        low = self.difference - max(wider.factor * (self.difference - interval.low), wider.half)
        high = self.difference + max(wider.factor * (interval.high - self.difference), wider.half)
        significant = self.p_value <= alpha
        luck = sign_flip_bar(self.gains, alpha).luck / self.prompts
        if significant and low <= 0 <= high:
            low, high = (
                (self.difference - luck, high)
                if self.difference > 0
                else (low, self.difference + luck)
            )
        elif not significant and low > 0:
            low = min(0.0, self.difference - luck)
        elif not significant and high < 0:
            high = max(0.0, self.difference + luck)
        return Interval(max(-1.0, low), min(1.0, high))

    def significant_at(self, alpha: float) -> float | None:
        """Return the smallest difference that would have been significant with these discordant answers.

        How many questions the runs differ on, and by how much, is taken as it was; only who wins is open. The
        spread between seeds is not in it.

        Args:
            alpha: the level.

        Returns:
            The difference as a share; None where no outcome would have been significant.
        """
        significant = sign_flip_bar(self.gains, alpha).significant
        return None if significant is None else significant / self.prompts

    def detectable_at(self, alpha: float) -> float | None:
        """Return the smallest true difference seen with 80% power by a test at this level.

        Exact for one pair a question. For several, a question moves the accuracy by less than a
        whole question: the exact difference for questions is scaled by the root mean square move of
        those that moved, which agrees with the normal approximation (Connor 1987) applied to question
        means. The spread between seeds is added as a variance.

        Args:
            alpha: the level, such as 0.05 over the number of comparisons.
        """
        whole = minimum_detectable_difference(
            self.clusters, self.moved / self.clusters, alpha=alpha
        )
        if whole is None:
            return None
        variance = math.fsum(spread.variance for spread in self._spreads)
        if not variance:
            return min(1.0, whole * self.move)
        from statistics import NormalDist

        normal = NormalDist()
        reach = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(0.8)
        return min(1.0, math.hypot(whole * self.move, reach * math.sqrt(variance)))

    @property
    def smallest_significant_difference(self) -> float | None:
        """Smallest difference, as a share, that would have been significant with these discordant answers;
        None where none would.
        """
        return self.significant_at(1 - self.confidence)

    @property
    def minimum_detectable_difference(self) -> float | None:
        """Smallest true difference seen with 80% power at this n and discordance, as a share; None
        where the questions are too few for any.
        """
        return self.detectable_at(1 - self.confidence)

    def to_json(self) -> dict[str, object]:
        """Return this comparison in plain JSON types; the file around it carries the schema version."""
        record = asdict(self)
        del record["gains"], record["sizes"]
        return {
            **record,
            "interval": asdict(self.interval),
            "interval_method": self.interval_method,
            "p_value": self.p_value,
            "moved": self.moved,
            "move": self.move,
            "smallest_significant_difference": self.smallest_significant_difference,
            "minimum_detectable_difference": self.minimum_detectable_difference,
        }

    @property
    def _spreads(self) -> list[Spread]:
        sides = ((self.seeds_base, self.spread_base), (self.seeds_other, self.spread_other))
        return [Spread(seeds, scores) for seeds, scores in sides if scores]

    def _plain_interval(self, confidence: float) -> Interval:
        if self.test == "exact McNemar":
            return newcombe_paired(
                self.both, self.only_base, self.only_other, self.neither, confidence
            )
        return bootstrap_by_question(
            self.gains, self.sizes, confidence=confidence, resamples=self.resamples, seed=self.seed
        )

    def _widening(self, confidence: float) -> Widening:
        rest = [
            gain - self.difference * size for gain, size in zip(self.gains, self.sizes, strict=True)
        ]
        variance = (
            math.fsum(r**2 for r in rest) / self.prompts**2 * self.clusters / (self.clusters - 1)
            if self.clusters > 1
            else 0.0
        )
        return widening(self.difference, variance, self.clusters, self._spreads, confidence)
