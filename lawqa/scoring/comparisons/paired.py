"""Two runs on the same questions: which final answers differ, and whether that is more than luck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lawqa.amounts import counted
from lawqa.errors import DataError
from lawqa.scoring.accuracy import Accuracy, accuracy_of
from lawqa.scoring.comparisons.comparison import PairedComparison, PairedTest
from lawqa.scoring.comparisons.seed_spread import Spread, training_spread
from lawqa.scoring.final_answer import FinalSummary, final_answers, summarise_final
from lawqa.scoring.outcomes import PromptKey, ScoredAnswer, by_prompt, order_name
from lawqa.settings import By

Answers = Sequence[ScoredAnswer]


def compare(
    base: Answers,
    other: Answers,
    *,
    by: By = "own",
    groups: Mapping[str, str] | None = None,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> PairedComparison:
    """Hold two runs against each other on the questions that both were asked.

    The final answers of the runs are compared, so that a run of single answers can be held against a vote.
    With `by="prompts"` every prompt that both were asked counts, and a question's prompts are one cluster.

    Args:
        base: the run to compare with.
        other: the run whose gain is asked for.
        by: what is compared: each run's own final answer, the final answer by one rule, or single prompts.
        groups: the group of linked questions that each question belongs to, by id; a group is one cluster.
            None: every question is one.
        confidence: of the intervals, between 0 and 1.
        resamples: bootstrap samples.
        seed: of the bootstrap.

    Raises:
        DataError: fewer than 2 questions (or groups) are shared, a prompt occurs twice in a run, the runs
            disagree on a gold label, or `soft` is asked for without label probabilities.
    """
    return compare_repeats(
        [base], [other], by=by, groups=groups, confidence=confidence, resamples=resamples, seed=seed
    )


def compare_repeats(
    bases: Sequence[Answers],
    others: Sequence[Answers],
    *,
    by: By = "own",
    groups: Mapping[str, str] | None = None,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> PairedComparison:
    """Hold the repeats of one run (trained or sampled with other seeds) against those of another.

    Seeds are no rival hypotheses: there is one comparison, over all of them, with the question as the unit.
    Where a side has two seeds or more, the spread between its trainings is estimated and goes into interval
    and p-value. The arguments and errors are those of `compare`.

    Args:
        bases: each seed's answers of the run to compare with.
        others: each seed's answers of the run whose gain is asked for.
        by: as for `compare`.
        groups: as for `compare`.
        confidence: as for `compare`.
        resamples: as for `compare`.
        seed: of the bootstrap.
    """
    sides = [
        [_keyed(answers, by, name) for answers in runs]
        for runs, name in ((bases, "the base run"), (others, "the other run"))
    ]
    tables = [table for side in sides for table in side]
    shared = sorted(set.intersection(*(set(table) for table in tables)))
    _check_shared(shared, sides, by)
    finals = [None if by == "prompts" else summarise_final(runs[0], by) for runs in (bases, others)]
    return _compared(
        shared, sides, [_name(final) for final in finals], groups or {},
        confidence=confidence, resamples=resamples, seed=seed,
    )  # fmt: skip


def shared_answers(base: Answers, other: Answers, by: By = "own") -> tuple[list[ScoredAnswer], ...]:
    """Return what `compare` holds against each other: the answers of both runs, pair by pair."""
    one, two = _keyed(base, by, "the base run"), _keyed(other, by, "the other run")
    shared = sorted(one.keys() & two.keys())
    return [one[key] for key in shared], [two[key] for key in shared]


def _keyed(answers: Answers, by: By, run: str) -> dict[PromptKey, ScoredAnswer]:
    prompts = by_prompt(answers, run)
    if by == "prompts" or not answers:
        return prompts
    return {final.key: final for final in (one.as_scored() for one in final_answers(answers, by))}


def _questions(side: Sequence[Mapping[PromptKey, ScoredAnswer]]) -> set[str]:
    return {question_id for table in side for question_id, _, _ in table}


def _name(final: FinalSummary | None) -> str:
    return "single prompts" if final is None else final.name


def _compared(
    shared: Sequence[PromptKey],
    sides: Sequence[Sequence[Mapping[PromptKey, ScoredAnswer]]],
    names: Sequence[str],
    groups: Mapping[str, str],
    *,
    confidence: float,
    resamples: int,
    seed: int,
) -> PairedComparison:
    bases, others = sides
    pairs = [(one[key], two[key]) for key in shared for one in bases for two in others]
    table = Counter((one.is_correct, two.is_correct) for one, two in pairs)
    gains, sizes = Counter[str](), Counter[str]()
    for one, two in pairs:
        unit = groups.get(one.question_id, one.question_id)
        gains[unit] += two.is_correct - one.is_correct
        sizes[unit] += 1
    units = sorted(sizes)
    questions = len({question_id for question_id, _, _ in shared})
    spreads = [training_spread([[table[key].is_correct for key in shared] for table in side])
               for side in sides]  # fmt: skip
    return PairedComparison(
        prompts=len(pairs),
        questions=questions,
        clusters=len(units),
        by_base=names[0],
        by_other=names[1],
        seeds_base=len(bases),
        seeds_other=len(others),
        left_out_base=len(set().union(*bases)) - len(shared),
        left_out_other=len(set().union(*others)) - len(shared),
        left_out_questions=len(_questions(bases) ^ _questions(others)),
        both=table[True, True],
        only_base=table[True, False],
        only_other=table[False, True],
        neither=table[False, False],
        base=_accuracy(shared, bases, groups, confidence),
        other=_accuracy(shared, others, groups, confidence),
        difference=sum(gains.values()) / len(pairs),
        test=_test(len(pairs), questions, bool(groups)),
        discordance=(table[True, False] + table[False, True]) / len(pairs),
        spread_base=_deviation(spreads[0]),
        spread_other=_deviation(spreads[1]),
        confidence=confidence,
        resamples=resamples,
        seed=seed,
        gains=tuple(gains[unit] for unit in units),
        sizes=tuple(sizes[unit] for unit in units),
    )


def _deviation(spread: Spread | None) -> float | None:
    return None if spread is None else spread.deviation


def _test(pairs: int, questions: int, grouped: bool) -> PairedTest:
    if grouped:
        return "exact sign-flip by group"
    return "exact McNemar" if pairs == questions else "exact sign-flip by question"


def _accuracy(
    shared: Sequence[PromptKey],
    side: Sequence[Mapping[PromptKey, ScoredAnswer]],
    groups: Mapping[str, str],
    confidence: float,
) -> Accuracy:
    """Return the accuracy over all seeds; the interval is by question, or by group."""
    answers = [table[key] for key in shared for table in side]
    return accuracy_of(
        [replace(a, question_id=groups.get(a.question_id, a.question_id)) for a in answers], confidence
    )  # fmt: skip


def _check_shared(
    shared: Sequence[PromptKey],
    sides: Sequence[Sequence[Mapping[PromptKey, ScoredAnswer]]],
    by: By,
) -> None:
    questions = {question_id for question_id, _, _ in shared}
    first, *rest = [table for side in sides for table in side]
    if len(questions) < 2:
        asked = [len({key[0] for key in table}) for side in sides for table in side[:1]]
        same = "same id, choice order and repeat" if by == "prompts" else "same id"
        raise DataError(
            f"the runs share {len(questions)} of {asked[0]} and {counted(asked[1], 'question')} ({same}); "
            "a comparison needs at least 2",
            hint="compare runs over the same data file"
            + (" with the same --permutations" if by == "prompts" else ""),
        )
    for key in shared:
        golds = {table[key].gold for table in rest}
        if golds != {first[key].gold}:
            other = sorted(golds - {first[key].gold})[0]
            raise DataError(
                f"question {key[0]}, order {order_name(key[1])}: gold is {first[key].gold} in the "
                f"base run and {other} in the other",
                hint="the runs were scored against different data files; rescore one of them",
            )
