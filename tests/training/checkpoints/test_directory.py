"""Checkpoints on disk: sealed, found torn, passed over, kept, and what a full disk does."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from lawqa.errors import TrainingError
from lawqa.training.checkpoints.directory import (
    all_checkpoints,
    disk_faults,
    fault_of,
    keep_last,
    newest_whole,
    remove_all,
    remove_unfinished,
    seal,
    staging,
)

pytestmark = pytest.mark.torch


def checkpoint(output: Path, step: int, content: str = "weights") -> Path:
    written = staging(output) / f"checkpoint-{step}"
    written.mkdir(parents=True)
    (written / "adapter.bin").write_text(content, encoding="utf-8")
    (written / "optimizer.bin").write_text(content * 3, encoding="utf-8")
    return seal(written, output, step)


def test_a_sealed_checkpoint_is_whole_and_has_its_name(tmp_path: Path) -> None:
    sealed = checkpoint(tmp_path, 5)
    assert sealed == tmp_path / "checkpoints" / "checkpoint-5"
    assert fault_of(sealed) is None
    assert (sealed / "adapter.bin").read_text(encoding="utf-8") == "weights"
    assert not list(staging(tmp_path).iterdir())


@pytest.mark.parametrize(
    ("tear", "told"),
    [
        (lambda c: (c / "adapter.bin").write_text("weigh"), "adapter.bin is not what was written"),
        (lambda c: (c / "optimizer.bin").unlink(), "optimizer.bin is missing"),
        (lambda c: (c / "checksums.json").write_text('{"sha'), "cannot be read"),
        (lambda c: (c / "checksums.json").unlink(), "checksums.json is missing"),
        (lambda c: (c / "checksums.json").write_text("{}"), "cannot be read"),
        (lambda c: (c / "checksums.json").write_text(""), "cannot be read"),
        (lambda c: (c / "checksums.json").write_text("[1]"), "holds no checksums"),
        (lambda c: (c / "checksums.json").write_text("[" * 100_000), "nested too deeply"),
        (lambda c: (c / "checksums.json").write_text('{"sha256": {}}'), "holds no checksums"),
        (
            lambda c: (c / "checksums.json").write_text('{"sha256": ["adapter.bin"]}'),
            "no checksums",
        ),
        (
            lambda c: (c / "checksums.json").write_text('{"sha256": {"../x": "0"}, "step": 10}'),
            "outside",
        ),
        (
            lambda c: (c / "checksums.json").write_text('{"sha256": {"x": "0"}, "step": 3}'),
            "step 3",
        ),
        (lambda c: (c / "adapter.bin").write_text(""), "adapter.bin is not what was written"),
        (lambda c: (c / "adapter.bin").unlink() or (c / "adapter.bin").mkdir(), "cannot be read"),
    ],
)
def test_a_torn_checkpoint_is_passed_over_for_the_one_before_and_that_is_said(
    tmp_path: Path, tear: object, told: str
) -> None:
    before, last = checkpoint(tmp_path, 9), checkpoint(tmp_path, 10)  # 9 < 10, though "9" > "10"
    tear(last)  # type: ignore[operator]
    said: list[str] = []
    assert newest_whole(tmp_path, said.append) == before
    (line,) = said
    assert "checkpoint-10 is torn" in line
    assert told in line
    assert checkpoint(tmp_path, 10) == last
    assert newest_whole(tmp_path, said.append) == last


def test_where_no_checkpoint_is_whole_nothing_starts_over_by_itself(tmp_path: Path) -> None:
    for step in (9, 10):
        (checkpoint(tmp_path, step) / "adapter.bin").write_text("")
    with pytest.raises(TrainingError, match="no checkpoint is whole") as problem:
        newest_whole(tmp_path, str)
    assert "--fresh" in problem.value.hint
    assert (tmp_path / "checkpoints/checkpoint-9.torn").is_dir()


def test_what_a_killed_process_had_begun_to_write_is_not_taken_for_a_checkpoint(
    tmp_path: Path,
) -> None:
    whole = checkpoint(tmp_path, 3)
    (staging(tmp_path) / "checkpoint-6").mkdir(parents=True)
    (staging(tmp_path) / "checkpoint-6" / "adapter.bin").write_text("half")
    assert newest_whole(tmp_path, str) == whole
    remove_unfinished(tmp_path)
    assert not staging(tmp_path).exists()
    assert all_checkpoints(tmp_path) == [whole]


def test_the_last_ones_are_kept(tmp_path: Path) -> None:
    for step in (8, 9, 10, 11):
        checkpoint(tmp_path, step)
    shutil.copytree(  # a user's own copy is none
        tmp_path / "checkpoints/checkpoint-8", tmp_path / "checkpoints/checkpoint-8.bak"
    )
    keep_last(tmp_path, 2)
    assert [path.name for path in all_checkpoints(tmp_path)] == ["checkpoint-10", "checkpoint-11"]
    remove_all(tmp_path)
    assert all_checkpoints(tmp_path) == []
    assert newest_whole(tmp_path, str) is None


@pytest.mark.parametrize(
    "problem",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 450496 vs 450384"),
    ],
)
def test_a_full_disk_is_told_whatever_the_library_says_and_the_last_checkpoint_is_intact(
    tmp_path: Path, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = checkpoint(tmp_path, 4)
    half = staging(tmp_path) / "checkpoint-8"
    half.mkdir()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(TrainingError) as caught, disk_faults(tmp_path, "the checkpoint of step 8"):
        raise problem
    assert "the checkpoint of step 8 could not be written, the disk is full" in caught.value.message
    assert "checkpoint-4 is intact" in caught.value.message
    assert "--resume" in caught.value.hint
    assert fault_of(whole) is None
    assert not half.exists(), "the half-written one still takes the room"


@pytest.mark.parametrize(
    "problem", [PermissionError(errno.EACCES, "Permission denied"), RuntimeError("a bug")]
)
def test_other_faults_are_not_taken_for_a_full_disk(tmp_path: Path, problem: Exception) -> None:
    with pytest.raises(type(problem)) as caught, disk_faults(tmp_path, "it"):
        raise problem
    assert caught.value is problem
