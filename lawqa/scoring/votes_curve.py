"""What the vote of fewer prompts would have reached: is it worth asking more often?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lawqa.scoring.outcomes import ScoredAnswer, by_question


@dataclass(frozen=True)
class VotesPoint:
    """The vote of some of a question's prompts."""

    k: int
    """How many vote; a question with fewer prompts uses all of them."""
    accuracy: float
    """Expected accuracy over all choices of k prompts, ties shared; from 0 to 1."""


def votes_curve(answers: Iterable[ScoredAnswer]) -> tuple[VotesPoint, ...]:
    """Return the expected accuracy of the vote of k prompts, for k = 1, 2, 4, ... and all.

    The mean over every choice of k of a question's prompts is computed exactly. Choices that share the first
    place share the answer, so the point of all prompts is the expected value of the vote.
    """
    tallies: list[tuple[int, tuple[int, ...], int]] = []
    for _, group in by_question(answers):
        gold = group[0].original_gold
        counts = Counter(answer.original_predicted for answer in group)
        others = sorted(n for label, n in counts.items() if label not in (gold, None))
        tallies.append((counts[gold], tuple(others), counts[None]))
    most = max(right + sum(others) + none for right, others, none in tallies)
    points = []
    for k in _steps(most):
        values = [
            expected_vote(right, others, none, min(k, right + sum(others) + none))
            for right, others, none in tallies
        ]
        points.append(VotesPoint(k, math.fsum(values) / len(values)))
    return tuple(points)


def _steps(most: int) -> list[int]:
    steps = [2**i for i in range(most.bit_length()) if 2**i < most]
    return [*steps, most]


@lru_cache(maxsize=4096)
def expected_vote(right: int, others: tuple[int, ...], none: int, k: int) -> float:
    """Return the chance that k of these prompts, drawn without replacement, vote for the right choice.

    A tie for the first place counts by the share of the right choice in it; draws without any label count 0.

    Args:
        right: prompts that picked the right choice.
        others: prompts that picked each of the other choices.
        none: prompts without an answer.
        k: how many are drawn, from 1 to all of them.
    """
    total = math.comb(right + sum(others) + none, k)
    won = 0.0
    for votes in range(1, min(right, k) + 1):
        # level[j]: ways to draw the rest by their number, j of the others having exactly `votes` too
        level = [[math.comb(none, i) for i in range(k - votes + 1)]]
        for count in others:
            level = _with_choice(level, count, votes, k - votes)
        ways = [part[k - votes] for part in level]
        for j, way in enumerate(ways):
            won += math.comb(right, votes) * way / (total * (j + 1))
    return won


def _with_choice(
    level: Sequence[Sequence[int]], count: int, most: int, left: int
) -> list[list[int]]:
    """Return the ways once another choice, with at most `most` votes of its `count` prompts, is added."""
    added = [[0] * (left + 1) for _ in range(len(level) + 1)]
    for j, ways in enumerate(level):
        for drawn, way in enumerate(ways):
            if way:
                for votes in range(min(count, most, left - drawn) + 1):
                    added[j + (votes == most)][drawn + votes] += way * math.comb(count, votes)
    return added
