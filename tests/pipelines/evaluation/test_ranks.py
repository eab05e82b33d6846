"""Several processes on one run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.errors import BackendError, ConfigError
from lawqa.pipelines.evaluation.ranks import Ranks, check_launch
from lawqa.questions import Question, reordered

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_file: Path) -> Path:
    """An own working directory with 60 questions in q.json."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.json").write_bytes(embedded_file.read_bytes())
    return tmp_path


@pytest.fixture
def start(here: Path) -> Start:
    """Starts process RANK of two that evaluate into the directory r."""

    def begin(rank: int, *flags: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
        return subprocess.Popen(  # noqa: S603 - the tests' own words
            [sys.executable, "-m", "lawqa", *FLAGS, *(flags or ("--run-dir", "r"))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=here,
        )  # fmt: skip

    return begin


FLAGS = [
    "evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json", "--mode", "cot",
    "--permutations", "4", "--samples", "20",
]  # fmt: skip


def script(here: Path, delay: float) -> None:
    content = {"*": {"text": "わかりません。", "forced": "b", "delay": delay}}
    (here / "s.json").write_text(json.dumps(content), encoding="utf-8")


def stored(run_dir: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    lines = (run_dir / "results.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    summary = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    return [{**row, "seconds": 0} for row in rows], {**summary, "seconds": 0}


@pytest.mark.slow
def test_two_processes_share_the_questions_and_leave_one_run(here: Path, start: Start) -> None:
    script(here, 0.001)
    assert main([*FLAGS, "--run-dir", "alone"]) == 0
    first, second = start(0), start(1)
    out, err = first.communicate(timeout=60)
    assert (first.returncode, err) == (0, "")
    assert "correct / asked" in out
    assert (*second.communicate(timeout=60), second.returncode) == ("", "", 0)
    assert stored(here / "r") == stored(here / "alone")
    assert not (here / "r" / "parts").exists()
    manifest = json.loads((here / "r" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["status"], manifest["figures"]["processes"]) == ("done", 2)


@pytest.mark.slow
def test_a_helper_that_dies_ends_the_run_and_one_process_can_go_on(
    here: Path, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    script(here, 0.01)
    first, second = start(0), start(1)
    part = here / "r" / "parts" / "rank1.jsonl"
    wait_for(lambda: part.exists() and part.stat().st_size > 0)
    second.kill()
    second.communicate()
    out, err = first.communicate(timeout=60)
    assert (first.returncode, out) == (2, "")
    assert err == (
        "error: process 1 ended before it was done\n"
        "hint: start it again with --resume: what is answered is kept\n"
    )
    lines = [
        line for path in part.parent.glob("*.jsonl") for line in path.read_bytes().splitlines()
    ]
    kept = {(row["file_name"], row["order"]) for row in map(json.loads, lines)}
    script(here, 0)
    assert main([*FLAGS, "--run-dir", "alone"]) == 0
    capsys.readouterr()
    assert main([*FLAGS, "--run-dir", "r", "--resume"]) == 0
    known = int(capsys.readouterr().err.split("note: r: ")[1].split(" of 80")[0])
    assert 40 < known == len(kept) < 80, "process 0 was done with its half, process 1 had begun"
    assert stored(here / "r") == stored(here / "alone")


@pytest.mark.slow
def test_a_helper_does_not_wait_for_a_dead_first_process(here: Path, start: Start) -> None:
    script(here, 0.002)
    first, second = start(0), start(1)
    wait_for(lambda: (here / "r" / "parts" / "rank1.jsonl").exists())
    first.kill()
    first.communicate()
    _, err = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "error: process 0 ended before the run was whole" in err


@pytest.mark.slow
def test_an_interrupt_of_all_ends_all_and_names_the_way_on(here: Path, start: Start) -> None:
    script(here, 0.02)
    both = [start(0), start(1)]
    for rank in (0, 1):
        part = here / "r" / "parts" / f"rank{rank}.jsonl"
        wait_for(lambda part=part: part.exists() and part.stat().st_size > 0)  # type: ignore[misc]
    for process in both:
        process.send_signal(signal.SIGTERM)
    errors = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [143, 143]
    assert errors[0].startswith("interrupted\nhint: torchrun --nproc-per-node 2 -m lawqa evaluate ")
    assert errors[0].endswith(" --run-dir r --resume  resumes it\n")
    assert errors[1] == "interrupted\n"


@pytest.mark.slow
def test_several_processes_need_a_directory_with_a_name(here: Path, start: Start) -> None:
    script(here, 0)
    process = start(1, "--quiet")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "several processes need --run-dir" in err


# --- without processes


def test_without_a_launcher_there_is_one_process() -> None:
    assert Ranks.of({}) == Ranks.of({"WORLD_SIZE": "1", "RANK": "0"}) == Ranks()
    assert not Ranks().several


def test_processes_of_several_machines_are_refused() -> None:
    with pytest.raises(ConfigError, match="on several machines"):
        Ranks.of({"WORLD_SIZE": "4", "RANK": "1", "LOCAL_WORLD_SIZE": "2"})


def test_shares_hold_everything_once_and_keep_a_question_together(
    question: Callable[..., Question],
) -> None:
    originals = [question(id=f"民法_{number}") for number in range(7)]
    questions = [reordered(q, order) for q in originals for order in ((0, 1, 2, 3), (1, 2, 3, 0))]
    items = [(q.id, q.order, repeat) for q in questions for repeat in range(3)]
    shares = [Ranks(rank, 3).share([q.id for q in questions], items) for rank in range(3)]
    assert sorted(item for share in shares for item in share) == sorted(items)
    names = [{item[0] for item in share} for share in shares]
    assert [len(share) for share in names] == [3, 2, 2]
    assert len(set.union(*names)) == 7
    assert Ranks().share([q.id for q in questions], items) == items


def test_a_directory_made_ready_by_an_earlier_launch_is_not_ready(tmp_path: Path) -> None:
    Ranks(0, 2, "earlier").announce(tmp_path)
    with pytest.raises(BackendError, match="process 1: process 0 did not begin the run"):
        Ranks(1, 2, "now", start_seconds=0.05).wait_until_ready(tmp_path)
    Ranks(0, 2, "now").announce(tmp_path)
    Ranks(1, 2, "now", start_seconds=0.05).wait_until_ready(tmp_path)


def test_a_helper_that_never_begins_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="process 1 did not begin to ask"):
        Ranks(0, 2, start_seconds=0.05).wait_for_others(tmp_path)


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["WORLD_SIZE", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE"])
@pytest.mark.parametrize("value", ["", "two", "-1", "1.5", " 1", "9" * 5000, "２"])
def test_what_no_launcher_sets_is_refused_with_the_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is .*expected a whole number") as problem:
        check_launch({"WORLD_SIZE": "2", name: value})
    assert f"env -u {name}" in problem.value.hint


def test_a_process_says_whom_it_waits_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lawqa.pipelines.evaluation.ranks._QUIET_SECONDS", 0.05)
    with pytest.raises(BackendError, match=r"did not begin to ask within 0 s"):
        Ranks(0, 2, start_seconds=0.4).wait_for_others(tmp_path)
    assert "process 0 of 2 waits for process 1: 0 of 1 others have begun" in caplog.text
    assert "unset WORLD_SIZE" in caplog.text
