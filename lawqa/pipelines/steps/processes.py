"""Starting a program so that what it prints is seen and kept, and that a signal reaches it exactly once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from lawqa.errors import ConfigError
from lawqa.files import open_own

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OF_THIS_PYTHON = {"lawqa": ("-m", "lawqa"), "python": (), "python3": (), "pip": ("-m", "pip")}


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    """Its exit code; 128 + the signal where one killed it, as a shell says it."""
    killed: bool = False
    """Whether a signal killed it."""
    asked: int | None = None
    """The signal that this process got while it ran; None for none."""


def run_logged(argv: Sequence[str], env: Mapping[str, str], log: Path) -> Ended:
    """Run a program; what it prints goes to standard output and is appended to a log.

    The program gets a session of its own, so that Ctrl-C in the terminal reaches only this process, which
    passes it on: a program that saves its work at the first signal and gives up at the second must not get
    two. Signals that this process ignores (as under nohup) are left ignored.

    Args:
        argv: program and arguments; lawqa, python and pip are those of this Python.
        env: environment variables that are set besides this process's own.
        log: the file to append to.

    Raises:
        ConfigError: there is no such program.
    """
    line_to_run = program_line(argv)
    signals: list[int] = []
    with (
        os.fdopen(open_own(log, os.O_WRONLY | os.O_APPEND), "ab") as kept,
        _forwarding(signals) as hand_in,
        subprocess.Popen(  # noqa: S603 - declared
            line_to_run,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as child,
    ):
        hand_in(child)
        assert child.stdout is not None  # noqa: S101 - asked for above
        for line in child.stdout:
            kept.write(line)
            kept.flush()
            sys.stdout.write(line.decode("utf-8", errors="replace"))
            sys.stdout.flush()
        code = child.wait()
    asked = signals[0] if signals else None
    return Ended(code, asked=asked) if code >= 0 else Ended(128 - code, killed=True, asked=asked)


def program_line(argv: Sequence[str]) -> list[str]:
    """Return the program as the system starts it: that of this Python's environment before any other.

    Raises:
        ConfigError: there is no such program.
    """
    name, rest = argv[0], list(argv[1:])
    if name in _OF_THIS_PYTHON:
        return [sys.executable, *_OF_THIS_PYTHON[name], *rest]
    beside = Path(sys.executable).parent / name
    program = str(beside) if beside.is_file() else shutil.which(name)
    if program is None:
        raise ConfigError(f"{name}: there is no such program", f"install {name}, or ask who can")
    return [program, *rest]


@contextmanager
def _forwarding(seen: list[int]) -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Pass signals on to the child that is handed in; one that comes before the child is there waits.

    Args:
        seen: gets every signal that came.
    """
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None = None) -> None:
        seen.append(number)
        pass_on(number)

    def pass_on(number: int) -> None:
        if children and children[0].poll() is None:
            with suppress(ProcessLookupError):  # it has ended in this very moment
                os.killpg(children[0].pid, number)  # its own session, so its workers too

    def hand_in(child: subprocess.Popen[bytes]) -> None:
        waiting = tuple(seen)
        children.append(child)
        for number in waiting:
            pass_on(number)

    earlier = {
        number: signal.signal(number, forward)
        for number in _FORWARDED
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield hand_in
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
