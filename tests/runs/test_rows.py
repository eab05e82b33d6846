"""Rows that are not what they should be: set aside, taken for unknown or refused, and never in silence."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import Question, write_questions
from lawqa.runs.rows import row_problems

Row = dict[str, Any]
Change = Callable[[list[Row]], None]
DEEP: list[Any] = [[[[1]]]]
HUGE = 10**400


def question(number: int, **fields: Any) -> Question:
    settings: dict[str, Any] = {
        "id": f"民法_{number}",
        "text": f"問{number}",
        "choices": (f"甲{number}", f"乙{number}", f"丙{number}", f"丁{number}"),
        "gold": "c",
    }
    return Question(**{**settings, **fields})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished run `r` of generated answers to four questions, and its copy `r2`."""
    monkeypatch.chdir(tmp_path)
    write_questions(Path("q.json"), [question(number) for number in range(4)])
    Path("s.json").write_text(json.dumps({"*": "最終回答: c"}), encoding="utf-8")
    assert main([*FLAGS, "--run-dir", "r"]) == 0
    shutil.copytree("r", "r2")


FLAGS = [
    "evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json",
    "--answer-by", "generate", "--mode", "cot",
]  # fmt: skip


def rows() -> list[Row]:
    text = Path("r/results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def store(changed: list[Row]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in changed)
    Path("r/results.jsonl").write_text(text, encoding="utf-8")


def summary() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("r/summary.json").read_text(encoding="utf-8"))
    return found


READERS = (
    ["rescore", "r"],
    ["compare", "r2", "r"],
    ["report", "r", "-o", "page.html", "--fresh"],
    ["log", "r", "-o", "log.md", "--fresh"],
    [*FLAGS, "--run-dir", "r", "--resume"],
)

