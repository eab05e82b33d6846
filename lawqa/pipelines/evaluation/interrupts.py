"""Signals that end a run so that it can be resumed: Ctrl-C, SIGTERM, SIGHUP."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from lawqa.errors import Interrupted

_ENDING = ("SIGTERM", "SIGHUP")


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Interrupted` within the block, as Ctrl-C raises `KeyboardInterrupt`.

    A signal that the caller of lawqa has set to be ignored (`nohup`) stays ignored. Outside the main thread
    nothing changes: Python handles signals only there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = {}
    for name in _ENDING:
        number = getattr(signal, name, None)  # a system without hang-ups has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            earlier[number] = signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return 128 and the signal's number, as a shell reports it: 130, 143 or 129."""
    return 128 + int(getattr(stop, "number", signal.SIGINT))


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(number, "answers so far are kept")
