"""The learning rate, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from lawqa.training.schedule import rate_at

pytestmark = [pytest.mark.torch, pytest.mark.plots]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("cosine", [0.5, 1.0, 0.75, 0.25]), ("linear", [0.5, 1.0, 2 / 3, 1 / 3]), ("constant", [0.5, 1, 1, 1])],
)  # fmt: skip
def test_schedules_after_the_warm_up(schedule: Any, expected: list[float]) -> None:
    assert [rate_at(step, 1, 4, schedule) for step in range(4)] == pytest.approx(expected)


def test_the_rate_rises_to_its_highest_and_falls_and_is_never_zero() -> None:
    rates = [rate_at(step, 2, 10) for step in range(10)]
    assert rates[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert min(rates) > 0
    assert rate_at(0, 0, 1) == 1.0
