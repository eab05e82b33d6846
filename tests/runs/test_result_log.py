"""Results on disk: found again whatever a crash left, the better of two, in any sequence."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from lawqa.choices import Label
from lawqa.errors import DataError
from lawqa.runs.result import Result
from lawqa.runs.result_log import ResultLog, StoredResults, read_results
from lawqa.scoring import Outcome

pytestmark = pytest.mark.every_python


def result(
    number: int, outcome: Outcome = "correct", repeat: int = 0, forced: Label | None = None
) -> Result:
    labels: dict[str, Label] = {"correct": "a", "wrong": "b"}
    return Result(
        question_id=f"民法_{number}",
        question="問",
        choices=("甲", "乙", "丙", "丁"),
        gold="a",
        label=labels.get(outcome),
        outcome=outcome,
        response="二\n行\u2028目",
        answer_by="generate",
        prompt_spec="direct-closed-v1",
        repeat=repeat,
        law="民法",
        hit_limit=False,
        completion_tokens=3,
        forced_answer=forced,
    )


def write(path: Path, *results: Result) -> None:
    log = ResultLog(path)
    for one in results:
        log.append(one)
    log.close()


def key(number: int, repeat: int = 0) -> tuple[str, int]:
    return f"民法_{number}#1", repeat


def test_what_was_appended_is_found_again(tmp_path: Path) -> None:
    write(tmp_path / "results.jsonl", result(1), result(2, repeat=3))
    write(tmp_path / "results.jsonl", result(3))
    found = read_results(tmp_path)
    assert list(found.results) == [key(1), key(2, 3), key(3)]
    assert list(found.known([key(3), key(1)])) == [result(3), result(1)]
    assert (found.torn, found.plain) == ([], True)


def test_a_line_is_with_the_system_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    log = ResultLog(tmp_path / "results.jsonl")
    for number in range(3):
        log.append(result(number))
        assert len(read_results(tmp_path).results) == number + 1
    log.close()


def test_lines_are_forced_to_the_disk_now_and_then_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    log = ResultLog(tmp_path / "results.jsonl")
    for number in range(1000):
        log.append(result(number))
    assert len(synced) <= 2, "not for every line"
    log.close()
    assert synced


def test_a_directory_without_results_holds_none(tmp_path: Path) -> None:
    found = read_results(tmp_path)
    assert (found.results, found.torn, found.plain) == ({}, [], True)


@pytest.mark.parametrize("state", ["failed", "open", "whole"])
def test_what_is_still_to_be_done(state: str) -> None:
    states = {
        "failed": [result(1, "failed")],
        "open": [result(1, "unparsed"), result(1, "truncated")],
        "whole": [
            result(1), result(1, "wrong"), result(1, "unparsed", forced="a"),
        ],
    }  # fmt: skip
    assert {one.state for one in states[state]} == {state}


def test_of_two_results_the_better_stands_and_of_equals_the_later(tmp_path: Path) -> None:
    write(
        tmp_path / "results.jsonl", result(1, "failed"), result(2), result(3, "unparsed"), result(4)
    )
    write(
        tmp_path / "parts" / "rank0.jsonl",
        result(1), result(2, "failed"), result(3, "unparsed", forced="b"), result(4, "wrong"),
    )  # fmt: skip
    found = read_results(tmp_path)
    assert not found.plain
    kept = list(found.known([key(number) for number in (1, 2, 3, 4)]))
    assert kept == [result(1), result(2), result(3, "unparsed", forced="b"), result(4, "wrong")]


def test_parts_are_brought_together_in_the_sequence_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "results.jsonl", result(2))
    write(tmp_path / "parts" / "rank1.jsonl", result(3))
    write(tmp_path / "parts" / "rank0.jsonl", result(1), result(2, "failed"))
    read_results(tmp_path).write_together(tmp_path, [key(1), key(2), key(3)])
    lines = (tmp_path / "results.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line)["file_name"] for line in lines[:-1]] == ["民法_1", "民法_2", "民法_3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.jsonl"]


@pytest.mark.parametrize("cut", [1, 10, 60, -1])
def test_half_a_line_at_the_end_is_none(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "results.jsonl"
    write(path, result(1))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:cut])
    found = read_results(tmp_path)
    assert (list(found.results), found.torn, found.plain) == ([key(1)], [path], False)
    found.write_together(tmp_path, [key(1)])
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", ["{", "[]"])
def test_a_broken_line_elsewhere_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "results.jsonl"
    write(path, result(1))
    whole = path.read_bytes()
    path.write_bytes(whole + line.encode() + b"\n" + whole)
    with pytest.raises(DataError, match=r"results\.jsonl: line 2 is broken"):
        read_results(tmp_path)


def test_a_crash_while_bringing_together_leaves_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "results.jsonl", result(1))
    write(tmp_path / "parts" / "rank0.jsonl", result(2))
    found = read_results(tmp_path)

    def die(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        found.write_together(tmp_path, [key(1), key(2)])
    assert set(read_results(tmp_path).results) == {key(1), key(2)}


def test_what_is_no_answer_is_set_aside_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path, result(1))
    foreign = b'{"file_name": "a"}\n'
    path.write_bytes(foreign + path.read_bytes())
    found = read_results(tmp_path)
    assert list(found.results) == [key(1)]
    assert found.notes[0].startswith("SET ASIDE: not counted: results.jsonl line 1: key ")
    found.write_together(tmp_path, [key(1)])
    assert (tmp_path / "set-aside.jsonl").read_bytes() == foreign
    assert (found.notes, found.plain) == ([], True)


def test_what_is_added_while_a_run_goes_on_is_written_together_without_reading_it_again(
    tmp_path: Path,
) -> None:
    known = StoredResults()
    for name, results in {
        "results.jsonl": [result(2), result(1, "unparsed")],
        "parts/rank0.jsonl": [result(1, "unparsed", forced="c")],
    }.items():
        log = ResultLog(tmp_path / name)
        for one in results:
            known.add(one, log.append(one))
        log.close()
    assert not known.plain
    known.write_together(tmp_path, [key(1), key(2)])
    found = read_results(tmp_path)
    assert list(found.results.values()) == [result(1, "unparsed", forced="c"), result(2)]
    assert found.results == known.results
    assert [found.results.line(key(n)) for n in (1, 2)] == [
        known.results.line(key(n)) for n in (1, 2)
    ]


def test_a_result_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    log = ResultLog(tmp_path / "results.jsonl")
    with pytest.raises(ValueError, match="cannot be stored: key 'seconds' is nan"):
        log.append(replace(result(1), seconds=float("nan")))
    log.close()
    assert (tmp_path / "results.jsonl").read_bytes() == b""
