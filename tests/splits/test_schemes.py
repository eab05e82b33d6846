"""Hold-out, k-fold and the lab's split: what they promise, on any questions."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.errors import ConfigError
from lawqa.questions import Question, read_questions
from lawqa.splits import (
    Split,
    class_balance,
    find_groups,
    find_leaks,
    holdout,
    kfold,
    lab_final,
    size_in_questions,
)

pytestmark = pytest.mark.every_python

Craft = Callable[..., Question]


def text(name: object, length: int) -> str:
    source = random.Random(str(name))  # noqa: S311 - a test
    return "".join(chr(source.randrange(0x4E00, 0x9000)) for _ in range(length))


def build(world: Sequence[tuple[int, int, int]]) -> list[Question]:
    """Questions of these (law, gold label, context) numbers; 0 is a context of its own."""
    return [
        Question(
            id=f"{'甲乙丙'[law]}法_{number:03}",
            text=text(f"t{number}", 12),
            choices=(
                text(f"a{number}", 4),
                text(f"b{number}", 4),
                text(f"c{number}", 4),
                text(f"d{number}", 4),
            ),
            gold="abcd"[gold],  # type: ignore[arg-type]
            context=text(f"shared {context}" if context else f"own {number}", 45),
        )
        for number, (law, gold, context) in enumerate(world)
    ]


WORLDS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])),
    min_size=2,
    max_size=40,
)
SINGLES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.just(0)), min_size=8, max_size=60
)


def keys(part: Sequence[Question]) -> set[str]:
    return {question.key for question in part}


def parts(split: Split) -> list[tuple[Question, ...]]:
    return [split.train, split.dev, split.test]


def check_partition(questions: Sequence[Question], split: Split) -> None:
    together = [question.key for part in parts(split) for question in part]
    assert sorted(together) == sorted(question.key for question in questions)
    position = {question.key: index for index, question in enumerate(questions)}
    for part in parts(split):
        assert [position[q.key] for q in part] == sorted(position[q.key] for q in part)
    for group in find_groups(questions):
        members = keys(group.members)
        assert sum(bool(members & keys(part)) for part in parts(split)) == 1
    assert find_leaks(split.train, split.test) == ()
    assert find_leaks(split.dev, split.test) == ()
    assert find_leaks(split.train, split.dev) == ()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(WORLDS, st.integers(1, 39), st.integers(0, 3))
def test_holdout_is_a_partition_of_whole_groups(
    world: list[tuple[int, int, int]], size: int, seed: int
) -> None:
    questions = build(world)
    try:
        split = holdout(questions, test_size=size, seed=seed)
    except ConfigError:
        assert size >= len(questions) or len(find_groups(questions)) < 2
        return
    check_partition(questions, split)
    sizes = [len(group.members) for group in find_groups(questions)]
    sums = {0}
    for one in sizes:
        sums |= {total + one for total in sums}
    nearest = min(abs(total - size) for total in sums if 0 < total < len(questions))
    assert abs(len(split.test) - size) == nearest


@settings(max_examples=40, deadline=None)
@given(WORLDS, st.integers(1, 12), st.integers(1, 12), st.integers(0, 3))
def test_holdout_with_a_dev_part(
    world: list[tuple[int, int, int]], test_size: int, dev_size: int, seed: int
) -> None:
    questions = build(world)
    try:
        split = holdout(questions, test_size=test_size, dev_size=dev_size, seed=seed)
    except ConfigError:
        return
    check_partition(questions, split)
    assert split.dev
    assert split.train
    assert split.test


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(WORLDS, st.integers(2, 7), st.integers(0, 3))
def test_kfold_tests_each_question_once(
    world: list[tuple[int, int, int]], folds: int, seed: int
) -> None:
    questions = build(world)
    groups = find_groups(questions)
    if len(groups) < folds:
        with pytest.raises(ConfigError, match="cannot fill"):
            kfold(questions, folds=folds, seed=seed)
        return
    splits = kfold(questions, folds=folds, seed=seed)
    assert len(splits) == folds
    assert Counter(q.key for split in splits for q in split.test) == Counter(keys(questions))
    for split in splits:
        assert split.test
        assert split.train
        check_partition(questions, split)
    # No fold is larger than an equal share by more than the largest group.
    largest = max(len(group.members) for group in groups)
    sizes = [len(split.test) for split in splits]
    assert max(sizes) <= len(questions) / folds + largest


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SINGLES, st.integers(2, 5), st.integers(0, 3))
def test_kfold_balance_without_groups(
    world: list[tuple[int, int, int]], folds: int, seed: int
) -> None:
    questions = build(world)
    splits = kfold(questions, folds=folds, seed=seed)
    sizes = [len(split.test) for split in splits]
    assert max(sizes) - min(sizes) <= 1
    for feature in (lambda q: q.law, lambda q: q.gold, lambda q: (q.law, q.gold)):
        everywhere = Counter(map(feature, questions))
        for split in splits:
            here = Counter(map(feature, split.test))
            assert all(abs(here[f] - n / folds) < 3 for f, n in everywhere.items())


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SINGLES, st.floats(0.15, 0.85), st.integers(0, 3))
def test_holdout_balance_without_groups(
    world: list[tuple[int, int, int]], share: float, seed: int
) -> None:
    questions = build(world)
    test = holdout(questions, test_size=share, seed=seed).test
    assert len(test) == round(len(questions) * share)
    for feature in (lambda q: q.law, lambda q: q.gold, lambda q: (q.law, q.gold)):
        here = Counter(map(feature, test))
        for f, n in Counter(map(feature, questions)).items():
            assert abs(here[f] - n * len(test) / len(questions)) < 3


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(WORLDS, st.randoms(use_true_random=False), st.integers(0, 3))
def test_the_order_of_the_file_decides_nothing(
    world: list[tuple[int, int, int]], source: random.Random, seed: int
) -> None:
    questions = build(world)
    if len(find_groups(questions)) < 3:
        return
    shuffled = list(questions)
    source.shuffle(shuffled)
    one, other = (holdout(q, test_size=0.3, seed=seed) for q in (questions, shuffled))
    assert keys(one.test) == keys(other.test)
    folds = [[keys(s.test) for s in kfold(q, folds=3, seed=seed)] for q in (questions, shuffled)]
    assert folds[0] == folds[1]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_and_another_another(craft: Craft) -> None:
    questions = [craft(n) for n in range(60)]
    assert holdout(questions, seed=1) == holdout(questions, seed=1)
    assert kfold(questions, seed=1) == kfold(questions, seed=1)
    assert holdout(questions) == holdout(questions, seed=0)
    assert kfold(questions) == kfold(questions, seed=0)
    assert len({frozenset(keys(holdout(questions, seed=s).test)) for s in range(5)}) == 5
    assert len({frozenset(keys(kfold(questions, seed=s)[0].test)) for s in range(5)}) == 5


def test_counts_are_exact_where_groups_allow(craft: Craft) -> None:
    questions = [craft(n, context=craft(n // 3).context) for n in range(30)]  # ten of three
    split = holdout(questions, test_size=12, dev_size=6)
    assert [len(part) for part in parts(split)] == [12, 6, 12]
    assert len(holdout(questions, test_size=10).test) == 9
    assert len(holdout(questions, test_size=11).test) == 12
    two = [craft(n, context=craft(0 if n < 3 else 3).context) for n in range(12)]  # three and nine
    assert len(holdout(two, test_size=11).test) == 9, "twelve would be nearer, but leaves nothing"


def test_large_groups_come_to_the_test_part_too(craft: Craft) -> None:
    # 20 questions in pairs, 20 alone: half of the test part should be of pairs, not only loners.
    questions = [craft(n, context=craft(n // 2).context) for n in range(20)]
    questions += [craft(n) for n in range(100, 120)]
    paired = keys(questions[:20])
    shares = [len(keys(holdout(questions, test_size=10, seed=s).test) & paired) for s in range(8)]
    assert all(4 <= share <= 6 for share in shares)


def test_one_giant_group_does_not_starve_a_fold(craft: Craft) -> None:
    questions = [craft(n, context=craft(0).context) for n in range(10)] + [craft(20), craft(21)]
    assert sorted(len(split.test) for split in kfold(questions, folds=3)) == [1, 1, 10]


def test_kfold_with_a_dev_part(craft: Craft) -> None:
    questions = [craft(n) for n in range(25)]
    for split in kfold(questions, folds=5, dev_size=4):
        assert [len(part) for part in parts(split)] == [16, 4, 5]
        check_partition(questions, split)


@pytest.mark.parametrize("size", [-1, -0.5, 1.5, float("nan"), float("inf"), 0])
def test_sizes_that_mean_nothing(craft: Craft, size: float) -> None:
    with pytest.raises(ConfigError, match="expected a share below 1 or a whole number") as caught:
        holdout([craft(1), craft(2)], test_size=size)
    assert "--test-size" in caught.value.hint


@pytest.mark.parametrize("size", [2, 50, 0.1, 0.9])
def test_sizes_that_leave_a_part_empty(craft: Craft, size: float) -> None:
    with pytest.raises(ConfigError, match="cannot be split so"):
        holdout([craft(1), craft(2)], test_size=size)


def test_what_cannot_be_split(craft: Craft) -> None:
    one_group = [craft(n, context=craft(0).context) for n in range(4)]
    with pytest.raises(ConfigError, match="all belong to one group"):
        holdout(one_group, test_size=0.5)
    with pytest.raises(ConfigError, match="cannot fill 2 folds"):
        kfold(one_group, folds=2)
    with pytest.raises(ConfigError, match="--folds is 1"):
        kfold([craft(1), craft(2)], folds=1)
    with pytest.raises(ConfigError, match="beside the test part"):
        holdout([craft(1), craft(2)], test_size=1, dev_size=1)
    with pytest.raises(ConfigError, match="beside the test part 2 in 2 groups are left, 2 for dev"):
        holdout([craft(1), craft(2), craft(3)], test_size=1, dev_size=2)
    with pytest.raises(ConfigError, match="cannot be split so"):
        holdout([craft(1), craft(2), craft(3)], test_size=1, dev_size=0.01)
    with pytest.raises(ConfigError):
        holdout([])


def test_what_a_size_means(craft: Craft) -> None:
    questions = [craft(n) for n in range(140)]
    assert size_in_questions(40, questions) == 40
    assert size_in_questions(40.0, questions) == 40
    assert size_in_questions(0.3, questions) == 42
    assert size_in_questions(1, questions) == 1


def test_lab_final_is_the_shuffle_of_the_lab(craft: Craft) -> None:
    questions = [craft(n) for n in range(140)]
    shuffled = list(questions)
    random.Random(20251128).shuffle(shuffled)  # noqa: S311 - the lab's own
    split = lab_final(questions)
    assert keys(split.test) == keys(shuffled[:40])
    assert keys(split.train) == keys(shuffled[40:])
    assert split.dev == ()
    # The first of them, so that another Python's shuffle would be noticed.
    assert [questions.index(q) for q in shuffled[:5]] == [100, 39, 11, 87, 122]
    with pytest.raises(ConfigError, match="140 questions"):
        lab_final(questions[:139])
    with pytest.raises(ConfigError, match="140 items of 139 questions"):
        lab_final([*questions[:139], replace(questions[0], order=2)])


def test_class_balance_counts_every_label(craft: Craft) -> None:
    assert class_balance([craft(0), craft(3), craft(1)]) == {
        "乙法": {"a": 0, "b": 1, "c": 0, "d": 0},
        "甲法": {"a": 1, "b": 0, "c": 0, "d": 1},
    }


@pytest.mark.slow
def test_the_140(shared_data: Path) -> None:
    questions = read_questions(shared_data / "lawqa_jp/selection.json")
    split = holdout(questions, test_size=40)
    assert [len(part) for part in parts(split)] == [100, 0, 40]
    assert find_leaks(split.train, split.test) == ()
    for fold in kfold(questions):
        assert len(fold.test) == 28
        assert find_leaks(fold.train, fold.test) == ()
    # Within 2.4 questions of the exact share, for laws, labels and both together (40 seeds looked at).
    for test in [split.test, *(fold.test for fold in kfold(questions))]:
        for feature in (lambda q: q.law, lambda q: q.gold, lambda q: (q.law, q.gold)):
            here = Counter(map(feature, test))
            for f, n in Counter(map(feature, questions)).items():
                assert abs(here[f] - n * len(test) / 140) <= 2.4


def test_the_leaks_of_the_labs_split(shared_data: Path) -> None:
    split = lab_final(read_questions(shared_data / "lawqa_jp/selection.json"))
    leaks = find_leaks(split.train, split.test)
    assert len(leaks) == 16
    assert len({leak.test for leak in leaks}) == 14
