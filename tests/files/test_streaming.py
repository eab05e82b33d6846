"""A streamed file says the same as a file that is read whole, and its faults are called the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lawqa.errors import DataError
from lawqa.files import Member, json_members, json_pieces, parse_json, read_json, seekable

pytestmark = pytest.mark.every_python

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


def members(path: Path) -> list[Member]:
    with seekable(path) as file:
        return list(json_members(file, path, ("long",)))


def joined(read: list[Member]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for member in read:
        if member.number:
            whole[member.key].append(member.value)
            assert member.number == len(whole[member.key])
        else:
            whole[member.key] = member.value
    return whole


@pytest.fixture(params=[1, 7, 2**20])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The bytes that are read at a time: fewer than a character has, than a value has, all."""
    monkeypatch.setattr("lawqa.files.streaming._PIECE", request.param)
    size: int = request.param
    return size


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.usefixtures("piece")
def test_a_file_is_read_as_it_is_read_whole(tmp_path: Path, indent: int | None) -> None:
    value = {
        "a": [1, {"b": "民法"}],
        "long": [12345, {"c": [], "d": "\u2028\n]"}, "", [], 1.5e3],
        "z": "𠮷",
    }
    path = tmp_path / "x.json"
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")
    read = members(path)
    assert joined(read) == value
    raw = path.read_bytes()
    assert [json.loads(raw[m.start : m.end]) for m in read if m.number] == value["long"]


@given(VALUES, st.lists(VALUES, max_size=4), VALUES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_file_is_read_as_it_is_read_whole(
    tmp_path: Path, before: object, long: list[object], after: object
) -> None:
    path = tmp_path / "x.json"
    value = {"before": before, "long": long, "after": after}
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    assert joined(members(path)) == value


def test_a_list_is_one_long_list_without_a_name(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf [1, 22]")
    assert [(m.key, m.number, m.value, m.start, m.end) for m in members(path)] == [
        ("", 0, [], 5, 5), ("", 1, 1, 5, 6), ("", 2, 22, 8, 10),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", " \n", "{", '{"long": [1, 2', '{"long": [1, 2}', '{"long": [1 2]}', '{"long": [1,]}', '{"a" 1}',
        '{"a": 1,}', '{"a": 1, "a": 2}', '{"long": [], "long": []}', '{"long": [{"b": 1, "b": 2}]}',
        '{"a": NaN}', "[1] 2", '{"a": 1}}', "{1: 2}", '["open', '[tru', "[" * 100_000,
        '{"long": [' + "9" * 5000 + "]}", "nope",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("piece")
def test_faults_are_called_as_in_a_file_that_is_read_whole(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as whole:
        read_json(path)
    with pytest.raises(DataError) as streamed:
        members(path)
    assert (streamed.value.message, streamed.value.hint) == (whole.value.message, whole.value.hint)


@pytest.mark.parametrize(
    "raw", ['["法"]'.encode("cp932"), '["法'.encode()[:-1], "[1]".encode("utf-16")]
)
@pytest.mark.usefixtures("piece")
def test_other_encodings_are_called_as_in_a_file_that_is_read_whole(
    tmp_path: Path, raw: bytes
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(raw)
    with pytest.raises(DataError) as whole:
        read_json(path)
    with pytest.raises(DataError) as streamed:
        members(path)
    assert streamed.value.message == whole.value.message


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES), st.lists(VALUES, max_size=3))
@settings(max_examples=50)
def test_what_is_written_in_pieces_is_what_is_written_whole(
    value: dict[str, Any], long: list[object]
) -> None:
    whole = {**value, "long": long}
    pieces = "".join(json_pieces({**value, "long": iter(long)}))
    assert pieces == json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    assert parse_json(pieces, Path("x.json")) == whole


def test_an_empty_object_is_written_in_a_line() -> None:
    assert "".join(json_pieces({})) == "{}\n"
