"""The cache of the Hugging Face hub, looked at without its library."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.hub import cache_directory, cached_snapshot, download_line

_NAMES = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME")


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "~/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HF_HOME": "/h", "XDG_CACHE_HOME": "/c"}, "/h/hub"),
        ({"HF_HUB_CACHE": "/k", "HF_HOME": "/h"}, "/k"),
    ],
)
def test_the_cache_is_where_the_hub_s_library_has_it(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_directory() == Path(expected).expanduser()


def test_a_snapshot_is_found_by_branch_and_by_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--Qwen--Qwen3-8B"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc\n", encoding="utf-8")
    snapshot = repository / "snapshots" / "abc"
    assert cached_snapshot("Qwen/Qwen3-8B") is None, "half a download"
    snapshot.mkdir(parents=True)
    assert cached_snapshot("Qwen/Qwen3-8B") == snapshot
    assert cached_snapshot("Qwen/Qwen3-8B", "abc") == snapshot
    assert cached_snapshot("Qwen/Qwen3-8B", "other") is None


def test_the_download_goes_where_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert download_line("Qwen/Qwen3-8B") == "hf download Qwen/Qwen3-8B"
    monkeypatch.setenv("HF_HOME", "/big disk")
    assert download_line("m", "--revision", "a") == "HF_HOME='/big disk' hf download m --revision a"
