"""Declared steps: skipped when done, refused when stale, resumed when interrupted, logged, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from lawqa.commands.model import CommandSource
from lawqa.commands.source import read_source
from lawqa.errors import ConfigError, DataError, PolicyError
from lawqa.pipelines.steps.processes import Ended
from lawqa.pipelines.steps.run import StepsConfig, run_steps, step_status

pytestmark = pytest.mark.every_python

DECLARED = """
schema_version = 2
[places.here]
title = "here"
title_ja = "ここ"
backends = ["hf"]
[places.here.variables]
work = "w"
flavour = "plain"
[places.here.given]
"in.txt" = "ある"
[[places.here.rules]]
id = "no-curl"
programs = ["curl"]
reason = "there is none"
reason_ja = "ない"
[failures.fire]
when = "it burns"
when_ja = "燃える"
do = "put it out"
do_ja = "消す"
[[commands]]
id = "make"
step = "StepI"
role = "primary"
places = ["here"]
title = "Make"
title_ja = "作る"
purpose = "p"
purpose_ja = "ぴ"
argv = ["python", "make.py", "{flavour}"]
inputs = ["in.txt"]
outputs = ["{work}/a/summary.json"]
resume = ["--resume"]
fresh = ["--fresh"]
failures = ["fire"]
[[commands]]
id = "look"
step = "StepI"
places = ["here"]
title = "Look"
title_ja = "見る"
purpose = "p"
purpose_ja = "ぴ"
argv = ["python", "look.py"]
inputs = ["{work}/a/summary.json"]
accepts = [0, 1]
[[commands]]
id = "type"
step = "setup"
places = ["here"]
manual = true
title = "Type"
title_ja = "打つ"
purpose = "a person does it"
purpose_ja = "人がする"
argv = ["source", "x"]
[[commands]]
id = "fetch"
step = "setup"
places = ["here"]
title = "Fetch"
title_ja = "取る"
purpose = "p"
purpose_ja = "ぴ"
argv = ["curl", "x"]
[experiment]
id = "e"
title = "?"
title_ja = "？"
condition = "rag"
mode = "direct"
decides = "make"
commands = ["make"]
variables = []
points_ja = []
"""


class Scripted:
    """Stands for the processes: remembers what ran, leaves the outputs, and ends as the test says."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.ran: list[tuple[str, ...]] = []
        self.env: Mapping[str, str] = {}

    def __call__(self, argv: Sequence[str], env: Mapping[str, str], log: Path) -> Ended:
        self.ran.append(tuple(argv))
        self.env = env
        log.write_text("said\n", encoding="utf-8")
        code = self.codes.pop(0) if self.codes else 0
        if argv[1] == "make.py":
            folder = Path("w/a")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "manifest.json").write_text("{}", encoding="utf-8")
            if code == 0:
                (folder / "summary.json").write_text("{}", encoding="utf-8")
        return Ended(code)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandSource:
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("x", encoding="utf-8")
    return read_source(DECLARED, "here.toml")


def run(
    source: CommandSource, runner: Scripted, *steps: str, fresh: bool = False, adopt: bool = False,
    **overrides: str,
) -> tuple[int, str]:  # fmt: skip
    said: list[str] = []
    config = StepsConfig(steps or ("make", "look"), "here", overrides, fresh=fresh, adopt=adopt)
    code = run_steps(source, config, said.append, runner)
    return code, "\n".join(said)


def test_steps_run_in_order_and_are_not_done_twice(source: CommandSource) -> None:
    first = Scripted()
    assert run(source, first) == (0, "\n".join([
        "[1/2] make: Make", "  its outputs are not there", "  log: w/steps/make.log",
        "[2/2] look: Look", "  a check: runs every time", "  log: w/steps/look.log",
        "all 2 steps are done",
    ]))  # fmt: skip
    assert first.ran == [("python", "make.py", "plain"), ("python", "look.py")]
    assert first.env["LAWQA_PLACE"] == "here"
    second = Scripted()
    code, said = run(source, second)
    assert code == 0
    assert "done already, with the same command, inputs and version" in said
    assert second.ran == [("python", "look.py")]
    assert step_status(source, "here", {})["make"] == "done"


def test_a_failure_stops_says_what_to_do_and_keeps_its_code(source: CommandSource) -> None:
    runner = Scripted(2)
    code, said = run(source, runner)
    assert code == 2
    assert len(runner.ran) == 1
    assert "make: failed with exit code 2. Log: w/steps/make.log" in said
    assert "when it burns:\n      put it out" in said
    assert "（燃える）\n      消す" in said
    assert step_status(source, "here", {})["make"] == "failed"


