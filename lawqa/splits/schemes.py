"""The ways to split: hold-out, k-fold, and the lab's own fixed split."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from lawqa.amounts import counted, part_of_whole
from lawqa.choices import LABELS, Label
from lawqa.errors import ConfigError
from lawqa.questions import Question
from lawqa.settings import Scheme
from lawqa.splits.groups import Group, find_groups
from lawqa.splits.stratify import deal, pick

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)

DEFAULT_TEST_SIZE = 0.3
DEFAULT_FOLDS = 5
LAB_SEED, LAB_TEST, LAB_TRAIN = 20251128, 40, 100


@dataclass(frozen=True)
class Split:
    """Questions to learn from and questions to be measured on."""

    train: tuple[Question, ...]
    """To learn from, in file order."""
    test: tuple[Question, ...]
    """To be measured on, once, in file order."""
    dev: tuple[Question, ...] = ()
    """To choose settings and the moment to stop by, in file order; empty where none was asked for."""


def holdout(
    questions: Sequence[Question],
    *,
    test_size: float = DEFAULT_TEST_SIZE,
    dev_size: float = 0,
    seed: int = 0,
    groups: Sequence[Group] | None = None,
) -> Split:
    """Split off a test part, and a dev part if asked, that mirror laws and gold labels; no group is cut.

    The parts hold the same questions whatever the order of the file.

    Args:
        questions: all questions.
        test_size: how many questions to hold out: a share below 1, or a count.
        dev_size: the same for the dev part; 0 for none.
        seed: decides which groups are held out.
        groups: `find_groups(questions)` where it is known already.

    Raises:
        ConfigError: a size is no share or count, or a part would be empty.
    """
    groups = find_groups(questions) if groups is None else groups
    test_count = size_in_questions(test_size, questions, "--test-size")
    dev_count = size_in_questions(dev_size, questions, "--dev-size") if dev_size else 0
    if len(groups) < 2:
        raise _no_room(questions, "all belong to one group")
    test = pick(groups, test_count, seed)
    dev = _dev(questions, _without(groups, test), dev_count, seed)
    return _split(questions, test, dev)


def kfold(
    questions: Sequence[Question],
    *,
    folds: int = DEFAULT_FOLDS,
    dev_size: float = 0,
    seed: int = 0,
    groups: Sequence[Group] | None = None,
) -> tuple[Split, ...]:
    """Return as many splits as folds, in which each question is tested on exactly once; no group is cut.

    Args:
        questions: all questions.
        folds: how many, 2 or more.
        dev_size: questions of each fold's training part to set aside: a share of all below 1, or a count.
        seed: decides which groups come into which fold.
        groups: `find_groups(questions)` where it is known already.

    Raises:
        ConfigError: there are fewer groups than folds, or a part would be empty.
    """
    groups = find_groups(questions) if groups is None else groups
    if folds < 2:
        raise ConfigError(f"--folds is {folds}, expected 2 or more", f"--folds {DEFAULT_FOLDS}")
    if len(groups) < folds:
        raise ConfigError(
            f"{len(questions)} questions in {len(groups)} groups cannot fill {folds} folds",
            f"--folds {len(groups)} or fewer; a group is never divided"
            if len(groups) > 1
            else "all questions belong to one group, so nothing can be held out",
        )
    dev_count = size_in_questions(dev_size, questions, "--dev-size") if dev_size else 0
    splits = []
    for test in deal(groups, folds, seed):
        dev = _dev(questions, _without(groups, test), dev_count, seed)
        splits.append(_split(questions, test, dev))
    return tuple(splits)


def lab_final(questions: Sequence[Question]) -> Split:
    """Return the lab's fixed split, kept so that its figures can be compared; it cuts groups.

    Python's `random.shuffle` with seed 20251128 over the file's order; the first 40 are the test part, the
    next 100 the training part. What it holds depends on the order of the file.

    Raises:
        ConfigError: there are not exactly 140 questions, each once.
    """
    expected = LAB_TEST + LAB_TRAIN
    if len(questions) != expected or len({question.id for question in questions}) != expected:
        raise ConfigError(
            f"the lab's split is of {expected} questions in one order each, found {len(questions)} "
            f"items of {len({question.id for question in questions})} questions",
            "--input selection.json of lawqa_jp; or --scheme holdout",
        )
    positions = list(range(expected))
    random.Random(LAB_SEED).shuffle(positions)  # noqa: S311 - the lab's own split, not a secret
    test = set(positions[:LAB_TEST])
    return Split(
        train=tuple(q for index, q in enumerate(questions) if index not in test),
        test=tuple(q for index, q in enumerate(questions) if index in test),
    )


def size_in_questions(size: float, questions: Sequence[Question], flag: str = "the size") -> int:
    """Return how many questions a share below 1, or a count, means.

    Raises:
        ConfigError: it is neither, or none or all of the questions; the message names `flag`.
    """
    if math.isfinite(size) and size > 0 and (size < 1 or size == int(size)):
        count = part_of_whole(size, len(questions))
        if 0 < count < len(questions):
            return count
        raise _no_room(questions, f"{flag} {size:g} is {count} of them")
    raise ConfigError(
        f"{flag} is {size:g}, expected a share below 1 or a whole number of questions",
        f"{flag} 0.2  or  {flag} 20",
    )


def class_balance(questions: Iterable[Question]) -> dict[str, dict[Label, int]]:
    """Return how many questions of each law have each gold label; laws in alphabetical order, no label left
    out.
    """
    counts = Counter((question.law, question.gold) for question in questions)
    laws = sorted({law for law, _ in counts})
    return {law: {label: counts[law, label] for label in LABELS} for law in laws}


def _dev(
    questions: Sequence[Question], rest: Sequence[Group], count: int, seed: int
) -> list[Group]:
    """Return the dev part, out of what the test part has left."""
    if not count:
        return []
    left = sum(len(group.members) for group in rest)
    if len(rest) < 2 or count >= left:
        raise _no_room(
            questions,
            f"beside the test part {left} in {len(rest)} groups are left, {count} for dev",
        )
    return pick(rest, count, seed)


def _no_room(questions: Sequence[Question], reason: str) -> ConfigError:
    return ConfigError(
        f"{counted(len(questions), 'question')} cannot be split so: {reason}",
        "every part needs at least one whole group; give more questions or other sizes",
    )


def _without(groups: Sequence[Group], taken: Sequence[Group]) -> list[Group]:
    names = {group.name for group in taken}
    return [group for group in groups if group.name not in names]


def _split(questions: Sequence[Question], test: Sequence[Group], dev: Sequence[Group]) -> Split:
    place = {q.key: "test" for group in test for q in group.members}
    place |= {q.key: "dev" for group in dev for q in group.members}
    parts: dict[str, list[Question]] = {"train": [], "dev": [], "test": []}
    for question in questions:
        parts[place.get(question.key, "train")].append(question)
    return Split(*(tuple(parts[name]) for name in ("train", "test", "dev")))
