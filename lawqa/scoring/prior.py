"""A model's prior for the letters themselves, estimated apart from the questions it is removed from."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

from lawqa.amounts import counted
from lawqa.choices import LABELS, ORIGINAL_ORDER
from lawqa.errors import DataError
from lawqa.scoring.accuracy import Accuracy
from lawqa.scoring.final_answer import summarise_final
from lawqa.scoring.outcomes import ScoredAnswer, by_question, outcome_of
from lawqa.scoring.ties import likeliest_label

Prior = tuple[float, float, float, float]
"""Probabilities of the displayed labels a-d whatever is asked; they sum to 1."""


@dataclass(frozen=True)
class PriorEffect:
    """Final answers with the prior removed, beside those that the run gave."""

    plain: Accuracy
    """As the run answered."""
    corrected: Accuracy
    """With the prior removed; never the figure of the run."""
    priors: tuple[Prior, ...]
    """The prior of each part that was held out; several where several parts were."""
    fitted_on: tuple[int, ...]
    """Questions that each prior was estimated from."""

    @property
    def sentence(self) -> str:
        """The effect in words."""
        means = [math.fsum(column) / len(self.priors) for column in zip(*self.priors, strict=True)]
        shown = " ".join(f"{label} {share:.2f}" for label, share in zip(LABELS, means, strict=True))
        several = f" (mean of {len(self.priors)})" if len(self.priors) > 1 else ""
        c, p = self.corrected, self.plain
        return (
            f"prior of the letters removed (PriDe): {c.value:.1%} "
            f"({c.interval.low:.1%} - {c.interval.high:.1%}) beside {p.value:.1%} as answered; the prior"
            f"{several}: {shown}, fitted on questions that it is not removed from"
        )

    def to_json(self) -> dict[str, object]:
        """Return the figures in plain JSON types."""
        return {**asdict(self), "sentence": self.sentence}


def fit_prior(answers: Sequence[ScoredAnswer]) -> Prior:
    """Estimate how much a model likes each letter, from questions asked in balanced orders.

    Over orders in which every choice is once under every letter, the mean log-probability of a letter says
    nothing of the choices. No right label is looked at.

    Args:
        answers: with label probabilities; questions asked in other than balanced orders are left out.

    Raises:
        DataError: no question was asked in balanced orders with label probabilities.

    Source: PriDe, Zheng et al. (2024), Large Language Models Are Not Robust Multiple Choice Selectors, ICLR,
    arXiv:2309.03882, equations 5 and 6: the softmax of the mean over orders, then the mean over questions.
    """
    own = [prior for _, group in by_question(answers) if (prior := _of_question(group)) is not None]
    if not own:
        raise DataError(
            "no question was asked in balanced orders with label probabilities, so the prior is not known",
            "--permutations 4  asks every choice once under every letter",
        )
    a, b, c, d = (math.fsum(column) / len(own) for column in zip(*own, strict=True))
    return (a, b, c, d)


def without_prior(answers: Sequence[ScoredAnswer], prior: Prior) -> tuple[ScoredAnswer, ...]:
    """Divide the label probabilities by the prior; answers without probabilities stay as they are."""
    return tuple(_corrected(answer, prior) for answer in answers)


def prior_effect(
    answers: Sequence[ScoredAnswer],
    parts: Sequence[tuple[Collection[str], Sequence[ScoredAnswer]]],
) -> PriorEffect:
    """Remove from each held-out part the prior that was fitted apart from it.

    Args:
        answers: all answers of the run.
        parts: the ids of held-out questions, and the answers that their prior is fitted on.

    Raises:
        DataError: a prior would be fitted on a question that it is removed from, a question is in no part, or
            nothing says what the prior is.
    """
    corrected: list[ScoredAnswer] = []
    priors: list[Prior] = []
    sizes: list[int] = []
    for held_out, fitting in parts:
        shared = sorted({answer.question_id for answer in fitting} & set(held_out))
        if shared:
            raise DataError(
                f"the prior would be fitted on {counted(len(shared), 'question')} that it is "
                f"removed from: {shared[0]}"
            )
        prior = fit_prior(fitting)
        priors.append(prior)
        sizes.append(len({answer.question_id for answer in fitting}))
        corrected += without_prior([a for a in answers if a.question_id in held_out], prior)
    missing = {answer.key for answer in answers} - {answer.key for answer in corrected}
    if missing:
        raise DataError(f"question {min(missing)[0]} is in no held-out part")
    return PriorEffect(
        summarise_final(answers).accuracy,
        summarise_final(corrected).accuracy,
        tuple(priors),
        tuple(sizes),
    )


def _of_question(group: Sequence[ScoredAnswer]) -> Prior | None:
    """Return the prior that one question shows; None where its orders are not balanced."""
    known = {answer.order: answer.label_logprobs for answer in group if answer.label_logprobs}
    for place in range(len(LABELS)):
        shown = [order[place] for order in known]
        if not shown or len({shown.count(choice) for choice in ORIGINAL_ORDER}) > 1:
            return None
    means = [math.fsum(column) / len(known) for column in zip(*known.values(), strict=True)]
    if not all(map(math.isfinite, means)):
        return None  # a label of probability 0 has no logarithm to average
    return _softmax(means)


def _corrected(answer: ScoredAnswer, prior: Prior) -> ScoredAnswer:
    if answer.label_logprobs is None:
        return answer
    scores = [one - math.log(p) for one, p in zip(answer.label_logprobs, prior, strict=True)]
    a, b, c, d = (math.log(p) if p > 0 else -math.inf for p in _softmax(scores))
    logprobs = (a, b, c, d)
    label = likeliest_label(logprobs, answer.question_id, answer.order)
    return replace(
        answer,
        label_logprobs=logprobs,
        predicted=label,
        outcome=outcome_of(answer.gold, label, "answered"),
    )


def _softmax(scores: Sequence[float]) -> Prior:
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    whole = math.fsum(weights)
    a, b, c, d = (weight / whole for weight in weights)
    return (a, b, c, d)
