"""Pairs on disk: whole and of one prompt, or refused with the line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.choices import cyclic_orders
from lawqa.errors import DataError
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, reordered
from lawqa.records import Pair, load_pairs, load_records, make_record, write_pairs

COT = PromptSpec(mode="cot")
Line = dict[str, Any]


@pytest.fixture(scope="module")
def pair(embedded_questions: tuple[Question, ...]) -> Pair:
    right = make_record(embedded_questions[0], COT, reasoning="条文の文言に照らすとこれである。")
    return Pair(right, replace(right, answer="条文の文言とは異なる。\n最終回答：d"))


def test_pairs_come_back_as_they_were_written(pair: Pair, tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", [pair, pair])
    assert load_pairs(tmp_path / "pairs.jsonl") == (pair, pair)


def test_as_records_pairs_are_their_right_answers_and_that_is_said(
    pair: Pair, tmp_path: Path
) -> None:
    """So that leaks between pairs and questions are found wherever records are read."""
    write_pairs(tmp_path / "pairs.jsonl", [pair])
    loaded = load_records(tmp_path / "pairs.jsonl")
    assert loaded.records == (pair.right,)
    assert "of each only the right answer is taken" in loaded.warnings[0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda line, other: {**line, "wrong": other["wrong"]}, "answers are to different questions"),
        (lambda line, other: {**line, "wrong": other["order"]}, "to different orders of the choices"),
        (lambda line, other: {**line, "wrong": other["spec"]}, "to different prompt specs"),
        (lambda line, _: {**line, "wrong": line["right"]}, "are the same"),
        (lambda line, _: line["right"], "expected an object with a right and a wrong record"),
        (lambda line, _: {**line, "schema_version": 2}, "schema_version 2, expected 1"),
        (lambda line, _: {**line, "wrong": {}}, "key 'schema_version' is missing"),
        (lambda line, _: {**line, "wrong": "text"}, "line 1 is not a pair"),
    ],
)  # fmt: skip
def test_what_is_no_pair_is_refused_with_its_line(
    damage: Callable[[Line, Line], Line],
    said: str,
    pair: Pair,
    embedded_questions: tuple[Question, ...],
    tmp_path: Path,
) -> None:
    path = tmp_path / "pairs.jsonl"
    question = embedded_questions[0]
    others = {
        "wrong": (embedded_questions[1], COT),
        "order": (reordered(question, cyclic_orders()[1]), COT),
        "spec": (question, PromptSpec(mode="cot", thinking=True)),
    }
    made = {}
    for name, (asked, spec) in others.items():
        record = make_record(asked, spec, reasoning="条文の文言とは異なるところがある。")
        write_pairs(path, [Pair(record, replace(record, answer="別の答え"))])
        made[name] = json.loads(path.read_text(encoding="utf-8"))["wrong"]
    write_pairs(path, [pair])
    line = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(damage(line, made)) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=said):
        load_pairs(path)


@pytest.mark.parametrize(("kept", "said"), [(0.0, "is empty"), (0.5, "line 1")])
def test_an_empty_file_and_half_a_line_are_refused(
    kept: float, said: str, pair: Pair, tmp_path: Path
) -> None:
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, [pair])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(DataError, match=said):
        load_pairs(path)
