"""The log of a training, as it is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.training.monitoring.log import read_log

pytestmark = [pytest.mark.torch, pytest.mark.plots]


def test_a_line_that_was_not_finished_ends_the_log(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"step": 1, "loss": 2.0}\n{"step": 2, "lo', encoding="utf-8"
    )
    assert read_log(tmp_path) == [{"step": 1, "loss": 2.0}]
    assert read_log(tmp_path / "nowhere") == []
