"""What is said while a run goes on."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from lawqa.pipelines.evaluation.progress import Progress
from lawqa.runs.result import Result
from lawqa.scoring import Outcome


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


class Still:
    """Stands still until it is moved on."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


OUTCOMES: tuple[Outcome, ...] = ("correct", "correct", "wrong", "unparsed", "truncated", "failed")


def stored(question_id: str, outcome: Outcome, seconds: float | None = None) -> Result:
    return Result(
        question_id=question_id,
        question="問",
        choices=("甲", "乙", "丙", "丁"),
        gold="a",
        label=None,
        outcome=outcome,
        response="",
        answer_by="generate",
        seconds=seconds,
    )


def outcomes() -> Iterator[Result]:
    for outcome in OUTCOMES:
        yield stored("q", outcome)


def test_without_a_terminal_a_plain_line_a_minute() -> None:
    out = io.StringIO()
    clock = Still()
    progress = Progress(40, stream=out, clock=clock)
    for _ in range(3):
        for row in outcomes():
            clock.seconds += 13
            progress.add(row)
    progress.close()
    lines = out.getvalue().splitlines()
    assert lines[0] == (
        "asking: 5 of 40, 40.0% correct so far (11.8% - 76.9%), 2 unparsed, 13 s each, 8 min left"
    )
    assert ", 1 failed, " in lines[1]
    assert 2 <= len(lines) <= 4
    assert "\r" not in out.getvalue()


def in_batches(progress: Progress, clock: Still) -> None:
    """Eight batches of five answers, half a minute each; each batch of prompts half as long as the first."""
    for batch in range(8):
        clock.seconds += 60 if batch == 0 else 30
        for answer in range(5):
            cost = 12.0 if batch == 0 else 6.0
            progress.add(stored(f"q{5 * batch + answer}", "correct", cost))


WORK = {f"q{number}#1": 200.0 if number < 5 else 100.0 for number in range(40)}


def test_the_time_left_goes_by_the_length_of_what_is_left() -> None:
    out, clock = io.StringIO(), Still()
    progress = Progress(
        40, work=WORK.__getitem__, all_work=sum(WORK.values()), stream=out, clock=clock
    )
    in_batches(progress, clock)
    assert [line.split(", ")[-1] for line in out.getvalue().splitlines()] == [
        "0 unparsed", "2 min left", "2 min left", "30 s left",
    ]  # fmt: skip


def test_a_bar_says_nothing_of_the_time_until_it_knows_and_then_the_same_as_the_line() -> None:
    out, clock = Terminal(), Still()
    progress = Progress(
        40, work=WORK.__getitem__, all_work=sum(WORK.values()), stream=out, clock=clock
    )
    in_batches(progress, clock)
    progress.close()
    frames = out.getvalue().split("\r")
    assert all("left" not in frame for frame in frames if "/40" in frame and " 0/40" in frame)
    assert "left" not in next(frame for frame in frames if " 3/40" in frame)
    assert "4 min left" in next(frame for frame in frames if " 5/40" in frame)
    assert "0 s left" in next(frame for frame in frames if " 40/40" in frame)
    assert "?" not in out.getvalue()


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


def test_the_time_left_is_seen_in_eighty_columns() -> None:
    out, clock = Terminal(), Still()
    progress = Progress(
        40, work=WORK.__getitem__, all_work=sum(WORK.values()), stream=out, clock=clock
    )
    in_batches(progress, clock)
    progress.close()
    frame = next(frame for frame in out.getvalue().split("\r") if " 5/40" in frame)
    assert "4 min left, 100.0% right (57-100)" in frame[:80]


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_quiet_says_nothing_at_all(stream: io.StringIO) -> None:
    progress = Progress(6, quiet=True, stream=stream, clock=Still())
    for row in outcomes():
        progress.add(row)
    progress.close()
    assert stream.getvalue() == ""
