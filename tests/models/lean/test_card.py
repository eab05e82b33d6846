"""The GPU is made ready beside the import of torch, and what goes wrong there is torch's to say."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from lawqa.models.lean.card import make_card_ready

CALLS = ("cuInit", "cuDeviceGet", "cuDevicePrimaryCtxRetain")


class Driver:
    """The driver's functions, with what they return; it notes the calls."""

    def __init__(self, **codes: int) -> None:
        self.codes = codes
        self.calls: list[str] = []
        self.devices: list[int] = []

    def __getattr__(self, name: str) -> Any:
        def called(*arguments: Any) -> int:
            self.calls.append(name)
            if name == "cuDeviceGet":
                self.devices.append(arguments[1])
            return self.codes.get(name, 0)

        return called


def ready(driver: Driver) -> Driver:
    make_card_ready(lambda _: driver).join()
    return driver


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)


def test_the_first_card_gets_this_process_s_context() -> None:
    driver = ready(Driver())
    assert driver.calls == [*CALLS]
    assert driver.devices == [0]


def test_of_several_processes_each_takes_the_card_of_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert ready(Driver()).devices == [1]
    monkeypatch.setenv("LOCAL_RANK", "one")
    assert ready(Driver()).calls == []


@pytest.mark.parametrize(("failing", "made"), [("cuInit", 1), ("cuDeviceGet", 2)])
def test_after_an_error_nothing_more_is_asked(
    failing: str, made: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        driver = ready(Driver(**{failing: 100}))
    assert driver.calls == [*CALLS[:made]]
    assert caplog.messages == ["the GPU is left to torch: the driver's error 100"]


def test_a_machine_without_a_driver_is_no_matter(caplog: pytest.LogCaptureFixture) -> None:
    def missing(name: str) -> Any:
        raise OSError(f"{name}: cannot open shared object file")

    with caplog.at_level(logging.DEBUG):
        make_card_ready(missing).join()
    assert caplog.messages == []
