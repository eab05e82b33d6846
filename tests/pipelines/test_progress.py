"""What is said while a run goes on."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from lawqa.pipelines.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Each look at it is half a minute later."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 10
        return self.seconds


def outcomes() -> Iterator[dict[str, str]]:
    for outcome in ("correct", "correct", "wrong", "unparsed", "truncated", "failed"):
        yield {"outcome": outcome}


def test_without_a_terminal_a_plain_line_a_minute() -> None:
    out = io.StringIO()
    progress = Progress(40, stream=out, clock=Clock())
    for _ in range(3):
        for row in outcomes():
            progress.add(row)
    progress.close()
    lines = out.getvalue().splitlines()
    assert lines[0] == (
        "asking: 6 of 40, 33.3% correct so far (9.7% - 70.0%), 2 unparsed, 1 failed, 13 s each, 8 min left"
    )
    assert 2 <= len(lines) <= 4
    assert "\r" not in out.getvalue()


def test_a_short_run_without_a_terminal_says_nothing() -> None:
    out = io.StringIO()
    progress = Progress(6, stream=out)
    for row in outcomes():
        progress.add(row)
    progress.close()
    assert out.getvalue() == ""


def test_on_a_terminal_a_bar_tells_how_good_the_answers_are() -> None:
    out = Terminal()
    progress = Progress(6, stream=out)
    for row in outcomes():
        progress.add(row)
    progress.close()
    assert "asking" in out.getvalue()
    assert "/6" in out.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_quiet_says_nothing_at_all(stream: io.StringIO) -> None:
    progress = Progress(6, quiet=True, stream=stream, clock=Clock())
    for row in outcomes():
        progress.add(row)
    progress.close()
    assert stream.getvalue() == ""
