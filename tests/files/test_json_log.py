"""A file of JSON objects, a line each, that survives a crash in the middle of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.errors import DataError
from lawqa.files.json_log import JsonLog, lines_again, scan_lines


def test_what_was_appended_is_read_again_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.jsonl"
    log = JsonLog(path)
    places = [log.append({"text": text}) for text in ("一", "two", "三")]
    log.close()
    rows = [(line, row) for line, row in scan_lines(path)]
    assert [row for _, row in rows] == [{"text": "一"}, {"text": "two"}, {"text": "三"}]
    assert [(line.start, line.end) for line, _ in rows] == [(p.start, p.end) for p in places]
    assert list(lines_again(reversed(places))) == path.read_bytes().splitlines(keepends=True)[::-1]


def test_half_a_line_at_the_end_is_none_and_one_before_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": ')
    assert [row for _, row in scan_lines(path)] == [{"a": 1}, None]
    path.write_bytes(b'{"a": 1}\n{"a": \n{"a": 3}\n')
    with pytest.raises(DataError, match="line 2 is broken"):
        list(scan_lines(path))
