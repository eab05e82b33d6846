"""`lawqa.cli.ending`: a process ends at once, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import atexit, sys, threading, time, types
from concurrent.futures import ThreadPoolExecutor
if "torch" in sys.argv:
    sys.modules["torch"] = types.ModuleType("torch")
class Late:
    def __del__(self):
        print("taken apart")
late = Late()
late.itself = late
atexit.register(print, "atexit")
def slow():
    time.sleep(.2)
    print("thread")
threading.Thread(target=slow).start()
ThreadPoolExecutor(1).submit(time.sleep, .1)
print("out", end="")
print("err", end="", file=sys.stderr)
from lawqa.cli.ending import end
end(3)
"""


@pytest.mark.parametrize("torch", [True, False])
def test_threads_and_what_is_registered_come_first(torch: bool) -> None:
    done = subprocess.run(  # noqa: S603 - this file's own program
        [sys.executable, "-c", _PROGRAM, *(["torch"] if torch else [])],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stdout.startswith("outthread\natexit\n")
    assert ("taken apart" in done.stdout) is not torch
    assert done.stderr == "err"


def test_a_reader_that_has_gone_is_the_interpreters_to_report() -> None:
    program = (
        "import sys, types\nsys.modules['torch'] = types.ModuleType('torch')\n"
        "from lawqa.cli.ending import end\nsys.stdout.write('x' * 10)\nend(0)"
    )
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(  # noqa: S603 - this file's own program
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=buffered,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        stderr = process.stderr.read().decode()
    assert process.returncode == 120
    assert "BrokenPipeError" in stderr
