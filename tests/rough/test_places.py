"""Machines as students meet them: full and read-only disks, no home, odd paths and locales, odd clocks."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.runs.upkeep.find import find_runs

pytestmark = pytest.mark.rough

LONG = pytest.mark.long


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_file: Path) -> Path:
    """An own working directory with 60 questions and a script."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.json").write_bytes(embedded_file.read_bytes())
    (tmp_path / "s.json").write_text('{"*": "c"}', encoding="utf-8")
    return tmp_path


def asked(run_dir: object, data: str = "q.json") -> list[str]:
    backend = ["--llm-backend", "scripted", "--script", "s.json"]
    return ["evaluate", "--data", data, *backend, "--run-dir", str(run_dir)]


def answers(run_dir: Path) -> list[Any]:
    text = (run_dir / "results.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.split("\n")[:-1]]
    return [(row["file_name"], row["predicted_answer"], row["outcome"]) for row in rows]


def lawqa(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the tests' own words
        [sys.executable, "-m", "lawqa", *arguments], capture_output=True, check=False, timeout=120,
        **{"text": True, **options},
    )  # fmt: skip


# --- disks


@contextlib.contextmanager
def mounted(at: Path, options: str) -> Iterator[Path]:
    at.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(  # noqa: S603 - the tests' own words
        [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(at)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr!r}")
    try:
        yield at
    finally:
        subprocess.run([umount, "-l", str(at)], check=True)  # noqa: S603


@pytest.mark.parametrize(
    "size", [*(pytest.param(f"{kib}k", marks=LONG) for kib in range(4, 100, 4)), "12k", "48k"]
)
def test_a_full_disk_is_said_and_with_room_the_run_goes_on(
    here: Path, capsys: pytest.CaptureFixture[str], size: str
) -> None:
    assert main(asked("whole")) == 0
    capsys.readouterr()
    with mounted(here / "small", f"size={size}") as disk:
        assert main(asked(disk / "r")) == 2
        err = capsys.readouterr().err
        assert "there is no room left: No space left on device" in err
        assert err.splitlines()[-1].startswith("hint: what was written is kept: make room")
        remount = shutil.which("mount")
        assert remount
        subprocess.run([remount, "-o", "remount,size=2m", str(disk)], check=True)  # noqa: S603
        again = main([*asked(disk / "r"), "--resume"])
        if again == 2:  # not even the manifest had found room
            assert "--fresh" in capsys.readouterr().err
            again = main([*asked(disk / "r"), "--fresh"])
        assert again == 0
        assert answers(disk / "r") == answers(here / "whole")


@pytest.mark.parametrize(
    "limit", [*(pytest.param(size, marks=LONG) for size in range(1000, 90_000, 7000)), 20_000]
)
def test_a_file_that_may_grow_no_more_is_said_and_the_run_goes_on(here: Path, limit: int) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    done = lawqa(asked("r"), preexec_fn=limited)
    assert done.returncode == 2
    assert "there is no room left: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    known = (here / "r" / "manifest.json").exists()
    assert main([*asked("r"), "--resume" if known else "--fresh"]) == 0
    assert len(answers(here / "r")) == 60


@pytest.mark.parametrize(
    "command",
    [
        asked("disk/r"),
        ["split", "--input", "q.json", "--output-dir", "disk/split"],
        ["records", "--lawqa-path", "q.json", "--output-path", "disk/r.jsonl"],
        [*asked("r"), "--output", "disk/o.json"],
    ],
    ids=["evaluate", "split", "records", "output"],
)
def test_a_read_only_disk_is_said(
    here: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with mounted(here / "disk", "ro,size=1m"):
        assert main(command) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "Read-only file system" in err


# --- environment


@pytest.mark.parametrize(
    "setting",
    [
        {"HOME": None, "USER": None, "LOGNAME": None},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        pytest.param({"HOME": "/nonexistent"}, marks=LONG),
        pytest.param({"LC_ALL": "C", "LANG": "C"}, marks=LONG),
        pytest.param({"PYTHONIOENCODING": "ascii"}, marks=LONG),
        pytest.param({"PYTHONIOENCODING": "cp932"}, marks=LONG),
        pytest.param({"TZ": "Asia/Tokyo"}, marks=LONG),
        pytest.param({"TERM": "dumb", "COLUMNS": "20"}, marks=LONG),
    ],
    ids=" ".join,
)
def test_a_bare_environment_changes_no_answer(here: Path, setting: dict[str, str | None]) -> None:
    environment = {**os.environ, **{k: v for k, v in setting.items() if v is not None}}
    for name in [name for name, value in setting.items() if value is None]:
        environment.pop(name, None)
    done = lawqa(asked("日 本"), env=environment, text=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    (run_dir,) = [path.parent for path in here.glob("*/results.jsonl")]
    assert len(answers(run_dir)) == 60
    # With a locale that cannot say the name, the name is kept byte by byte.
    assert run_dir.name == "日 本"


@pytest.mark.parametrize(
    "name", ["a b", "日本 の 法", "-dash", "quote'\"", "$(touch hacked)", "new\nline", "{x}", "50%"]
)
def test_any_name_can_be_a_path(here: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    directory = here / name
    directory.mkdir()
    (directory / "q.json").write_bytes((here / "q.json").read_bytes())
    command = [
        *asked(directory / "r", str(directory / "q.json")),
        "--output",
        str(directory / "o.json"),
    ]
    assert main(command) == 0
    assert main(["rescore", str(directory / "r")]) == 0
    assert main(["runs", "show", str(directory / "r")]) == 0
    assert main(["report", str(directory / "r"), "-o", str(directory / "report.md")]) == 0
    capsys.readouterr()
    assert len(answers(directory / "r")) == 60
    assert not list(here.rglob("hacked"))


def test_a_file_name_that_is_not_utf_8_is_kept_byte_by_byte(here: Path) -> None:
    raw = os.fsencode(here) + "/法.json".encode("cp932")
    name = os.fsdecode(raw)
    Path(name).write_bytes((here / "q.json").read_bytes())
    assert main(asked("r", name)) == 0
    manifest = json.loads((here / "r" / "manifest.json").read_text(encoding="utf-8"))
    assert os.fsencode(manifest["data"]["path"]) == raw
    assert main([*asked("r", name), "--resume"]) == 0


# --- clocks


def test_a_clock_that_jumps_changes_no_answer_and_no_duration(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(asked("whole")) == 0
    jumps: Iterator[timedelta] = iter(
        timedelta(days=days)
        for number in range(10_000)
        for days in (0, -4000, 9000, -1, 30 * number)
    )

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2026, 3, 1, 12, tzinfo=tz or timezone.utc) + next(jumps) % timedelta(
                days=9999
            )

    monkeypatch.setattr("lawqa.runs.manifest.datetime", Jumping)
    monkeypatch.setattr("lawqa.pipelines.evaluation.job.datetime", Jumping)
    monkeypatch.setattr("time.time", lambda: -1e9 + 1e8 * next(jumps).days)
    assert main(asked("r")) == 0
    assert main([*asked("r"), "--resume"]) == 0
    assert answers(here / "r") == answers(here / "whole")
    manifest = json.loads((here / "r" / "manifest.json").read_text(encoding="utf-8"))
    assert 0 <= manifest["figures"]["seconds"] < 60
    assert {run.path.name for run in find_runs([here])} == {"r", "whole"}


# --- two at once, and old ones


def test_of_two_processes_one_writes_and_the_other_says_why_not(here: Path) -> None:
    (here / "s.json").write_text('{"*": {"text": "c", "delay": 0.05}}', encoding="utf-8")
    command = [sys.executable, "-m", "lawqa", *asked("r"), "--resume"]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes == [0, 2], said
    (refusal,) = [err for err, process in zip(said, both, strict=True) if process.returncode == 2]
    assert "is writing this run" in refusal
    assert "hint: wait until it is done" in refusal
    assert len(answers(here / "r")) == 60


@pytest.mark.parametrize("version", [0, None])
@pytest.mark.parametrize(
    "command",
    [
        lambda run: ["rescore", run],
        lambda run: ["compare", run, shutil.copytree(run, "again")],
        lambda run: ["report", run, "-o", "x.md"],
        lambda run: [*asked(run), "--resume"],
    ],
    ids=["rescore", "compare", "report", "resume"],
)
def test_a_run_of_another_layout_is_refused_with_the_way_out(
    here: Path, capsys: pytest.CaptureFixture[str], version: object,
    command: Callable[[str], list[str]],
) -> None:  # fmt: skip
    assert main(asked("r")) == 0
    path = here / "r" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, "schema_version": version}), encoding="utf-8")
    capsys.readouterr()
    assert main(command("r")) == 2
    err = capsys.readouterr().err
    assert f"schema_version is {version!r}, expected 1" in err
    assert "hint: " in err