def test_a_step_that_goes_on_by_itself_says_so_though_nothing_of_its_outputs_is_there(
    source: CommandSource,  # noqa: ARG001 - its directory is where it runs
) -> None:
    declared = DECLARED.replace('resume = ["--resume"]', "continues = true")
    declared = declared.replace("{work}/a/summary.json", "{work}/pooled/summary.json")
    runner, changed = Scripted(130, 130), read_source(declared, "here.toml")
    assert "its outputs are not there" in run(changed, runner, "make")[1]
    assert "resumes where it stopped" in run(changed, runner, "make")[1]
    assert runner.ran[0] == runner.ran[1]


@pytest.mark.parametrize("code", [130, 143, 129])
def test_an_interrupted_step_goes_on_with_its_resume_flags(
    source: CommandSource, code: int
) -> None:
    runner = Scripted(code)
    ended, said = run(source, runner)
    assert ended == code
    assert "interrupted; run the same command again to resume" in said
    assert step_status(source, "here", {})["make"] == "interrupted"
    again = Scripted()
    ended, said = run(source, again)
    assert ended == 0
    assert "resumes where it stopped" in said
    assert again.ran[0] == ("python", "make.py", "plain", "--resume")


def test_a_signal_that_comes_too_late_for_a_step_stops_the_next_one(source: CommandSource) -> None:
    ran = []

    def late(argv: Sequence[str], env: Mapping[str, str], log: Path) -> Ended:
        ran.append(argv)
        Scripted()(argv, env, log)
        return Ended(0, asked=signal.SIGTERM)

    said: list[str] = []
    config = StepsConfig(("make", "look"), "here", {})
    assert run_steps(source, config, said.append, late) == 143
    assert len(ran) == 1
    assert said[-1].startswith("stopped after make, which is done")
    assert run(source, Scripted())[0] == 0


def test_a_runner_that_was_killed_leaves_a_step_that_goes_on(source: CommandSource) -> None:
    run(source, Scripted(130))
    state = Path("w/steps/make.json")
    content = json.loads(state.read_text(encoding="utf-8"))
    state.write_text(json.dumps({**content, "status": "running", "code": None}), encoding="utf-8")
    again = Scripted()
    assert run(source, again)[0] == 0
    assert again.ran[0][-1] == "--resume"


