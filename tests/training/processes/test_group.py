"""Processes of one training that find each other, or do not."""

from __future__ import annotations

import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest
from torch import distributed

from lawqa.errors import ConfigError
from lawqa.training.processes.group import form_group

pytestmark = pytest.mark.torch


def joined(processes: int, after: float = 0.0) -> Any:
    def join() -> Any:
        time.sleep(after)
        return SimpleNamespace(world_size=processes)

    return join


def test_one_process_joins_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert form_group(joined(1)).world_size == 1


def test_a_process_that_waits_says_for_whom(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    with caplog.at_level(logging.WARNING):
        form_group(joined(2, after=0.3), quiet_seconds=0.05)
    assert "process 1 waits at 10.0.0.1:29500 for the other processes" in caplog.text
    assert "unset WORLD_SIZE" in caplog.text


def test_processes_that_do_not_come_are_an_error_of_the_launch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")

    def join() -> Any:
        raise distributed.DistStoreError("Timed out after 1801 seconds waiting for clients")

    with pytest.raises(ConfigError, match="did not come together: Timed out") as caught:
        form_group(join)
    assert "torchrun" in (caught.value.hint or "")


def test_a_process_left_alone_does_not_train_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="WORLD_SIZE is 2, but 1 of the processes"):
        form_group(joined(1))
