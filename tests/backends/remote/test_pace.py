"""How many requests are in flight follows how fast the server answers."""

from __future__ import annotations

import pytest

from lawqa.backends.remote.pace import RequestPace


class Server:
    """Answers a second: as many as are asked at once, up to what it can do at once."""

    def __init__(self, can: int) -> None:
        self.now, self._can = 0.0, can

    def clock(self) -> float:
        return self.now

    def answer(self, pace: RequestPace, answers: int) -> list[int]:
        limits = []
        for _ in range(answers):
            self.now += 1 / min(pace.limit, self._can)
            pace.answered()
            limits.append(pace.limit)
        return limits


@pytest.mark.parametrize(
    ("can", "most", "expected"),
    [
        (1, 64, {4}),  # it answers one after the other, so more at a time would only wait
        (32, 64, {32}),
        (1000, 64, {64}),
        (1000, 4, {4}),
        (1000, 5, {5}),
        (6, 64, {8}),
    ],
)
def test_as_many_are_in_flight_as_make_the_server_faster(
    can: int, most: int, expected: set[int]
) -> None:
    server = Server(can)
    limits = server.answer(pace := RequestPace(4, most, server.clock), 2000)
    assert {pace.limit, *limits[-500:]} == expected
    assert max(limits) <= most


def test_a_busy_server_gets_half_once_for_all_that_fail_together_and_is_tried_again() -> None:
    server = Server(1000)
    server.answer(pace := RequestPace(4, 64, server.clock), 2000)
    for _ in range(64):
        pace.troubled()
    assert pace.limit == 32
    server.answer(pace, 1)
    pace.troubled()
    assert pace.limit == 16
    server.answer(pace, 2000)
    assert pace.limit == 64


def test_a_number_that_was_given_stays() -> None:
    pace = RequestPace(4, 4)
    pace.troubled()
    assert pace.limit == 4


def test_one_request_at_a_time_is_the_least() -> None:
    server = Server(1)
    pace = RequestPace(1, 8, server.clock)
    for _ in range(5):
        pace.troubled()
        server.answer(pace, 1)
    assert pace.limit == 1
