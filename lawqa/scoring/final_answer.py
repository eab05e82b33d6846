"""The final answer of a run to a question: plain, by vote, by mean probability, over samples and orders."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lawqa.amounts import counted
from lawqa.choices import LABELS, Label, inverse, permute_label
from lawqa.errors import DataError
from lawqa.scoring.accuracy import Accuracy, accuracy_of
from lawqa.scoring.outcomes import Outcome, ScoredAnswer, by_question, require_each_once
from lawqa.scoring.ties import draw, leaders, level_labels
from lawqa.scoring.votes_curve import VotesPoint, votes_curve
from lawqa.settings import By, FinalRule

TieBreak = Literal["", "logprob", "draw"]
"""What broke a tie: nothing where there was none, the summed log-probability, or a draw."""

LabelScores = Mapping[Label, float]
"""By original label."""


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """A run's answer to a question; labels are those of the question's original order."""

    question_id: str
    gold: Label
    """The right label."""
    predicted: Label | None
    """The answer, ties broken; None where no prompt gave one."""
    outcome: Outcome
    """What became of it; without an answer: failed where every prompt failed, else truncated or unparsed."""
    level: tuple[Label, ...]
    """The labels that shared the first place before the tie was broken; empty where one led alone."""
    broken_by: TieBreak
    """What broke the tie: the summed log-probability, or the draw seeded by the question's id."""
    prompts: int
    """The prompts that it was made from."""
    law: str
    """The question's law."""
    has_context: bool
    """Whether the prompts held statute text."""
    gold_retrieved: bool | None
    """Whether the gold text was in the prompt; None where nobody looked."""

    @property
    def expected(self) -> float:
        """How right it is when the labels that share the first place share the answer; 0 to 1."""
        if self.level:
            return (self.gold in self.level) / len(self.level)
        return float(self.outcome == "correct")

    def as_scored(self) -> ScoredAnswer:
        """Return this answer as that of one prompt in the original order."""
        return ScoredAnswer(
            self.question_id, self.gold, self.predicted, self.outcome, law=self.law,
            has_context=self.has_context, gold_retrieved=self.gold_retrieved,
        )  # fmt: skip


@dataclass(frozen=True)
class FinalSummary:
    """The final answers of a run in numbers."""

    by: FinalRule
    """The rule that made them."""
    name: str
    """The rule in words with its numbers, as in 'by NAME': 'the vote of 8'."""
    accuracy: Accuracy
    """Right final answers among the questions."""
    ties: int
    """Questions on which several choices shared the first place."""
    by_logprob: int
    """Ties broken by the summed log-probability."""
    by_draw: int
    """Ties broken by the draw."""
    expected: float
    """The expected accuracy if the choices that share the first place shared the answer, from 0 to 1."""
    undecided: int
    """Questions for which no prompt gave an answer; they count as not right."""
    votes: tuple[VotesPoint, ...]
    """What the vote of k prompts would have reached, k = 1, 2, 4, ...; empty for one prompt a question."""


def prompts_of(answers: Iterable[ScoredAnswer]) -> tuple[int, int, int]:
    """Return the most orders, samples in one order, and prompts that a question of these answers has."""
    orders = samples = prompts = 0
    for _, group in by_question(answers):
        number = len({answer.order for answer in group})
        orders, prompts = max(orders, number), max(prompts, len(group))
        samples = max(samples, math.ceil(len(group) / number))
    return orders, samples, prompts


def rule_of(answers: Sequence[ScoredAnswer], by: By = "own") -> FinalRule:
    """Return the rule that gives this run's final answers.

    A run with one prompt a question has that prompt's answer, whatever rule is asked for.

    Raises:
        DataError: the soft vote is asked for and the run stores no label probabilities.
        ValueError: `prompts` is no rule.
    """
    if by == "prompts":
        raise ValueError("single prompts have no final answer")
    orders, samples, prompts = prompts_of(answers)
    if prompts <= 1:
        return "plain"
    if by == "own":
        if orders > 1:
            return "orders-samples" if samples > 1 else "orders"
        return "vote"
    if by == "soft" and not _knows_probabilities(answers):
        raise DataError(
            "the soft vote needs label probabilities, and the run stores none",
            "--by vote  counts the answers instead",
        )
    return by


