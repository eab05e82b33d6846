"""Where the time of a command goes."""

from __future__ import annotations

import pytest

from lawqa.stopwatch import Stopwatch, part, watched


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
