"""Signals that ask a training to stop: it saves first; a second one stops it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = ("SIGTERM", "SIGINT", "SIGHUP")
"""Job schedulers, Ctrl-C, and a closed terminal or notebook."""

_ECHO = 1.0
"""Seconds. A signal so soon after the first is the same request: a shell and the kernel both send SIGHUP,
and torchrun hands on the Ctrl-C that its children have seen already."""


class Interruption:
    """While watching, remembers that a signal asked to stop instead of stopping.

    Args:
        then: what is still done after the first signal, for the user.

    A SIGHUP that is ignored already (`nohup`) stays ignored. In another thread than the main one, where
    Python handles no signals, nothing is changed.
    """

    def __init__(self, then: str = "saving after this step, then stopping") -> None:
        self._then = then
        self.signum: int | None = None
        self._asked_at = 0.0
        self._terminals: list[int] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Remember a signal that comes within the block."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # Asked now: a terminal that has gone says that it is none.
        self._terminals = [
            stream.fileno()
            for stream in (sys.__stdout__, sys.__stderr__)
            if stream is not None and stream.isatty()
        ]
        before = {}
        for name in _ASKING:
            signum = getattr(signal, name, None)  # Windows has no SIGHUP
            if signum is not None and signal.getsignal(signum) is not signal.SIG_IGN:
                before[signum] = signal.signal(signum, self._on_signal)
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    @property
    def asked(self) -> bool:
        """Whether a signal has asked to stop."""
        return self.signum is not None

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        del frame
        name, moment = signal.Signals(signum).name, time.monotonic()
        if name == "SIGHUP":
            self._leave_terminal()
        if self.signum is None:
            self.signum, self._asked_at = signum, moment
            self._tell(f"\n{name}: {self._then}; once more stops at once\n")
        elif name != "SIGHUP" and moment - self._asked_at > _ECHO:
            self._tell(f"\n{name}: stopped at once, nothing more is saved\n")
            os._exit(128 + signum)

    def _tell(self, text: str) -> None:
        """Write straight to the file: a handler may run in the middle of a print."""
        try:
            os.write(2, text.encode())
        except OSError:
            self._leave_terminal()

    def _leave_terminal(self) -> None:
        """Send what is printed from now on nowhere: to a terminal that has gone it would be an error."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in self._terminals:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
