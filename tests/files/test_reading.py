"""Text and JSON files, read whole or refused with what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.files import json_lines, read_json

pytestmark = pytest.mark.every_python


def test_json_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    value = {"法": [1, -2.5, None, True, "二\n行\u2028目"], "空": {}}
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8-sig")
    assert read_json(path) == value


def test_a_file_of_lines_is_closed_though_its_reader_gives_up(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("1\n2\n", encoding="utf-8")
    with pytest.raises(KeyError), json_lines(path) as lines:
        raise KeyError(next(lines))
    # A generator that was closed is at its end, and so is its file.
    assert list(lines) == []


def test_json_lines_are_numbered_from_one(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("\n1\n\n[2]\n", encoding="utf-8")
    with json_lines(path) as lines:
        assert list(lines) == [(2, 1), (4, [2])]
