"""Several runs that answer as one: a vote over trainings, on the prompts that all of them were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lawqa.errors import ConfigError, DataError
from lawqa.scoring.final_answer import final_answers
from lawqa.scoring.outcomes import ScoredAnswer, by_prompt
from lawqa.settings import By


@dataclass(frozen=True)
class Ensemble:
    """The final answers of several runs together."""

    answers: tuple[ScoredAnswer, ...]
    """One a question, sorted by its id."""
    name: str
    """How they were made, in words, as in 'by NAME'."""
    left_out: int
    """Prompts that some runs were asked and others not."""


def ensemble_of(runs: Sequence[Sequence[ScoredAnswer]], by: By = "own") -> Ensemble:
    """Return one final answer a question from the answers of several runs.

    Every prompt of every run counts alike: the choice with the highest mean label probability where every run
    stores some, else the one that most prompts picked. Ties are broken as in `final_answers`.

    Args:
        runs: each run's answers, in labels of the same original orders.
        by: `own` for what the stored answers allow; `soft` or `vote` for one of the two.

    Raises:
        ConfigError: another rule is asked for.
        DataError: the runs share no prompt, disagree on a gold choice, or store no label probabilities for
            the soft vote.

    Source: Lakshminarayanan et al. (2017), NeurIPS, arXiv:1612.01474 (the mean of the probabilities of
    networks trained from several seeds).
    """
    if by not in ("own", "soft", "vote"):
        raise ConfigError(
            f"--by {by} is no vote of several runs", "--by soft or --by vote; or leave it out"
        )
    tables = [by_prompt(answers) for answers in runs]
    shared = set.intersection(*(set(table) for table in tables))
    if not shared:
        raise DataError(
            "the runs were asked no prompt in common",
            "an ensemble needs runs of the same questions",
        )
    # A prompt's answers by several runs are repeats of it, which the rules know already.
    answers = [
        replace(table[key], repeat=key[2] * len(tables) + number)
        for number, table in enumerate(tables)
        for key in shared
    ]
    probabilities = all(
        any(table[key].label_logprobs is not None for key in shared) for table in tables
    )
    if by == "soft" and not probabilities:
        raise DataError(
            "the soft vote needs label probabilities, and a run of the ensemble stores none",
            "--by vote  counts the answers instead",
        )
    rule: By = "soft" if probabilities and by != "vote" else "vote"
    finals = tuple(final.as_scored() for final in final_answers(answers, rule))
    name = f"the {'soft ' if rule == 'soft' else ''}vote of {len(runs)} runs"
    left_out = len(set.union(*(set(table) for table in tables))) - len(shared)
    return Ensemble(finals, name, left_out)
