"""Signals: the first is remembered, its echo is not a second one, a second one ends the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lawqa.training.processes import interruption
from lawqa.training.processes.interruption import Interruption

pytestmark = pytest.mark.torch


def test_a_signal_is_remembered_and_its_echo_changes_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    interrupted = Interruption()
    before = signal.getsignal(signal.SIGTERM)
    with interrupted.watching():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
    assert interrupted.signum == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
    assert capfd.readouterr().err.count("saving after this step") == 1


def test_hang_ups_never_end_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "_ECHO", 0.0)
    interrupted = Interruption()
    with interrupted.watching():
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGHUP)
    assert interrupted.signum == signal.SIGHUP


@pytest.mark.slow
def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text(
        "import time\n"
        "from lawqa.training.processes.interruption import Interruption\n"
        "with Interruption().watching():\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(0.1)\n"
        "    while True:\n"
        "        time.sleep(0.05)\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(  # noqa: S603 - the test's own words
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    time.sleep(1.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert "SIGTERM: stopped at once, nothing more is saved" in err


def test_an_ignored_hang_up_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        interrupted = Interruption()
        with interrupted.watching():
            os.kill(os.getpid(), signal.SIGHUP)
        assert not interrupted.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_nothing_is_changed() -> None:
    handlers: list[object] = []

    def work() -> None:
        with Interruption().watching():
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGTERM)]
