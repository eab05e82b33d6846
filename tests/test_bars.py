"""How far something long is: on a terminal, elsewhere, and in the log file."""

from __future__ import annotations

import fcntl
import io
import logging
import os
import struct
import sys
import termios
from types import SimpleNamespace

import pytest

from lawqa.bars import NOTEBOOK_COLUMNS, Bar, Parts, draws_bars, duration, pace

pytestmark = pytest.mark.every_python


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


class Clock:
    """Each look at it is N seconds later."""

    def __init__(self, step: float) -> None:
        self.seconds, self.step = 0.0, step

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


def counted(
    total: int | None, stream: io.StringIO, *, step: float = 20, quiet: bool = False
) -> None:
    with Bar("parsing", "laws", total, quiet=quiet, stream=stream, clock=Clock(step)) as bar:
        assert list(bar.over(range(9))) == list(range(9))


def test_without_a_terminal_a_plain_line_a_minute_with_rate_and_time_left() -> None:
    out = io.StringIO()
    counted(100, out)
    assert out.getvalue().splitlines() == [
        "parsing: 3 of 100 laws, 33 s each, 54 min left",
        "parsing: 5 of 100 laws, 36 s each, 57 min left",
        "parsing: 7 of 100 laws, 37 s each, 58 min left",
        "parsing: 9 of 100 laws, 38 s each, 57 min left",
    ]


def test_where_nobody_knows_how_many_there_are_no_time_is_left() -> None:
    out = io.StringIO()
    counted(None, out)
    assert out.getvalue().startswith("parsing: 3 laws, 33 s each\n")


def test_what_is_soon_over_says_nothing() -> None:
    out = io.StringIO()
    counted(9, out, step=1)
    assert out.getvalue() == ""


def test_what_was_done_before_does_not_count_as_fast() -> None:
    out = io.StringIO()
    with Bar("parsing", "laws", 100, done=90, stream=out, clock=Clock(30)) as bar:
        bar.add(2)
        bar.add(2)
    assert out.getvalue() == "parsing: 94 of 100 laws, 30 s each, 3 min left\n"


def test_on_a_terminal_a_bar_that_goes_away() -> None:
    out = Terminal()
    counted(9, out)
    assert "parsing" in out.getvalue()
    assert "0/9" in out.getvalue()
    assert out.getvalue().endswith("\r")
    assert "left" not in out.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_quiet_shows_nothing(stream: io.StringIO) -> None:
    counted(100, stream, quiet=True)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("stream", "quiet"), [(io.StringIO(), False), (Terminal(), False), (io.StringIO(), True)]
)
def test_a_log_file_gets_its_lines_whatever_is_shown(
    stream: io.StringIO, quiet: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lawqa")
    counted(100, stream, quiet=quiet)
    assert caplog.messages[0] == "parsing: 3 of 100 laws, 33 s each, 54 min left"
    assert all(record.__dict__["file_only"] for record in caplog.records)


def test_after_each_part_the_time_of_the_others_is_told() -> None:
    said: list[str] = []
    parts = Parts("trainings", 3, said.append, Clock(600))
    for _ in range(3):
        parts.add()
    assert said == [
        "1 of 3 trainings, 10 min each, 20 min left",
        "2 of 3 trainings, 10 min each, 10 min left",
    ]


def test_rates_and_times_are_said_as_people_say_them() -> None:
    assert [pace(rate, "laws") for rate in (1234.5, 1, 0.25)] == [
        "1,234.5 laws/s", "1.0 laws/s", "4 s each",
    ]  # fmt: skip
    assert [duration(s) for s in (0, 89, 91, 7000, 7300, 90000)] == [
        "0 s", "89 s", "2 min", "117 min", "2 h 2 min", "25 h 0 min",
    ]  # fmt: skip


class Cell(io.StringIO):
    """A stream like that of a notebook's kernel, which is no terminal."""


Cell.__module__ = "ipykernel.iostream"


def test_a_notebook_without_widgets_has_a_bar_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lawqa.bars.find_spec", lambda _: None)
    monkeypatch.delenv("COLUMNS")
    out = Cell()
    counted(9, out)
    assert "0/9" in out.getvalue()
    assert max(map(len, out.getvalue().split("\r"))) == NOTEBOOK_COLUMNS
    counted(9, quiet := Cell(), quiet=True)
    assert quiet.getvalue() == ""


def test_a_notebook_with_widgets_has_a_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[dict[str, object]] = []

    class Widget:
        def __init__(self, **options: object) -> None:
            opened.append(options)

        def update(self, count: int) -> None:
            assert count == 1

        def close(self) -> None:
            opened.append({})

    monkeypatch.setattr("lawqa.bars.find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "tqdm.notebook", SimpleNamespace(tqdm=Widget))  # type: ignore[arg-type]
    out = Cell()
    counted(9, out)
    assert [(one.get("total"), one.get("desc")) for one in opened] == [(9, "parsing"), (None, None)]
    assert out.getvalue() == ""


@pytest.mark.parametrize("columns", ["0", ""])
def test_a_terminal_of_unknown_width_gets_lines(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = Terminal()
    assert not draws_bars(stream)
    counted(9, stream)
    text = stream.getvalue()
    assert "\r" not in text
    assert text.startswith("parsing: ")


def test_a_pseudo_terminal_has_bars_once_it_has_a_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    leader, follower = os.openpty()
    with os.fdopen(follower, "w", encoding="utf-8") as terminal:
        assert not draws_bars(terminal)  # 0 x 0, as docker exec gives it
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        assert draws_bars(terminal)
    os.close(leader)
