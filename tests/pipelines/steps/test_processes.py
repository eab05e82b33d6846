"""Starting a program so that what it prints is seen and kept, and that a signal reaches it exactly once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lawqa.errors import ConfigError
from lawqa.pipelines.steps.processes import Ended, program_line, run_logged

pytestmark = pytest.mark.every_python


def test_what_a_program_prints_is_seen_and_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "x.log"
    code = "import os, sys; print(os.environ['K'], flush=True); print('err', file=sys.stderr); sys.exit(3)"
    assert run_logged(["python", "-c", code], {"K": "値"}, log) == Ended(3)
    assert log.read_text(encoding="utf-8") == "値\nerr\n"
    assert capfd.readouterr().out == "値\nerr\n"
    assert run_logged(["python", "-c", "print('more')"], {}, log) == Ended(0)
    assert log.read_text(encoding="utf-8").endswith("err\nmore\n")


def test_a_program_that_a_signal_killed_ends_as_a_shell_says_it(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run_logged(["python", "-c", code], {}, tmp_path / "x.log") == Ended(137, killed=True)


def test_lawqa_python_and_pip_are_those_of_this_environment() -> None:
    assert program_line(["lawqa", "split"]) == [sys.executable, "-m", "lawqa", "split"]
    assert program_line(["python", "-V"]) == [sys.executable, "-V"]
    assert program_line(["pip", "list"])[:3] == [sys.executable, "-m", "pip"]
    with pytest.raises(ConfigError, match="no-such-program-here: there is no such program"):
        program_line(["no-such-program-here"])