def rule_name(answers: Sequence[ScoredAnswer], rule: FinalRule) -> str:
    """Return a rule in words, with the numbers of this run."""
    orders, samples, prompts = prompts_of(answers)
    over = "mean" if _knows_probabilities(answers) else "vote"
    return {
        "plain": "single answers",
        "vote": f"the vote of {prompts}",
        "soft": f"the soft vote of {prompts}",
        "orders": f"the {over} over {counted(orders, 'order')}",
        "orders-samples": f"the {over} over {counted(orders, 'order')} of {counted(samples, 'sample')}",
    }[rule]


def final_answers(answers: Sequence[ScoredAnswer], by: By = "own") -> tuple[FinalAnswer, ...]:
    """Return one answer a question, sorted by its id.

    Samples and orders vote in the labels of the question's original order. A tie goes to the choice with the
    larger summed log-probability (for votes: of the samples that picked it; for means: of all samples), where
    that is stored for all of them; then to a draw seeded by the question's id.

    Args:
        answers: every prompt of one run, in any sequence.
        by: the rule.

    Raises:
        DataError: there are no answers, a prompt occurs twice, the orders of a question disagree on its gold
            choice, or the soft vote is asked for without label probabilities.

    Source: Wang et al. (2023), ICLR, arXiv:2203.11171 (the vote over samples); Zheng et al. (2024), ICLR,
    arXiv:2309.03882 (the mean over cyclic orders).
    """
    if not answers:
        raise DataError("there are no answers to make final ones from")
    require_each_once(answers)
    rule = rule_of(answers, by)
    return tuple(_final(group, rule) for _, group in by_question(answers))


def summarise_final(answers: Sequence[ScoredAnswer], by: By = "own") -> FinalSummary:
    """Return the figures of a run's final answers; the arguments and errors of `final_answers`."""
    finals = final_answers(answers, by)
    rule = rule_of(answers, by)
    prompts = prompts_of(answers)[2]
    return FinalSummary(
        by=rule,
        name=rule_name(answers, rule),
        accuracy=accuracy_of([final.as_scored() for final in finals]),
        ties=sum(bool(final.level) for final in finals),
        by_logprob=sum(final.broken_by == "logprob" for final in finals),
        by_draw=sum(final.broken_by == "draw" for final in finals),
        expected=math.fsum(final.expected for final in finals) / len(finals),
        undecided=sum(final.predicted is None for final in finals),
        votes=votes_curve(answers) if prompts > 1 else (),
    )


def most_probable(prompts: Sequence[ScoredAnswer]) -> Label | None:
    """Return the choice of one question with the highest mean probability over these prompts, ties broken.

    Args:
        prompts: at least one; all with label probabilities.
    """
    return _of_several(prompts, "soft")[0]


def _final(group: Sequence[ScoredAnswer], rule: FinalRule) -> FinalAnswer:
    golds = sorted({answer.original_gold for answer in group})
    if len(golds) > 1:
        raise DataError(
            f"question {group[0].question_id}: the gold choice differs between orders, originally "
            + " and ".join(golds)
        )
    used = _used(group, rule)
    predicted, level, broken_by = _of_one(used[0]) if rule == "plain" else _of_several(used, rule)
    return FinalAnswer(
        question_id=group[0].question_id,
        gold=golds[0],
        predicted=predicted,
        outcome=_outcome(used, predicted, golds[0]),
        level=level,
        broken_by=broken_by,
        prompts=len(used),
        law=group[0].law,
        has_context=group[0].has_context,
        gold_retrieved=next(
            (a.gold_retrieved for a in group if a.gold_retrieved is not None), None
        ),
    )


_Answered = tuple[Label | None, tuple[Label, ...], TieBreak]


def _used(group: Sequence[ScoredAnswer], rule: FinalRule) -> list[ScoredAnswer]:
    """Return the prompts that a rule looks at; the group is sorted by order and sample."""
    if rule == "plain":
        return [group[0]]
    if rule == "orders":
        firsts: dict[tuple[int, ...], ScoredAnswer] = {}
        for answer in group:
            firsts.setdefault(answer.order, answer)
        return list(firsts.values())
    return list(group)


