"""Files read whole or refused, and written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lawqa.errors import DataError, disk_fault, printable
from lawqa.files import json_lines, parse_json, read_json, written_whole

pytestmark = pytest.mark.every_python


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


def test_half_a_surrogate_pair_survives_in_json(tmp_path: Path) -> None:
    name = os.fsdecode("法".encode("cp932"))
    path = tmp_path / "x.json"
    with written_whole(path) as file:
        file.write(json.dumps({"path": name}, ensure_ascii=False))
    assert read_json(path) == {"path": name}


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (OSError(28, "No space left on device"), "there is no room left: No space left on device"),
        (OSError(27, "File too large", "r"), "r: there is no room left: File too large"),
        (OSError(30, "Read-only file system", "r"), "r: cannot be written or read: Read-only file system"),
        (PermissionError(13, "Permission denied", "r"), "r: cannot be written or read: Permission denied"),
    ],
)  # fmt: skip
def test_what_a_disk_says_is_no_bug(problem: OSError, message: str) -> None:
    fault = disk_fault(problem)
    assert fault is not None
    assert fault.message == message
    assert fault.hint


def test_what_else_a_system_says_stays_a_bug() -> None:
    assert disk_fault(OSError(9, "Bad file descriptor")) is None
    assert disk_fault(OSError("no number")) is None


def test_a_message_keeps_its_text_and_loses_its_tricks() -> None:
    assert printable("問題\u3000一\n二 é 𠮟") == "問題\u3000一\n二 é 𠮟"
    assert printable("a\x1b[2J\u202eb\r\x00") == "a\\u001b[2J\\u202eb\\u000d\\u0000"
