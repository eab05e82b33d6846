"""Damaged index files x commands: exit code 2, never another answer; a full disk leaves nothing."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lawqa.cli import main

pytest.importorskip("bm25s", reason="pip install 'lawqa[rag]'")
pytestmark = pytest.mark.rough

Capture = pytest.CaptureFixture[str]
Damage = Callable[[Path], None]


def _articles(path: Path) -> None:
    rows = [
        {
            "law_id": f"90{law}AC01", "law_title": f"第{law}試験法", "article": str(number), "caption": "",
            "paragraphs": [{"num": 1, "text": f"買主{number}は代金{law}を支払う。"}],
        }
        for law in (1, 2)
        for number in (1, 2, 3)
    ]  # fmt: skip
    path.write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8"
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("index")
    _articles(directory / "a.jsonl")
    build = ["index", "build", "--articles", str(directory / "a.jsonl")]
    assert main([*build, "--output-dir", str(directory / "i"), "--quiet"]) == 0
    return directory / "i"


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flipped(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def _removed(path: Path) -> None:
    path.unlink()


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _swapped(path: Path) -> None:
    """With the bytes of its neighbour, as an unlucky copy does."""
    others = (other.read_bytes() for other in sorted(path.parent.iterdir()) if other > path)
    before = path.read_bytes()
    path.write_bytes(next((raw for raw in others if raw != before), b"x"))


DAMAGES = (_emptied, _cut, _flipped, _removed, _directory, _swapped)
FILES = (
    "articles.bin", "article_blocks.npy", "data.csc.index.npy", "first_unit.npy", "id_rank.npy",
    "indices.csc.index.npy", "indptr.csc.index.npy", "is_main.npy", "key_of.npy", "keys.npy",
    "law_of.npy", "laws.json", "link_starts.npy", "links.npy", "tokens.npy",
)  # fmt: skip


def refused(capsys: Capture, index: Path) -> str:
    capsys.readouterr()
    code = main(["index", "search", "代金を支払う", "--index", str(index)])
    said = capsys.readouterr()
    assert code == 2, said
    assert said.out == ""
    assert "Traceback" not in said.err
    assert "lawqa index build" in said.err
    return said.err


def test_every_file_of_an_index_is_damaged_here(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {*FILES, "manifest.json"}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_found_before_anything_is_answered(
    whole: Path, tmp_path: Path, capsys: Capture, name: str, damage: Damage
) -> None:
    index = shutil.copytree(whole, tmp_path / "i")
    damage(index / name)
    err = refused(capsys, index)
    assert "the index is not whole" in err
    assert name in err


KEYS: tuple[tuple[str, object], ...] = (
    ("counts.articles", "3"), ("counts.units", None), ("counts.laws", -1), ("counts.links", 2.5),
    ("corpus", []), ("corpus.path", 1), ("corpus.sha256", None), ("parameters", "bm25"),
    ("dense", "cl"), ("dense", {"model": 3, "dimension": 2}), ("dense", {"model": "m"}), ("dense", {}),
    ("revisions", {"first": "20250601"}), ("revisions", []), ("index_sha256", 1), ("started", 0),
    ("ended", None), ("environment", None), ("files.tokens.npy.size", True),
    ("files.tokens.npy.sha256", ...), ("counts.laws", ...), ("corpus.path", ...), ("dense", ...),
    ("ended", ...), ("files", ...),
)  # fmt: skip
"""What a key is changed to; an ellipsis takes it away."""


def test_a_manifest_that_lost_or_changed_a_key_is_refused_by_that_key(
    whole: Path, tmp_path: Path, capsys: Capture
) -> None:
    index = shutil.copytree(whole, tmp_path / "i")
    content = (index / "manifest.json").read_text(encoding="utf-8")
    for key, value in KEYS:
        changed = json.loads(content)
        *outer, last = key.split(".", 1) if key.startswith("files.") else key.split(".")
        if key.startswith("files."):
            file, last = last.rsplit(".", 1)
            outer = [*outer, file]
        inner = changed
        for name in outer:
            inner = inner[name]
        if value is ...:
            del inner[last]
        else:
            inner[last] = value
        (index / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
        err = refused(capsys, index)
        assert (
            f"manifest.json: {'has no key' if value is ... else 'key'}" in err or "no key" in err
        ), key
        assert f"'{key}" in err, (key, err)


def test_an_index_of_the_time_before_revisions_were_counted_is_read(
    whole: Path, tmp_path: Path, capsys: Capture
) -> None:
    index = shutil.copytree(whole, tmp_path / "i")
    content = json.loads((index / "manifest.json").read_text(encoding="utf-8"))
    del content["revisions"]
    (index / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    assert main(["index", "info", "--index", str(index)]) == 0
    assert "not counted when it was built" in capsys.readouterr().out


MANIFESTS: dict[str, dict[str, Any]] = {
    "files-null": {"files": None}, "files-list": {"files": []}, "files-empty": {"files": {}},
    "hash-changed": {"index_sha256": "0" * 64}, "hash-null": {"index_sha256": None},
    "format-other": {"index_format": 99}, "format-null": {"index_format": None},
    "entry-text": {"files": {"tokens.npy": "x"}},
    "entry-size": {"files": {"tokens.npy": {"size": "1", "sha256": "0"}}},
    "path-outside": {"files": {"../../a": {"size": 1, "sha256": "0"}}},
    "counts-null": {"counts": None},
}  # fmt: skip


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_changed_manifest_is_refused(
    whole: Path, tmp_path: Path, capsys: Capture, name: str
) -> None:
    index = shutil.copytree(whole, tmp_path / "i")
    content = json.loads((index / "manifest.json").read_text(encoding="utf-8"))
    text = json.dumps({**content, **MANIFESTS[name]})
    (index / "manifest.json").write_text(text, encoding="utf-8")
    refused(capsys, index)


def _no_room_of_numpy(*_: object, **__: object) -> None:
    raise OSError("4096 requested and 0 written")


def _no_room(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("full", [_no_room, _no_room_of_numpy])
def test_a_full_disk_ends_a_build_with_nothing_half_left(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, full: Callable[..., None]
) -> None:
    _articles(tmp_path / "a.jsonl")
    monkeypatch.setattr(np, "save", full)
    build = ["index", "build", "--articles", str(tmp_path / "a.jsonl"), "--quiet"]
    assert main([*build, "--output-dir", str(tmp_path / "i")]) == 2
    err = capsys.readouterr().err
    assert "no room" in err or "the disk is full" in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
