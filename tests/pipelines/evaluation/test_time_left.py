"""How long the rest takes: batches, long prompts first, start-up, servers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lawqa.pipelines.evaluation.time_left import FEWEST_TIMED, TimeLeft


class Clock:
    """Stands still until it is moved on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def said(
    batches: Sequence[Sequence[float]], pace: float = 1.0, start_up: float = 0.0
) -> list[tuple[float | None, float]]:
    """After each answer of a run in batches what is said to be left, and what is."""
    clock = Clock()
    left = TimeLeft(sum(map(sum, batches)), clock)
    clock.seconds += start_up
    found = []
    for number, batch in enumerate(batches):
        clock.seconds += pace * sum(batch)
        rest = pace * sum(map(sum, batches[number + 1 :]))
        for work in batch:
            left.add(work, pace * sum(batch) / len(batch))
            found.append((left.seconds(), rest))
    return found


def test_nothing_is_said_before_there_is_something_to_judge_by() -> None:
    assert [left for left, _ in said([[5.0] * 2, [5.0] * 6])][: FEWEST_TIMED - 1] == [None] * 3
    assert TimeLeft(9, Clock()).seconds() is None


def test_it_is_near_from_the_first_batch_on_though_long_prompts_come_first() -> None:
    lengths = [500.0 - 3 * n for n in range(140)]
    batches = [lengths[start : start + 7] for start in range(0, 140, 7)]
    found = said(batches, pace=0.01)
    for answer, (left, rest) in enumerate(found):
        if left is not None:
            first = (
                answer < 7
            )  # a batch that is not known to be whole counts as what is still to come
            assert left == pytest.approx(rest, rel=0.1 if first else 0.03, abs=3.0), answer
    assert found[-1][0] == 0


def test_the_first_answer_of_a_burst_counts_what_its_mates_have_cost() -> None:
    found = said([[10.0] * 5] * 4)
    assert found[5][0] == pytest.approx(found[9][0], abs=0.01)
    assert found[5] == (pytest.approx(100), 100)


def test_start_up_is_not_part_of_the_pace() -> None:
    slow = [left for left, _ in said([[10.0] * 5] * 4, start_up=500)]
    assert slow == pytest.approx([left for left, _ in said([[10.0] * 5] * 4)])


def test_answers_under_way_at_once_share_the_time() -> None:
    clock = Clock()
    left = TimeLeft(40, clock)
    for answer in range(8):  # four at a time, each taking 20 seconds
        clock.seconds += 20 if answer % 4 == 0 else 0
        left.add(1, 20.0)
    assert left.seconds() == pytest.approx(32 * 5)


def test_where_nobody_says_what_an_answer_cost_the_clock_decides() -> None:
    clock = Clock()
    left = TimeLeft(10, clock)
    for _ in range(5):
        clock.seconds += 6
        left.add(1, None)
    assert left.seconds() == pytest.approx(30)


def test_less_than_nothing_is_never_left() -> None:
    clock = Clock()
    left = TimeLeft(6, clock)
    for _ in range(5):
        clock.seconds += 1
        left.add(1, 1.0)
    clock.seconds += 100
    left.add(0.5, 1.0)
    assert left.seconds() == 0
