"""How fast a model reads and writes: measured on a few prompts, corrected by every rung that is done."""

from __future__ import annotations

import pytest

from lawqa.pipelines.experiments.ladder.pace import Load, Pace, Span


@pytest.mark.parametrize("failing", [True, False])
def test_a_pace_that_is_not_known_forecasts_nothing(failing: bool) -> None:
    pace = Pace(read=10.0, written=None if failing else 5.0)
    assert pace.seconds(Load(20.0, 0.0)) == Span(2.0, 2.5 * 2.0 + 2.0)
    expected = None if failing else Span(2.0 + 0.25 * 20, 2.5 * (2.0 + 20) + 2.0)
    assert pace.seconds(Load(20.0, 100.0)) == expected
    done = pace.after(Load(20.0, 100.0), tokens=50, seconds=27.0)
    assert done.seconds(Load(20.0, 100.0)) == Span(2.0 + 0.25 * 50, 2.5 * (2.0 + 50.0) + 2.0)
