"""What is lost in the modes that a training did not teach is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lawqa.pipelines.adapters.modes import ModeFigures, ProbedMode, modes_text

SOUND = ModeFigures(texts=8, opened=8, closed=8, unparsed=1, cut=0, correct=3, median_tokens=300.0)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"closed": 7, "unparsed": 2, "median_tokens": 200.0}, None),
        ({"opened": 4, "closed": 4}, "texts with a think block 8 -> 4"),
        ({"closed": 3}, "think blocks that end 8 -> 3"),
        ({"unparsed": 3}, "texts without an answer 1 -> 3"),
        ({"median_tokens": 9.0}, "median length 300 -> 9 tokens"),
    ],
)
def test_what_is_lost_is_named_in_modes_that_were_not_trained(
    changed: dict[str, Any], told: str | None
) -> None:
    mode = ProbedMode("direct-closed-thinking-v1", False, SOUND, replace(SOUND, **changed))
    if told is None:
        assert mode.warning is None
    else:
        assert told in str(mode.warning)
        assert f"! MODE LOST: {mode.warning}" in modes_text([mode])
    assert replace(mode, trained=True).warning is None
    assert ProbedMode.from_json(json.loads(json.dumps(mode.to_json()))) == mode