def _of_one(answer: ScoredAnswer) -> _Answered:
    back = inverse(answer.order)
    level = tuple(sorted(permute_label(label, back) for label in level_labels(answer)))
    return answer.original_predicted, level, "draw" if level else ""


def _of_several(group: Sequence[ScoredAnswer], rule: FinalRule) -> _Answered:
    counted = rule == "vote" or not _knows_probabilities(group)
    scores = _counts(group, rule) if counted else _means(group, rule)
    if not any(scores.values()):
        return None, (), ""
    level = leaders(scores)
    if len(level) == 1:
        return level[0], (), ""
    sums = _summed_logprobs(group, level, voters_only=counted)
    best = leaders(sums) if sums else level
    if len(best) == 1:
        return best[0], level, "logprob"
    return draw(best, group[0].question_id), level, "draw"


def _counts(group: Sequence[ScoredAnswer], rule: FinalRule) -> LabelScores:
    """Return the votes for each choice; for `orders-samples` each order's shares of votes."""
    if rule == "orders-samples":
        return _over_orders(group, _shares)
    return _shares(group)


def _shares(group: Sequence[ScoredAnswer]) -> LabelScores:
    picked = [answer.original_predicted for answer in group]
    return {label: picked.count(label) / len(group) for label in LABELS}


def _means(group: Sequence[ScoredAnswer], rule: FinalRule) -> LabelScores:
    # A text that gave no answer has probabilities where one was forced: those are counted apart.
    known = [answer for answer in group if answer.predicted is not None]
    if not known:
        return {}
    if rule == "orders-samples":
        return _over_orders(known, _mean_probabilities)
    return _mean_probabilities(known)


def _mean_probabilities(known: Sequence[ScoredAnswer]) -> LabelScores:
    # fsum rounds once, so the sequence of the prompts cannot decide a tie
    return {
        label: math.fsum(_probability(answer, label) for answer in known) / len(known)
        for label in LABELS
    }


def _over_orders(
    group: Sequence[ScoredAnswer], within: Callable[[Sequence[ScoredAnswer]], LabelScores]
) -> LabelScores:
    orders = sorted({answer.order for answer in group})
    each = [within([a for a in group if a.order == order]) for order in orders]
    return {label: math.fsum(scores[label] for scores in each) / len(each) for label in LABELS}


def _summed_logprobs(
    group: Sequence[ScoredAnswer], level: Sequence[Label], *, voters_only: bool
) -> dict[Label, float] | None:
    """Return the summed log-probabilities of the level choices; None where one is not known."""
    sums: dict[Label, float] = {}
    for label in level:
        of = [a for a in group if a.original_predicted == label] if voters_only else [
            a for a in group if a.label_logprobs is not None
        ]  # fmt: skip
        if any(answer.label_logprobs is None for answer in of):
            return None
        sums[label] = math.fsum(_logprob(answer, label) for answer in of)
    return sums


def _logprob(answer: ScoredAnswer, label: Label) -> float:
    """Return the log-probability of a choice, named by its original label."""
    logprobs = answer.label_logprobs or ()
    return logprobs[LABELS.index(permute_label(label, answer.order))]


def _probability(answer: ScoredAnswer, label: Label) -> float:
    """Return the probability of a choice, named by its original label; a text without any is sure of its
    answer.
    """
    if answer.label_logprobs is None:
        return float(answer.original_predicted == label)
    return math.exp(_logprob(answer, label))


def _knows_probabilities(answers: Iterable[ScoredAnswer]) -> bool:
    return any(answer.label_logprobs is not None for answer in answers)


def _outcome(used: Sequence[ScoredAnswer], predicted: Label | None, gold: Label) -> Outcome:
    if predicted is not None:
        return "correct" if predicted == gold else "wrong"
    outcomes = {answer.outcome for answer in used}
    if outcomes == {"failed"}:
        return "failed"
    return "truncated" if "truncated" in outcomes else "unparsed"
