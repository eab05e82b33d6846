"""Which questions a report shows one by one, where there are more than a page holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from lawqa.report.content import ReportRun

MOST_ANSWERS = 20_000
"""Answers that are shown one by one at most: about 20 MB of a page, which a browser opens in seconds."""


def shown_questions(runs: Sequence[ReportRun], most: int = MOST_ANSWERS) -> frozenset[str]:
    """Return the ids of the questions that are shown one by one.

    All, where their answers fit. Else those on which runs differ in being right, then those that a run did
    not answer right, then the others, each in the sequence in which the runs met them.

    Args:
        runs: the runs with all their answers.
        most: how many answers are shown at most; one question is shown in any case.
    """
    ids = dict.fromkeys(answer.question_id for run in runs for answer in run.answers)
    answers = sum(len(run.answers) for run in runs)
    if answers <= most:
        return frozenset(ids)
    right: dict[str, set[bool]] = {}
    for run in runs:
        for answer in run.judged:
            right.setdefault(answer.question_id, set()).add(answer.is_correct)
    ranked = sorted(ids, key=lambda one: _RANKS[frozenset(right[one])])
    return frozenset(islice(ranked, max(1, most * len(ids) // answers)))


_RANKS = {frozenset({True, False}): 0, frozenset({False}): 1, frozenset({True}): 2}
