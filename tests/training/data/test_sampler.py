"""The order in which records are trained on, the same for any number of processes."""

from __future__ import annotations

from itertools import chain

import pytest

from lawqa.training.data.sampler import StepSampler

pytestmark = pytest.mark.torch


def steps(process: int = 0, processes: int = 1, **changes: int) -> list[list[int]]:
    options = {"records": 13, "records_per_step": 4, "seed": 0, **changes}
    return list(StepSampler(**options, process=process, processes=processes))


def test_every_record_is_in_one_step_and_steps_are_of_about_one_size() -> None:
    assert sorted(chain(*steps())) == list(range(13))
    assert sorted(map(len, steps())) == [3, 3, 3, 4]
    assert [len(step) for step in steps(records=8)] == [4, 4]
    assert [len(step) for step in steps(records=3)] == [3]


def test_the_shares_of_several_processes_make_up_the_step_of_one() -> None:
    dealt = zip(*(steps(process, 3) for process in range(3)), strict=True)
    for whole, shares in zip(steps(), dealt, strict=True):
        assert sorted(chain(*shares)) == sorted(whole)
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
        assert all(shares)


def test_another_epoch_or_seed_is_another_order_and_the_same_is_the_same() -> None:
    sampler = StepSampler(13, 4, 0)
    first = list(sampler)
    sampler.epoch = 1
    assert list(sampler) != first
    sampler.epoch = 0
    assert list(sampler) == first
    assert steps(seed=1) != first
