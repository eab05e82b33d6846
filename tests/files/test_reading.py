"""Text and JSON files, read whole or refused with what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.errors import DataError
from lawqa.files import json_lines, parse_json, read_json

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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "key 'a' occurs more than once in one object"),
        ('[{"x": {"問": 1, "問": 1}}]', "key '問' occurs more than once in one object"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("9" * 5000, "Exceeds the limit"),
        ("[" * 100_000, "JSON nested too deeply to be read"),
        ('{"a": \n }', "broken JSON at line 2, column 2: "),
    ],
)
def test_json_that_cannot_be_trusted_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_json(text, Path("法.json"))
    assert caught.value.message.startswith(f"法.json: {message}")


def test_what_is_wrong_with_a_line_is_found_at_its_number(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('1\n\n{"a": 1, "a": 2}\n', encoding="utf-8")
    with (
        pytest.raises(DataError, match=r"x\.jsonl: line 3: key 'a' occurs more than once"),
        json_lines(path) as lines,
    ):
        list(lines)


@pytest.mark.parametrize(("encoding", "named"), [("utf-16", "utf-16"), ("cp932", "cp932")])
def test_the_hint_names_the_likely_encoding(tmp_path: Path, encoding: str, named: str) -> None:
    path = tmp_path / "x.json"
    path.write_text("問題", encoding=encoding)
    with pytest.raises(DataError) as caught:
        read_json(path)
    assert f"iconv -f {named} -t utf-8" in caught.value.hint
