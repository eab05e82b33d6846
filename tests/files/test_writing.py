"""Files that are written whole or not at all, and appended to only where they are lawqa's own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lawqa.files import read_json, write_json, written_whole

pytestmark = pytest.mark.every_python


def test_json_is_written_readably_and_ends_with_a_newline(tmp_path: Path) -> None:
    path = tmp_path / "new" / "directory" / "x.json"
    write_json(path, {"法": "民法", "n": 0.5})
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == {"法": "民法", "n": 0.5}
    assert "民法" in text
    assert text.endswith("}\n")


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {})
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o644


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.txt"
    with written_whole(path) as file:
        file.write("一\n")
        assert not path.exists()
    assert path.read_bytes() == "一\n".encode()
    with written_whole(path) as file:
        file.write("二")
        assert path.read_bytes() == "一\n".encode()
    assert path.read_bytes() == "二".encode()
    assert [found.name for found in path.parent.iterdir()] == ["x.txt"]


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old", encoding="utf-8")

    def die() -> None:
        with written_whole(path) as file:
            file.write("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    assert path.read_text(encoding="utf-8") == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["x.txt"]


def test_half_a_surrogate_pair_survives_in_json(tmp_path: Path) -> None:
    name = os.fsdecode("法".encode("cp932"))
    path = tmp_path / "x.json"
    with written_whole(path) as file:
        file.write(json.dumps({"path": name}, ensure_ascii=False))
    assert read_json(path) == {"path": name}
