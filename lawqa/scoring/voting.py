"""Self-consistency: the label that most samples of one prompt agree on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.amounts import counted
from lawqa.choices import LABELS, Label
from lawqa.errors import DataError
from lawqa.scoring.accuracy import Accuracy, accuracy_of
from lawqa.scoring.final_answer import final_answers
from lawqa.scoring.outcomes import ScoredAnswer, by_question
from lawqa.scoring.ties import draw, leaders


@dataclass(frozen=True)
class Majority:
    """The vote over the samples of one prompt."""

    label: Label | None
    """The label with most votes; None where no sample gave one."""

    votes: int
    """Samples that gave this label; 0 where none did."""

    samples: int
    """All samples, with and without a label."""

    agreement: float
    """votes / samples, from 0 to 1."""


@dataclass(frozen=True)
class VoteSummary:
    """The vote of every question of a run over all its samples, in whatever orders they were shown."""

    samples: int
    """The most samples of one question."""

    accuracy: Accuracy
    """Of the majority labels, one for each question."""

    by_sample: tuple[Accuracy, ...]
    """Of the first samples alone, of the second samples alone, and so on."""

    agreement: float
    """The mean over the questions of the majority's share of the samples, from 0 to 1."""

    undecided: int
    """Questions for which no sample gave a label; they count as not correct."""


def majority(
    labels: Sequence[Label | None], logprobs: Sequence[float] | None = None, *, seed: str = ""
) -> Majority:
    """Return the majority label of the samples of one prompt.

    A tie goes to the label whose samples have the larger summed log-probability, then to a draw.
    Samples without a label vote for nothing, yet count in the agreement.

    Args:
        labels: each sample's label as displayed, or None.
        logprobs: each sample's natural log-probability; without them ties are drawn.
        seed: of the draw: the question's id.

    Raises:
        DataError: there are no samples.
        ValueError: logprobs are not one number for each sample.

    Source: Wang et al. (2023), ICLR, arXiv:2203.11171 (self-consistency; the unweighted vote).
    """
    if not labels:
        raise DataError("there are no samples to vote")
    weights = [0.0] * len(labels) if logprobs is None else list(logprobs)
    if len(weights) != len(labels) or any(math.isnan(weight) for weight in weights):
        raise ValueError(
            f"{counted(len(labels), 'sample')} need as many log-probabilities, found {weights}"
        )
    votes = Counter(label for label in labels if label is not None)
    if not votes:
        return Majority(None, 0, len(labels), 0.0)
    level = [label for label in LABELS if votes[label] == max(votes.values())]
    # fsum rounds once, so the sequence of the samples cannot decide a tie
    sums = {
        label: math.fsum(w for own, w in zip(labels, weights, strict=True) if own == label)
        for label in level
    }
    best = leaders(sums)
    winner = best[0] if len(best) == 1 else draw(best, seed)
    return Majority(winner, votes[winner], len(labels), votes[winner] / len(labels))


def summarise_votes(answers: Sequence[ScoredAnswer]) -> VoteSummary:
    """Return the majority of each question's samples, and how far they agree.

    Labels are mapped back to the question's original order, so samples in several orders vote together;
    ties are broken as in `final_answers`.

    Raises:
        DataError: there are no answers.
    """
    if not answers:
        raise DataError("there are no samples to vote")
    finals = [final.as_scored() for final in final_answers(answers, "vote")]
    groups = [[a.original_predicted for a in group] for _, group in by_question(answers)]
    agreement = [majority(labels).agreement for labels in groups]
    repeats = sorted({answer.repeat for answer in answers})
    return VoteSummary(
        samples=max(map(len, groups)),
        accuracy=accuracy_of(finals),
        by_sample=tuple(
            accuracy_of([answer for answer in answers if answer.repeat == repeat])
            for repeat in repeats
        ),
        agreement=math.fsum(agreement) / len(agreement),
        undecided=sum(final.predicted is None for final in finals),
    )
