"""Where compiled kernels are kept."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from lawqa.models.kernels.compiled import prepare_cache


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def no_home(tmp_path: Path) -> dict[str, str]:
    """The environment of a home in which nobody can write."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    return {"TRITON_HOME": str(tmp_path / "file")}


def test_an_empty_cache_is_announced_and_a_filled_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    environment = {"TRITON_HOME": str(tmp_path)}
    directory = prepare_cache(environment)
    assert directory == tmp_path / ".triton" / "cache"
    assert [record.getMessage() for record in caplog.records] == [
        f"note: kernels are compiled for this card and kept in {directory}: later commands begin sooner"
    ]
    (directory / "kernel").mkdir()
    caplog.clear()
    assert prepare_cache(environment) == directory
    assert caplog.records == []
    assert environment == {"TRITON_HOME": str(tmp_path)}


def test_triton_s_own_variable_decides(tmp_path: Path) -> None:
    given = {"TRITON_CACHE_DIR": str(tmp_path / "here"), "TRITON_HOME": str(tmp_path)}
    assert prepare_cache(given) == tmp_path / "here"


def test_a_home_that_cannot_be_written_is_no_reason_for_slow_kernels(
    no_home: dict[str, str], temporary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = prepare_cache(no_home)
    assert directory.parent == temporary
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert no_home["TRITON_CACHE_DIR"] == str(directory)
    assert "cannot be written: compiled kernels are kept in" in caplog.records[0].getMessage()
    (directory / "kernel").mkdir()
    del no_home["TRITON_CACHE_DIR"]
    assert prepare_cache(no_home) == directory  # the next process finds them


def test_what_others_could_write_is_not_run(no_home: dict[str, str], temporary: Path) -> None:
    first = prepare_cache(no_home)
    first.chmod(0o777)
    del no_home["TRITON_CACHE_DIR"]
    second = prepare_cache(no_home)
    assert second != first
    assert second.parent == temporary
    assert stat.S_IMODE(second.stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(
    no_home: dict[str, str], temporary: Path, tmp_path: Path
) -> None:
    first = prepare_cache(no_home)
    first.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    first.symlink_to(tmp_path / "elsewhere")
    del no_home["TRITON_CACHE_DIR"]
    assert prepare_cache(no_home).parent == temporary
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert no_home["TRITON_CACHE_DIR"] != str(first)
