from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lawqa.errors import DataError
from lawqa.files.json_log import JsonLog, Line
from lawqa.runs.result import Result
from lawqa.runs.result_index import ResultIndex, result_in

ONE = Result(
    question_id="民法_1", question="何年ですか。", choices=("一年", "二年", "三年", "四年"), gold="a",
    label="a",
    outcome="correct", response="a", answer_by="generate", prompt_spec="direct-closed-v1", law="民法",
    hit_limit=False, completion_tokens=1,
)  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> JsonLog:
    return JsonLog(tmp_path / "results.jsonl")


def test_results_are_read_from_their_lines_in_the_sequence_in_which_they_came(log: JsonLog) -> None:
    results = [replace(ONE, question_id="民法_2"), ONE, replace(ONE, repeat=3)]
    index = ResultIndex()
    for one in results:
        index.put(one.key, log.append(one.to_json()), one.state)
    log.close()
    assert list(index.values()) == results
    assert list(index) == [("民法_2#1", 0), ("民法_1#1", 0), ("民法_1#1", 3)]
    assert (len(index), index.read(1), index["民法_1#1", 3]) == (3, ONE, results[2])
    assert ("民法_1#1", 1) not in index
    assert index.state(("民法_1#1", 0)) == "whole"
    assert index.state(("民法_1#1", 1)) == "failed"


def test_a_better_line_takes_the_place_of_an_earlier_one(log: JsonLog) -> None:
    silent = replace(ONE, label=None, outcome="unparsed", response="?")
    index = ResultIndex()
    index.put(ONE.key, log.append(silent.to_json()), silent.state)
    assert (index.state(ONE.key), index[ONE.key]) == ("open", silent)
    better = log.append(ONE.to_json())
    log.close()
    index.put(ONE.key, replace(better, number=2), ONE.state)
    assert (len(index), index.state(ONE.key), index[ONE.key]) == (1, "whole", ONE)
    assert index.line(ONE.key) == Line(better.path, better.start, better.end, 2)


@pytest.mark.parametrize("line", [b"{", b"[]", json.dumps({"file_name": "x"}).encode()])
def test_a_line_that_is_no_result_any_more_is_an_error(line: bytes) -> None:
    with pytest.raises(DataError, match=r"results\.jsonl: was changed while it was read"):
        result_in(line, Path("results.jsonl"))
