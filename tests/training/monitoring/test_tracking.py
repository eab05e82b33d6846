"""Trackers at work: transformers' own callbacks, which get figures and nothing else."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerState

from lawqa.training.monitoring.tracking import FiguresOnly

pytestmark = pytest.mark.torch


def test_wandbs_run_is_ended_so_that_the_next_training_gets_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wandb.py").write_text("ended = []\ndef finish(): ended.append(1)\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    importlib.invalidate_caches()

    class Inner:
        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: None

    tracker = FiguresOnly("wandb", Inner(), print)
    tracker.close()
    assert "wandb" not in sys.modules  # no run was begun
    tracker.on_train_begin(None, TrainerState(), None)
    tracker.on_train_end(None, TrainerState(), None)
    tracker.close()
    assert sys.modules["wandb"].ended == [1]
    monkeypatch.delitem(sys.modules, "wandb")