@pytest.mark.parametrize("change", ["input", "command", "version"])
def test_stale_outputs_are_kept_until_fresh_is_asked_for(
    source: CommandSource, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(source, Scripted())
    overrides = {}
    if change == "input":
        Path("in.txt").write_text("y", encoding="utf-8")
    elif change == "command":
        overrides = {"flavour": "sweet"}
    else:
        monkeypatch.setattr("lawqa.pipelines.steps.state.__version__", "99")
    assert step_status(source, "here", overrides)["make"] == "stale"
    runner = Scripted()
    with pytest.raises(ConfigError, match="its outputs were made with another") as caught:
        run(source, runner, **overrides)
    assert caught.value.message.endswith("input in.txt" if change == "input" else change)
    assert "--fresh" in caught.value.hint
    assert not runner.ran
    assert run(source, runner, fresh=True, **overrides)[0] == 0
    assert runner.ran[0][-1] == "--fresh"
    assert step_status(source, "here", overrides)["make"] == "done"


def test_outputs_made_by_hand_are_adopted_or_refused(source: CommandSource) -> None:
    Scripted()(["python", "make.py"], {}, Path("x.log"))
    assert step_status(source, "here", {})["make"] == "there"
    with pytest.raises(ConfigError, match="`lawqa step` did not make it") as caught:
        run(source, Scripted())
    assert caught.value.hint == (
        "--adopt takes it as it is, --fresh makes it again (with make: STEP_FLAGS=--adopt)"
    )
    runner = Scripted()
    code, said = run(source, runner, adopt=True)
    assert code == 0
    assert "its outputs are taken as they are" in said
    assert runner.ran == [("python", "look.py")]
    assert run(source, Scripted())[0] == 0


def test_an_attempt_by_hand_that_is_not_whole_is_gone_on_with(source: CommandSource) -> None:
    Path("w/a").mkdir(parents=True)
    Path("w/a/manifest.json").write_text("{}", encoding="utf-8")
    runner = Scripted()
    assert run(source, runner)[0] == 0
    assert runner.ran[0][-1] == "--resume"


def test_removed_outputs_are_made_again(source: CommandSource) -> None:
    run(source, Scripted())
    Path("w/a/summary.json").unlink()
    Path("w/a/manifest.json").unlink()
    runner = Scripted()
    assert run(source, runner)[0] == 0
    assert runner.ran[0] == ("python", "make.py", "plain")


def test_an_exit_code_that_the_step_accepts_is_no_failure(source: CommandSource) -> None:
    assert run(source, Scripted(0, 1))[0] == 0
    assert run(source, Scripted(2))[0] == 2


def test_a_missing_input_names_who_makes_it(source: CommandSource) -> None:
    with pytest.raises(
        ConfigError, match=r"look: its input w/a/summary.json is not there"
    ) as caught:
        run(source, Scripted(), "look")
    assert caught.value.hint == "the step make makes it: lawqa step run make --place here"
    Path("in.txt").unlink()
    with pytest.raises(ConfigError, match=r"make: its input in.txt is not there") as caught:
        run(source, Scripted())
    assert "given, not made" in caught.value.hint


def test_outputs_that_do_not_appear_are_an_error(source: CommandSource) -> None:
    def nothing(argv: Sequence[str], env: Mapping[str, str], log: Path) -> Ended:  # noqa: ARG001
        return Ended(0)

    config = StepsConfig(("make",), "here", {})
    with pytest.raises(DataError, match=r"ended well, but w/a/summary.json is not there"):
        run_steps(source, config, str, nothing)
    assert step_status(source, "here", {})["make"] == "failed"


def test_what_a_person_types_and_what_is_forbidden_is_refused_before_anything_runs(
    source: CommandSource,
) -> None:
    runner = Scripted()
    with pytest.raises(ConfigError, match="type: is typed by a person: a person does it"):
        run(source, runner, "make", "type")
    with pytest.raises(PolicyError, match="fetch: forbidden at here by the rule no-curl"):
        run(source, runner, "make", "fetch")
    with pytest.raises(ConfigError, match="nosuch: no such step"):
        run(source, runner, "make", "nosuch")
    assert not runner.ran


@pytest.mark.parametrize(
    "broken", ['{"schema_version": 1', "[" * 200_000, "[]", '{"ran_with": NaN}']
)
def test_a_broken_state_is_said_to_be_broken(source: CommandSource, broken: str) -> None:
    run(source, Scripted())
    Path("w/steps/make.json").write_text(broken, encoding="utf-8")
    with pytest.raises(DataError, match=r"make.json: is not the state of a step"):
        run(source, Scripted())


def test_a_second_runner_is_kept_out(source: CommandSource) -> None:
    messages = []

    def other(argv: Sequence[str], env: Mapping[str, str], log: Path) -> Ended:
        with pytest.raises(ConfigError, match="w/steps: other steps are running there") as caught:
            run(source, Scripted())
        messages.append(caught.value.message)
        return Scripted()(argv, env, log)

    assert run_steps(source, StepsConfig(("make",), "here", {}), str, other) == 0
    assert messages


# --- real processes


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_reaches_the_program_exactly_once(
    tmp_path: Path, number: signal.Signals, wait_for: Callable[[Path], None]
) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import signal, sys, time\n"
        "seen = []\n"
        f"signal.signal({int(number)}, lambda *_: seen.append(1))\n"
        "open('ready', 'w').close()\n"
        "while not seen: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
        "print('saved', len(seen)); sys.exit(128 + " + str(int(number)) + ")\n",
        encoding="utf-8",
    )
    code = (
        "import sys; from pathlib import Path; from lawqa.pipelines.steps.processes import run_logged; "
        "sys.exit(run_logged(['python', 'child.py'], {}, Path('x.log')).code)"
    )
    runner = subprocess.Popen(  # noqa: S603 - the test's own words
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # even under a shell's &
    )
    wait_for(tmp_path / "ready")
    os.kill(runner.pid, number)
    assert runner.wait(20) == 128 + number
    assert (tmp_path / "x.log").read_text(encoding="utf-8") == "saved 1\n"


@pytest.fixture
def wait_for() -> Callable[[Path], None]:
    def wait(path: Path) -> None:
        until = time.monotonic() + 20
        while not path.exists():
            assert time.monotonic() < until, f"{path} does not appear"
            time.sleep(0.01)

    return wait
