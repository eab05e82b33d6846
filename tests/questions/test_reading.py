"""Questions are read from their file when they are asked for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lawqa.choices import permute
from lawqa.errors import DataError
from lawqa.questions import read_question_file, read_questions

pytestmark = pytest.mark.every_python

NUMBER = 400
"""More than are kept once they were read."""


def write_set(path: Path, number: int = NUMBER) -> Path:
    samples = [
        {
            "ファイル名": f"試験法_{i}", "問題文": f"第{i}号で正しいものはどれか。", "output": "abcd"[i % 4],
            "選択肢": f"a 一の{i}\nb 二の{i}\nc 三の{i}\nd 四の{i}",
        }
        for i in range(number)
    ]  # fmt: skip
    text = json.dumps(samples, ensure_ascii=False)
    if path.suffix == ".jsonl":
        text = "\n\n".join(json.dumps(sample, ensure_ascii=False) for sample in samples)
    path.write_text(text, encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("name", ["q.json", "q.jsonl"])
def test_questions_come_in_any_sequence_and_again(tmp_path: Path, name: str) -> None:
    questions = read_question_file(write_set(tmp_path / name)).questions
    assert len(questions) == NUMBER
    assert [questions[n].id for n in (NUMBER - 1, 0, 7, 0)] == [
        f"試験法_{n}" for n in (NUMBER - 1, 0, 7, 0)
    ]
    assert [one.choices[0] for one in questions[5:8]] == ["一の5", "一の6", "一の7"]
    assert tuple(questions) == read_questions(tmp_path / name)


def test_orders_are_named_after_the_lowest_one_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    original, order = ("一", "二", "三", "四"), (1, 2, 3, 0)
    rows = []
    for number, choices, gold in ((2, permute(original, order), "d"), (1, original, "a")):
        lines = "\n".join(f"{label} {text}" for label, text in zip("abcd", choices, strict=True))
        rows.append({"ファイル名": "民法_1", "問題文": "問", "選択肢": lines, "output": gold,
                     "回答オーダーマップ番号": number})  # fmt: skip
    path.write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8"
    )
    assert [one.permutation for one in read_question_file(path).questions] == [order, (0, 1, 2, 3)]


def test_what_comes_through_a_pipe_is_read(tmp_path: Path) -> None:
    raw = write_set(tmp_path / "q.json", 3).read_bytes()
    out, into = os.pipe()
    os.write(into, raw)
    os.close(into)
    questions = read_question_file(f"/dev/fd/{out}").questions
    os.close(out)
    assert [one.id for one in questions] == ["試験法_0", "試験法_1", "試験法_2"]


def test_a_file_that_changes_while_its_questions_are_asked_is_refused(tmp_path: Path) -> None:
    path = write_set(tmp_path / "q.json")
    questions = read_question_file(path).questions
    first = questions[0]
    path.touch()
    assert questions[399].id.endswith("399")  # only the time has changed
    with path.open("r+b") as file:
        file.seek(-3, 2)
        file.write(b"\n")
    with pytest.raises(DataError, match=r"q\.json: was changed while its questions were asked"):
        questions[200]
    path.unlink()
    assert first.id.endswith("0")


def test_a_removed_file_can_still_be_asked(tmp_path: Path) -> None:
    path = write_set(tmp_path / "q.json")
    questions = read_question_file(path).questions
    path.unlink()
    assert [one.id for one in questions] == [f"試験法_{i}" for i in range(400)]
