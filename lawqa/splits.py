"""Hold-out splits that keep questions with the same context together.

Stratified by law and gold label, deterministic for a seed. Knows nothing about files.
"""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.errors import ConfigError
from lawqa.questions import Question


@dataclass(frozen=True)
class Split:
    """Questions to learn from and questions to be measured on; no group stands in both."""

    train: tuple[Question, ...]
    """In file order."""
    test: tuple[Question, ...]
    """In file order."""


def group(questions: Sequence[Question]) -> tuple[tuple[Question, ...], ...]:
    """Sets of questions that must stay together: same id, or same context but for white space and width.

    Returns:
        Groups in the order in which their first question stands.
    """
    owner: dict[str, int] = {}
    groups: list[list[Question]] = []
    for question in questions:
        keys = [f"id:{question.id}"]
        if context := "".join(unicodedata.normalize("NFKC", question.context).split()):
            keys.append(f"context:{context}")
        found = sorted({owner[key] for key in keys if key in owner})
        target = found[0] if found else len(groups)
        if not found:
            groups.append([])
        for merged in found[1:]:
            groups[target].extend(groups[merged])
            groups[merged] = []
            owner = {key: target if index == merged else index for key, index in owner.items()}
        groups[target].append(question)
        owner.update(dict.fromkeys(keys, target))
    return tuple(tuple(members) for members in groups if members)


def holdout(questions: Sequence[Question], *, test_size: float = 0.3, seed: int = 0) -> Split:
    """Split off a test part that mirrors laws and gold labels as far as whole groups allow.

    Args:
        questions: all questions.
        test_size: share of the questions to hold out, between 0 and 1.
        seed: decides which groups are held out.

    Raises:
        ConfigError: either part would be empty.
    """
    target = round(len(questions) * test_size)
    need = _quota(Counter(map(_stratum, questions)), target)
    shuffled = sorted(group(questions), key=lambda members: members[0].key)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a split needs to be repeatable, not secret
    # Large groups first: they fit while many places are open; the sort is stable, so the seed decides.
    shuffled.sort(key=len, reverse=True)
    chosen: set[str] = set()
    held_out = 0
    for spare in (0, 1):  # a second round takes one more of a stratum where quotas left places open
        for members in shuffled:
            wanted = Counter(map(_stratum, members))
            fits = all(need[stratum] + spare >= count for stratum, count in wanted.items())
            if fits and members[0].key not in chosen and held_out + len(members) <= target:
                need.subtract(wanted)
                held_out += len(members)
                chosen.update(question.key for question in members)
    test = tuple(question for question in questions if question.key in chosen)
    train = tuple(question for question in questions if question.key not in chosen)
    if not train or not test:
        raise ConfigError(
            f"{len(questions)} questions cannot be split with {test_size:.0%} held out",
            "give more questions or another share",
        )
    return Split(train, test)


def _stratum(question: Question) -> tuple[str, str]:
    return question.law, question.gold


def _quota(sizes: Counter[tuple[str, str]], total: int) -> Counter[tuple[str, str]]:
    """Places per stratum, in proportion, adding up to total (largest remainders)."""
    everything = sum(sizes.values())
    shares = {stratum: total * size / max(everything, 1) for stratum, size in sizes.items()}
    quota = Counter({stratum: int(share) for stratum, share in shares.items()})
    by_remainder = sorted(shares, key=lambda stratum: (quota[stratum] - shares[stratum], stratum))
    for stratum in by_remainder[: total - sum(quota.values())]:
        quota[stratum] += 1
    return quota
