"""Results on disk: found again whatever a crash left, the better of two, in any sequence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lawqa.errors import DataError
from lawqa.runs.result_log import ResultLog, bring_together, find_results, state_of

pytestmark = pytest.mark.every_python


def row(number: int, outcome: str = "correct", **fields: Any) -> dict[str, Any]:
    return {
        "file_name": f"民法_{number}",
        "order": 1,
        "outcome": outcome,
        "predicted_answer": "a" if outcome in ("correct", "wrong") else None,
        "answer_by": "generate",
        "text": "二\n行\u2028目",
        **fields,
    }


def write(path: Path, *rows: dict[str, Any]) -> None:
    log = ResultLog(path)
    for one in rows:
        log.append(one)
    log.close()


def key(number: int, repeat: int = 0) -> tuple[str, int]:
    return f"民法_{number}#1", repeat


def test_what_was_appended_is_found_again(tmp_path: Path) -> None:
    write(tmp_path / "results.jsonl", row(1), row(2, repeat=3))
    write(tmp_path / "results.jsonl", row(3))
    found = find_results(tmp_path)
    assert list(found.places) == [key(1), key(2, 3), key(3)]
    assert list(found.rows([key(3), key(1)])) == [row(3), row(1)]
    assert (found.torn, found.plain) == ((), True)


def test_a_line_is_with_the_system_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    log = ResultLog(tmp_path / "results.jsonl")
    for number in range(3):
        log.append(row(number))
        assert len(find_results(tmp_path).places) == number + 1
    log.close()


def test_lines_are_forced_to_the_disk_now_and_then_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    log = ResultLog(tmp_path / "results.jsonl")
    for number in range(1000):
        log.append(row(number))
    assert len(synced) <= 2, "not for every line"
    log.close()
    assert synced


def test_a_directory_without_results_holds_none(tmp_path: Path) -> None:
    found = find_results(tmp_path)
    assert (found.places, found.torn, found.plain) == ({}, (), True)


@pytest.mark.parametrize("state", ["failed", "open", "whole"])
def test_what_is_still_to_be_done(state: str) -> None:
    states = {
        "failed": [row(1, "failed")],
        "open": [row(1, "unparsed"), row(1, "truncated"), row(1, "unparsed", forced_answer=None)],
        "whole": [
            row(1), row(1, "wrong"), row(1, "unparsed", forced_answer="a"),
        ],
    }  # fmt: skip
    assert {state_of(one) for one in states[state]} == {state}


def test_of_two_results_the_better_stands_and_of_equals_the_later(tmp_path: Path) -> None:
    write(tmp_path / "results.jsonl", row(1, "failed"), row(2), row(3, "unparsed"), row(4))
    write(
        tmp_path / "parts" / "rank0.jsonl",
        row(1), row(2, "failed"), row(3, "unparsed", forced_answer="b"), row(4, "wrong"),
    )  # fmt: skip
    found = find_results(tmp_path)
    assert not found.plain
    kept = list(found.rows([key(number) for number in (1, 2, 3, 4)]))
    assert kept == [row(1), row(2), row(3, "unparsed", forced_answer="b"), row(4, "wrong")]


def test_parts_are_brought_together_in_the_sequence_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "results.jsonl", row(2))
    write(tmp_path / "parts" / "rank1.jsonl", row(3))
    write(tmp_path / "parts" / "rank0.jsonl", row(1), row(2, "failed"))
    bring_together(tmp_path, find_results(tmp_path), [key(1), key(2), key(3)])
    lines = (tmp_path / "results.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line)["file_name"] for line in lines[:-1]] == ["民法_1", "民法_2", "民法_3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.jsonl"]


@pytest.mark.parametrize("cut", [1, 10, 60, -1])
def test_half_a_line_at_the_end_is_none(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "results.jsonl"
    write(path, row(1))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:cut])
    found = find_results(tmp_path)
    assert (list(found.places), found.torn, found.plain) == ([key(1)], (path,), False)
    bring_together(tmp_path, found, [key(1)])
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"file_name": "a"}'])
def test_a_broken_line_elsewhere_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "results.jsonl"
    write(path, row(1))
    whole = path.read_bytes()
    path.write_bytes(whole + line.encode() + b"\n" + whole)
    with pytest.raises(DataError, match=r"results\.jsonl: line 2 is broken"):
        find_results(tmp_path)


def test_a_crash_while_bringing_together_leaves_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "results.jsonl", row(1))
    write(tmp_path / "parts" / "rank0.jsonl", row(2))
    found = find_results(tmp_path)

    def die(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        bring_together(tmp_path, found, [key(1), key(2)])
    assert set(find_results(tmp_path).places) == {key(1), key(2)}
