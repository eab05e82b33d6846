"""Whole groups dealt into parts that mirror laws and gold labels.

Stratifying with groups that cannot be cut is a packing problem without an exact answer, so this is greedy:
each step takes the choice that brings the counts nearest to their shares (squared distance), over laws, gold
labels, both together, and how many questions are in groups at all. After Sechidis, Tsoumakas and Vlahavas,
On the stratification of multi-label data, ECML PKDD 2011, whose labels are these counts. All arithmetic is
in whole numbers, so every machine takes the same steps.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from fractions import Fraction

from lawqa.amounts import counted
from lawqa.splits.groups import Group

Feature = tuple[str, ...]
Profile = tuple[tuple[Feature, int], ...]
"""How many questions of a group have each feature, sorted."""

WINDOW = 8
"""Groups compared at a step, so that the seed decides which are seen and the counts which is taken.

Comparing all of them takes the same groups for almost any seed (62% of the test part in common between two
seeds on the 140 questions, 29% by pure chance); with 8 it is 40%, the balance as good.
"""

FINISH = 8
"""For the last N questions all groups are compared: they even out what the others left."""


def pick(groups: Sequence[Group], target: int, seed: int) -> list[Group]:
    """Return groups with `target` questions together that mirror all of them.

    Where no set of whole groups has exactly that many, it is the nearest number that one has, the lower of
    two; but never none and never all.

    Args:
        groups: by name, two or more.
        target: how many questions.
        seed: decides which groups represent the others.
    """
    sizes = Counter(len(group.members) for group in groups)
    total = sum(len(group.members) for group in groups)
    left = _nearest(sizes, target, total)
    missing = _shares(groups, left)
    waiting = deque((_profile(group), group) for group in _shuffled(groups, seed))
    chosen: list[Group] = []
    while left:
        window = len(waiting) if left <= FINISH else WINDOW
        candidates = _take(waiting, sizes, left, window)
        # Per question, for otherwise large groups would always win.
        best = max(
            candidates, key=lambda c: Fraction(_gain(c[0], missing, total), len(c[1].members))
        )
        candidates.remove(best)
        waiting.extend(candidates)
        profile, group = best
        chosen.append(group)
        for feature, count in profile:
            missing[feature] -= total * count
        sizes -= Counter([len(group.members)])
        left -= len(group.members)
    return chosen


def _take(
    waiting: deque[tuple[Profile, Group]], sizes: Counter[int], left: int, most: int
) -> list[tuple[Profile, Group]]:
    """Take the first groups out of the queue after which the rest can still be filled exactly.

    The others that were passed go to its end.
    """
    fits: dict[int, bool] = {}
    taken: list[tuple[Profile, Group]] = []
    for _ in range(len(waiting)):
        entry = waiting.popleft()
        size = len(entry[1].members)
        if size not in fits:
            fits[size] = _fills(sizes - Counter([size]), left - size)
        (taken if fits[size] else waiting).append(entry)
        if len(taken) == most:
            break
    return taken


def deal(groups: Sequence[Group], parts: int, seed: int) -> list[list[Group]]:
    """Return all groups dealt into parts of the same size and mixture, none of them empty.

    Large groups go first, while every part has room for them. With groups of one question only, sizes
    differ by one at most.

    Args:
        groups: by name; at least as many as parts.
        parts: how many.
        seed: decides between groups that serve as well.
    """
    total = sum(len(group.members) for group in groups)
    room = [total // parts + (index < total % parts) for index in range(parts)]
    # All parts are to hold the same, so how far each is below the others decides, and not the share itself.
    missing: list[Counter[Feature]] = [Counter() for _ in range(parts)]
    dealt: list[list[Group]] = [[] for _ in range(parts)]
    profiled = [(_profile(group), group) for group in _shuffled(groups, seed)]
    # The same features one after another: each part then gets its share of them in turn.
    turn: dict[Profile, int] = {}
    for profile, _ in profiled:
        turn.setdefault(profile, len(turn))
    ordered = sorted(profiled, key=lambda entry: (-len(entry[1].members), turn[entry[0]]))
    for number, (profile, group) in enumerate(ordered):
        size = len(group.members)
        empty = [part for part in range(parts) if not dealt[part]]
        if len(ordered) - number == len(empty):
            open_parts = empty
        else:
            open_parts = [part for part in range(parts) if room[part] >= size]
        if not open_parts:
            open_parts = [part for part in range(parts) if room[part] == max(room)]
        best = max(open_parts, key=lambda part: (_gain(profile, missing[part], 1), -part))
        dealt[best].append(group)
        room[best] -= size
        for feature, count in profile:
            missing[best][feature] -= count
    return dealt


def _shuffled(groups: Sequence[Group], seed: int) -> list[Group]:
    shuffled = list(groups)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a split needs to be repeatable, not secret
    return shuffled


def _profile(group: Group) -> Profile:
    counts: Counter[Feature] = Counter()
    for question in group.members:
        cell = (question.law, question.gold)
        counts.update([("all",), ("law", question.law), ("gold", question.gold), ("cell", *cell)])
        if len(group.members) > 1:
            counts[("grouped",)] += 1
    return tuple(sorted(counts.items()))


def _shares(groups: Sequence[Group], target: int) -> dict[Feature, int]:
    """Return what a part with `target` of N questions should hold of each feature, times N."""
    counts: Counter[Feature] = Counter()
    for group in groups:
        counts.update(dict(_profile(group)))
    return {feature: target * count for feature, count in counts.items()}


def _gain(profile: Profile, missing: dict[Feature, int], unit: int) -> int:
    """Return how much nearer this group brings a part to its shares, in squared questions times unit²."""
    return sum(unit * n * (2 * missing[feature] - unit * n) for feature, n in profile)


def _sums(sizes: Counter[int], most: int) -> int:
    """Return all sums up to `most` that some of these sizes have, as the bits that are set."""
    sums, mask = 1, (1 << (most + 1)) - 1
    for size, count in sizes.items():
        step = 1
        while count > 0:  # binary splitting: 1, 2, 4, … copies at a time
            taken = min(step, count)
            sums |= sums << (size * taken) & mask
            count -= taken
            step *= 2
    return sums


def _nearest(sizes: Counter[int], target: int, total: int) -> int:
    """Return the sum of some sizes nearest to the target that is neither nothing nor everything."""
    sums = _sums(sizes, total)
    for distance in range(total):
        for candidate in (target - distance, target + distance):
            if 0 < candidate < total and sums >> candidate & 1:
                return candidate
    raise ValueError(f"no group can be taken of {counted(total, 'question')} without taking all")


def _fills(sizes: Counter[int], rest: int) -> bool:
    """Return whether some of these sizes add up to the rest."""
    if rest <= 0 or not sizes:
        return rest == 0
    smallest = min(sizes)
    if rest % smallest == 0 and rest <= smallest * sizes[smallest]:
        return True  # mostly so: there are groups enough of the smallest size
    return bool(_sums(sizes, rest) >> rest & 1)
