"""Where the time of a command goes."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from lawqa.stopwatch import Stopwatch, count_from_process_start, part, watched


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_part_inside_another_is_counted_once() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    clock.now += 0.5
    with watch.measure("asking"):
        clock.now += 2
        with watch.measure("kernels"):
            clock.now += 3
            with watch.measure("imports"):
                clock.now += 1
        clock.now += 4
    with watch.measure("kernels"):
        clock.now += 1
    assert watch.seconds == {"imports": 1, "kernels": 4, "asking": 6}
    assert watch.sentence() == (
        "imports 1.0 s, kernels 4.0 s, asking 6.0 s, the rest 0.5 s; 11.5 s in all"
    )


def test_what_passed_before_it_was_started_is_the_start() -> None:
    clock = Clock()
    watch = Stopwatch(clock, age=1.5)
    clock.now += 2
    assert watch.sentence() == "starting 1.5 s, the rest 2.0 s; 3.5 s in all"


def test_the_process_is_as_old_as_its_interpreter() -> None:
    code = (
        "import time; time.sleep(0.5); from lawqa import stopwatch; print(stopwatch.process_age())"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    whole = time.monotonic() - began
    tick = 0.02  # the kernel says when a process began in hundredths of a second
    least = 0.5 if sys.platform == "linux" else 0.0  # elsewhere sleep is not seen
    assert least - tick <= float(done.stdout) <= whole + tick


def test_only_the_command_of_a_process_counts_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lawqa.stopwatch._is_command", False)
    with watched() as library:
        pass
    assert library.seconds == {}
    count_from_process_start()
    with watched() as command:
        pass
    assert command.seconds["starting"] > 0
    assert command.whole() >= command.seconds["starting"]


def test_a_part_that_fails_is_counted_and_the_error_passes() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    def fail() -> None:
        with watch.measure("weights"):
            clock.now += 2
            raise ValueError("half a file")

    with pytest.raises(ValueError, match="half a file"):
        fail()
    with watch.measure("asking"):
        clock.now += 1
    assert watch.seconds == {"weights": 2, "asking": 1}


def test_parts_count_only_into_the_watch_that_runs() -> None:
    with part("asking"):
        pass
    with watched() as outer:
        with part("reading"):
            pass
        with watched() as inner, part("kernels"):
            pass
    with part("imports"):
        pass
    assert set(outer.seconds) == {"reading"}
    assert set(inner.seconds) == {"kernels"}