DAMAGED = [
    ("completion_tokens", None), ("completion_tokens", "12"), ("completion_tokens", float("nan")),
    ("completion_tokens", DEEP), ("completion_tokens", HUGE), ("completion_tokens", -1),
    ("completion_tokens", 1.5),
    ("seconds", "fast"), ("seconds", float("inf")), ("prompt_tokens", {}), ("hit_limit", "no"),
    ("stopped", 3),
    ("label_mass", HUGE), ("law", 7), ("references", None), ("span", [1]), ("retrieved_articles", [{}]),
    ("forced_answer", "e"), ("thinking_closed", 1), ("prompt", 3), ("error", []), ("gold_retrieved", "yes"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value"), DAMAGED, ids=[f"{key}-{number}" for number, (key, _) in enumerate(DAMAGED)]
)
def test_a_damaged_measure_is_taken_for_unknown_and_noted(
    capsys: pytest.CaptureFixture[str], key: str, value: Any
) -> None:
    pytest.importorskip("matplotlib", reason="the report needs lawqa[report]")
    first, *others = rows()
    store([{**first, key: value}, *others])
    # Every reader for the field that was met; all share one function, and reports take their time.
    for command in (
        READERS if (key, value) == ("completion_tokens", "12") else (READERS[0], READERS[-1])
    ):
        capsys.readouterr()
        assert main(command) == 0, command
        told = "".join(capsys.readouterr())
        if command[0] in ("report", "log"):
            told = Path(command[3]).read_text(encoding="utf-8")
        named = (
            "壊れた値（不明として扱った）"
            if command[0] == "log"
            else "DAMAGED ROWS: taken for unknown"
        )
        assert re.search(f"{named}[：:] ?results.jsonl line 1: key", told), command
        assert key in told
    assert summary()["correct_count"] == 4
    assert "DAMAGED ROWS" in summary()["notes"][-1]


def test_a_measure_that_is_missing_is_unknown() -> None:
    first, *others = rows()
    del first["completion_tokens"]
    store([first, *others])
    assert main([*FLAGS, "--run-dir", "r", "--resume"]) == 0
    assert summary()["texts"]["completion_tokens"] == 3 * len("最終回答: c")


def foreign(changed: list[Row]) -> None:
    changed.append({**changed[0], "file_name": "刑法_1"})


def other_order(changed: list[Row]) -> None:
    changed.append({**changed[0], "order": 7})


def another_sample(changed: list[Row]) -> None:
    changed.append({**changed[0], "repeat": 1})


FOREIGN = [
    (foreign, "刑法_1#1 was not asked by this run"),
    (other_order, "民法_0#7 was not asked by this run"),
    (another_sample, "answer 2 to 民法_0#1, and 1 were asked for"),
]


@pytest.mark.parametrize(("change", "why"), FOREIGN)
def test_a_line_that_was_not_asked_for_is_not_counted(
    capsys: pytest.CaptureFixture[str], change: Change, why: str
) -> None:
    changed = rows()
    change(changed)
    store(changed)
    for command in READERS[:2]:
        capsys.readouterr()
        assert main(command) == 0
        assert f"SET ASIDE: not counted: results.jsonl line 5: {why}" in "".join(
            capsys.readouterr()
        )
    assert len(rows()) == 5, "readers change nothing"
    assert main(READERS[-1]) == 0
    assert summary()["total_count"] == 4


REPLACED = [
    (
        {"prompt_spec": "direct-closed-v1"},
        "was put as direct-closed-v1, this run's are cot-closed-v1",
    ),
    ({"answer_by": "logits"}, "was answered by logits, this run's are by generate"),
    ({"question": "別の問"}, "has another wording than the one asked"),
    ({"choices": "a 1\nb 2\nc 3\nd 4"}, "has another wording than the one asked"),
    ({"outcome": "wrong"}, "contradict each other"),
    ({"predicted_answer": "a"}, "contradict each other"),
    ({"predicted_answer": "z"}, "key 'predicted_answer' is 'z', expected one of a b c d or null"),
    ({"schema_version": 2}, "key 'schema_version' is 2, expected 1"),
    ({"order": "1"}, "key 'order' is '1', expected 1 to 24"),
    ({"order": True}, "key 'order' is True, expected 1 to 24"),
    ({"repeat": -1}, "key 'repeat' is -1, expected a whole number from 0"),
    ({"response": None}, "key 'response' is None, expected text"),
    ({"label_logprobs": [0, 0, 0, HUGE]}, "key 'label_logprobs' is"),
    ({"label_logprobs": [float("nan")] * 4}, "key 'label_logprobs' is"),
]


@pytest.mark.parametrize(("fields", "why"), REPLACED)
def test_a_row_that_is_no_answer_is_named_and_asked_again(
    capsys: pytest.CaptureFixture[str], fields: Row, why: str
) -> None:
    first, second, *others = rows()
    store([first, {**second, **fields}, *others])
    for command in READERS[:3] if fields == {"schema_version": 2} else READERS[:1]:
        capsys.readouterr()
        assert main(command) == 2, command
        err = capsys.readouterr().err
        assert "results.jsonl: holds 3 answers, and 4 were given; these are none:" in err
        assert "  result 2: " in err
        assert why in err
        assert "Traceback" not in err
    assert main(READERS[-1]) == 0
    err = capsys.readouterr().err
    assert "SET ASIDE: not counted: results.jsonl line 2: " in err
    assert "what was set aside is kept in set-aside.jsonl" in err
    assert [row["file_name"] for row in rows()] == [f"民法_{number}" for number in range(4)]
    assert len(Path("r/set-aside.jsonl").read_bytes().splitlines()) == 1
    assert main(["rescore", "r"]) == 0


def test_two_lines_that_answer_one_question_differently_are_refused_by_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed = rows()
    other = {**changed[1], "response": "最終回答: a", "predicted_answer": "a", "outcome": "wrong"}
    store([*changed, {**other, "is_correct": False}])
    before = Path("r/results.jsonl").read_bytes()
    for command in READERS:
        assert main(command) == 2, command
        err = capsys.readouterr().err
        assert "results.jsonl line 2 and results.jsonl line 5 answer 民法_1#1 differently" in err
    assert Path("r/results.jsonl").read_bytes() == before


def test_the_same_line_twice_is_one_answer() -> None:
    changed = rows()
    store([*changed, changed[2]])
    assert main(["rescore", "r"]) == 0


def test_a_torn_last_line_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("r/results.jsonl")
    path.write_bytes(path.read_bytes()[:-20])
    assert main(READERS[-1]) == 0
    assert "ends with half a line" in capsys.readouterr().err
    assert len(rows()) == 4


def test_what_is_stored_is_checked_first() -> None:
    for row in rows():
        assert row_problems(row) == ()
    assert row_problems({**rows()[0], "seconds": float("nan")}) == (
        "key 'seconds' is nan, expected a finite number or null",
    )
    assert row_problems([]) == ("is not an object but list",)


# --- another scripted table, which is another model


def test_a_script_that_answers_otherwise_is_another_run(capsys: pytest.CaptureFixture[str]) -> None:
    store(rows()[:2])
    before = Path("r/results.jsonl").read_bytes()
    Path("s.json").write_text(json.dumps({"*": "最終回答: a"}), encoding="utf-8")
    assert main(READERS[-1]) == 2
    assert "is not the same run" in (err := capsys.readouterr().err)
    assert "the script: then *: " in err
    assert Path("r/results.jsonl").read_bytes() == before


# --- questions that contradict each other


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_contradictions_under_one_id_are_refused_all_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    whole = tmp_path / "whole.json"
    write_questions(
        whole,
        [
            question(1),
            question(1, order=2, gold="a"),
            question(1, order=3, text="別の問"),
            question(1, order=4, choices=("甲1", "乙1", "丙1", "戊")),
            question(2),
            question(2),
            question(3, choices=("乙3", "甲3", "丙3", "丁3")),
            question(3, order=2, gold="c"),
        ],
    )
    samples = json.loads(whole.read_text(encoding="utf-8"))["samples"]
    path = tmp_path / f"q.{suffix}"
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in samples)
    path.write_text(lines if suffix == "jsonl" else json.dumps(samples), encoding="utf-8")
    assert main(["data", "check", str(path)]) == 2
    err = capsys.readouterr().err
    place = "line" if suffix == "jsonl" else "item"
    assert f"{path}: 4 problems" in err
    assert (
        f"{place} 2 (民法_1): field output: the right choice is not the text that is right in"
        in err
    )
    assert f"{place} 3 (民法_1): field 問題文: the id is the same, the text is not that of" in err
    assert f"{place} 4 (民法_1): field 選択肢: 民法_1#4 does not have the same choices as" in err
    assert f"民法_2#1: occurs 2 times ({place} 5, {place} 6)" in err
