"""Links, pipes and directories in the place of files that lawqa writes, and settings that somebody else owns.

A run directory may be a copy, or in a directory where others write. For each file: exit code, message, and
that what a link points to is as it was.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.files import require_replaceable

pytestmark = [pytest.mark.rough, pytest.mark.usefixtures("here")]

Capture = pytest.CaptureFixture[str]
PRECIOUS = "the only copy\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_file: Path) -> Path:
    """A working directory with questions, a script, and a file that is not a run's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.json").write_bytes(embedded_file.read_bytes())
    (tmp_path / "s.json").write_text('{"*": "c"}', encoding="utf-8")
    (tmp_path / "precious.txt").write_text(PRECIOUS, encoding="utf-8")
    return tmp_path


def evaluate(*flags: str) -> int:
    script = ["--llm-backend", "scripted", "--script", "s.json", "--samples", "3"]
    return main(["evaluate", "--data", "q.json", *script, "--run-dir", "r", *flags])


def refused(capsys: Capture, code: int, name: str) -> str:
    err = capsys.readouterr().err
    assert code == 2, err
    assert name in err
    assert "Traceback" not in err
    assert Path("precious.txt").read_text(encoding="utf-8") == PRECIOUS
    return err


def plant(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(Path("precious.txt").resolve())
    elif kind == "dangling link":
        path.symlink_to(Path("new.txt").resolve())
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()


KINDS = ("link", "dangling link", "pipe", "directory")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [".lock", "results.jsonl"])
def test_nothing_is_written_through_what_is_planted_in_a_run_directory(
    capsys: Capture, name: str, kind: str
) -> None:
    """A finished run whose file was replaced, resumed."""
    assert evaluate() == 0
    manifest = json.loads(Path("r/manifest.json").read_text(encoding="utf-8"))
    Path("r/manifest.json").write_text(
        json.dumps({**manifest, "status": "interrupted"}), encoding="utf-8"
    )
    capsys.readouterr()
    plant(Path("r", name), kind)
    refused(capsys, evaluate("--resume"), name)
    assert not Path("new.txt").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_lock_in_an_empty_run_directory_is_refused(capsys: Capture, kind: str) -> None:
    plant(Path("r/.lock"), kind)
    refused(capsys, evaluate(), ".lock")
    assert not Path("new.txt").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_manifest_is_replaced_or_refused_never_followed(
    capsys: Capture, kind: str
) -> None:
    plant(Path("r/manifest.json"), kind)
    code = evaluate("--resume")
    refused(capsys, code, "manifest.json") if code else None
    assert Path("precious.txt").read_text(encoding="utf-8") == PRECIOUS
    assert not Path("new.txt").exists()


@pytest.mark.parametrize("kind", ["link", "directory link"])
def test_parts_that_lead_elsewhere_are_not_written_to(kind: str) -> None:
    Path("elsewhere").mkdir()
    Path("r").mkdir()
    target = Path("elsewhere") if kind == "directory link" else Path("precious.txt")
    Path("r/parts").symlink_to(target.resolve())
    assert evaluate() in (0, 2)
    assert list(Path("elsewhere").iterdir()) == []
    assert Path("precious.txt").read_text(encoding="utf-8") == PRECIOUS


@pytest.mark.parametrize("output", KINDS)
def test_an_output_that_is_no_file_is_refused_also_with_fresh(capsys: Capture, output: str) -> None:
    """As root a rename onto /dev/null would take it from everybody."""
    plant(Path("o.json"), output)
    before = os.lstat("o.json")
    refused(capsys, evaluate("--output", "o.json", "--fresh"), "o.json")
    assert os.lstat("o.json").st_ino == before.st_ino


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(ConfigError, match="/dev/null: is a directory, a pipe or a device"):
        require_replaceable(Path("/dev/null"))


@pytest.mark.parametrize("data", ["pipe", "/dev/zero"])
def test_data_without_an_end_are_refused(capsys: Capture, data: str) -> None:
    if data == "pipe":
        plant(Path(data), data)
    code = main(["data", "check", data])
    assert "is a pipe or a device" in refused(capsys, code, data)


def test_a_log_that_is_a_pipe_is_refused(capsys: Capture) -> None:
    plant(Path("pipe"), "pipe")
    refused(capsys, evaluate("--log-file", "pipe"), "pipe")


# --- lawqa.toml

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def foreign(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place file above the working directory that belongs to another user."""
    path = here / "lawqa.toml"
    path.write_text('place = "any"\nmodel = "theirs"\n', encoding="utf-8")
    os.chown(path, 12345, 12345)
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    monkeypatch.delenv("SUDO_UID", raising=False)
    return path


@ROOT
def test_the_place_file_of_another_user_is_refused_with_the_way_to_allow_it(
    foreign: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["place", "show"]) == 2
    err = capsys.readouterr().err
    assert f"{foreign}: belongs to user 12345" in err
    assert f"LAWQA_PLACE_FILE={foreign}" in err
    monkeypatch.setenv("LAWQA_PLACE_FILE", str(foreign))
    assert main(["place", "show"]) == 0
    assert "theirs" in capsys.readouterr().out
    monkeypatch.setenv("LAWQA_PLACE_FILE", "")
    assert main(["place", "show"]) == 0
    assert "theirs" not in capsys.readouterr().out


@ROOT
def test_a_link_to_ones_own_place_file_put_up_by_another_is_refused(
    foreign: Path, capsys: Capture
) -> None:
    foreign.unlink()
    mine = foreign.parent / "mine.toml"
    mine.write_text('place = "any"\n', encoding="utf-8")
    foreign.symlink_to(mine)
    os.chown(foreign, 12345, 12345, follow_symlinks=False)
    assert main(["place", "show"]) == 2
    assert "belongs to user 12345" in capsys.readouterr().err


@ROOT
@pytest.mark.usefixtures("foreign")
def test_under_sudo_the_callers_place_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "12345")
    assert main(["place", "show"]) == 0
