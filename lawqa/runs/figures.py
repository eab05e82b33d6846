"""The figures of a run: from stored results to what `summary.json` says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from lawqa.files import JsonObject
from lawqa.runs.result import Result
from lawqa.runs.text_figures import NO_TEXTS, TextCounts, TextFigures
from lawqa.scoring import (
    Accuracy,
    LabelMass,
    PermutationSummary,
    ScoredAnswer,
    Summary,
    VoteSummary,
    accuracy_of,
    average_over_orders,
    label_mass_of,
    summarise,
    summarise_permutations,
    summarise_votes,
)


@dataclass(frozen=True)
class ForcedAnswers:
    """What becomes of the accuracy when texts without an answer are made to give one."""

    unanswered: int
    """Texts that gave no answer of their own."""
    forced: int
    """Of them, those with a forced one."""
    failed: int
    """Of them, those for which the backend broke."""
    accuracy: Accuracy
    """Of all that was asked, forced answers counted like others."""


@dataclass(frozen=True)
class Figures:
    """All figures of a run."""

    answers: tuple[ScoredAnswer, ...]
    """What they were made from."""
    summary: Summary
    """Accuracy and what must travel with it."""
    permutations: PermutationSummary | None
    """How it depends on the order of the choices; None where there was one order."""
    votes: VoteSummary | None
    """The majorities; None where no prompt was answered more than once."""
    forced: ForcedAnswers | None
    """With forced answers; None where every text had an answer or none was forced."""
    texts: TextFigures | None
    """How texts ended; None where none was generated."""
    label_mass: LabelMass | None = None
    """How much of the probability the labels had; None where no label was scored or that was not stored."""
    forced_mass: LabelMass | None = None
    """The same of forced answers."""

    def record(self, notes: Sequence[str], seconds: float) -> JsonObject:
        """Return what `summary.json` says.

        Args:
            notes: what a reader must know first; alarms for a collapse and for low label mass are added.
            seconds: how long the asking took.
        """
        alarms = [self.summary.collapse.sentence] if self.summary.collapse else []
        if self.label_mass is not None and self.label_mass.sentence:
            alarms.append(self.label_mass.sentence)
        return {
            "notes": [*notes, *alarms],
            "final": self.summary.to_json()["final"],
            "accuracy": self.summary.accuracy.value,
            "correct_count": self.summary.accuracy.correct,
            "total_count": self.summary.n,
            "seconds": round(seconds, 3),
            "statistics": self.summary.to_json(),
            "permutations": self._permutations(),
            "votes": asdict(self.votes) if self.votes else None,
            "forced": asdict(self.forced) if self.forced else None,
            **(self.texts.record() if self.texts else NO_TEXTS),
            "label_mass": self.label_mass.to_json() if self.label_mass else None,
            "forced_label_mass": self.forced_mass.to_json() if self.forced_mass else None,
        }

    def _permutations(self) -> JsonObject | None:
        if self.permutations is None:
            return None
        averages = average_over_orders(self.answers)
        return {
            **self.permutations.to_json(),
            "averaged_answers": [asdict(average) for average in averages],
        }


def figures_of(results: Iterable[Result]) -> Figures:
    """Return the figures of stored results; each is looked at once and not kept.

    Raises:
        DataError: there are none, or an answer occurs twice.
    """
    answers: list[ScoredAnswer] = []
    forced: list[ScoredAnswer] = []
    lengths: dict[str, tuple[int, ...]] = {}
    masses: list[float | None] = []
    forced_masses: list[float | None] = []
    broken, texts = 0, TextCounts()
    for result in results:
        answer = result.scored()
        answers.append(answer)
        forced.append(result.when_forced(answer))
        if answer.question_id not in lengths:
            lengths[answer.question_id] = result.choice_lengths
        masses.append(None if result.is_text else result.label_mass)
        forced_masses.append(result.forced_label_mass)
        broken += bool(result.forced_error)
        texts.add(result, answer)
    return Figures(
        answers=tuple(answers),
        summary=summarise(answers, choice_lengths=lengths),
        permutations=(
            summarise_permutations(answers) if len({a.order for a in answers}) > 1 else None
        ),
        votes=summarise_votes(answers) if any(a.repeat for a in answers) else None,
        forced=_forced(answers, forced, broken),
        texts=texts.figures(),
        label_mass=label_mass_of(masses),
        forced_mass=label_mass_of(forced_masses),
    )


def _forced(
    answers: Sequence[ScoredAnswer], forced: Sequence[ScoredAnswer], broken: int
) -> ForcedAnswers | None:
    added = sum(
        one.predicted is None and other.predicted is not None
        for one, other in zip(answers, forced, strict=True)
    )
    if not added and not broken:
        return None
    unanswered = sum(answer.outcome in ("unparsed", "truncated") for answer in answers)
    return ForcedAnswers(unanswered, added, broken, accuracy_of(forced))
