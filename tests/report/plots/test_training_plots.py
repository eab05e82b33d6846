"""Curves of a training: on the page, and as a picture beside the adapter."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.report.plots.training_plots import write_training_plot

pytestmark = [pytest.mark.torch, pytest.mark.plots]


@pytest.mark.slow
def test_the_plot_is_drawn_without_dev_questions_too(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    write_training_plot([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
