"""Records in files, and the lab's old ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.errors import DataError
from lawqa.prompting import ChatTokenizer, Message, PromptSpec, spec_hash
from lawqa.questions import Question, write_questions
from lawqa.records import (
    LEGACY_SPEC,
    TrainingRecord,
    load_records,
    make_record,
    tokenize_record,
    write_records,
)

pytestmark = pytest.mark.every_python

MakeQuestion = Callable[..., Question]
MakeTokenizer = Callable[..., ChatTokenizer]
FAR_OFF = 1_000_000


# --- files


def test_records_are_written_and_read_back(tmp_path: Path, question: MakeQuestion) -> None:
    records = (
        make_record(question(text="前\u2028後\n続き"), PromptSpec(condition="gold")),
        make_record(question(order=4), PromptSpec("cot", few_shot=True), reasoning="一。\n二。"),
    )
    path = tmp_path / "records.jsonl"
    write_records(path, records)
    assert [json.loads(line)["schema_version"] for line in lines_of(path)] == [1, 1]
    assert "期間の計算について" in lines_of(path)[1], "readable without a program"
    loaded = load_records(path)
    assert loaded.records == records
    assert loaded.warnings == ()


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_a_question_file_becomes_direct_closed_records_and_that_is_said(
    tmp_path: Path, question: MakeQuestion, suffix: str
) -> None:
    questions = [question(), question(id="民法_2", gold="d")]
    path = tmp_path / f"questions{suffix}"
    write_questions(path, questions)
    if suffix == ".jsonl":
        samples = json.loads(path.read_text(encoding="utf-8"))["samples"]
        path.write_text("\n".join(map(json.dumps, samples)), encoding="utf-8")
    loaded = load_records(path)
    assert loaded.records == tuple(make_record(asked, PromptSpec()) for asked in questions)
    assert loaded.warnings == (f"{path} holds questions: made 2 direct-closed-v1 records of them",)


def test_the_labs_old_records_are_read_and_what_is_lost_is_said(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    old = [{"input": "問題 …\n回答: ", "output": " c\n", "meta": {"mode": "direct"}}] * 2
    path.write_text("\n".join(map(json.dumps, old)), encoding="utf-8")
    loaded = load_records(path)
    assert loaded.records == 2 * (
        TrainingRecord(
            messages=(Message("user", "問題 …\n回答: "),),
            answer="c",
            question_id="",
            order=1,
            prompt_spec=LEGACY_SPEC,
            source="lab-legacy",
        ),
    )
    prompts_warning, leak_warning = loaded.warnings
    assert "unless --allow-prompt-mismatch" in prompts_warning
    assert "cannot refuse trained-on questions" in leak_warning


def test_an_old_record_is_trained_on_with_thinking_off(
    tmp_path: Path, byte_tokenizer: MakeTokenizer
) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text('{"input": "問", "output": "c"}', encoding="utf-8")
    (record,) = load_records(path).records
    tokenizer = byte_tokenizer()
    tokenized = tokenize_record(record, tokenizer, FAR_OFF)
    assert record.key == "unknown question#1"
    assert tokenizer.decode(tokenized.input_ids) == (
        "<|im_start|>user\n問<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\nc<|im_end|>"
    )


RECORD = {
    "schema_version": 1,
    "messages": [{"role": "user", "content": "問"}],
    "answer": "c",
    "question_id": "民法_1",
    "order": 1,
    "prompt_spec": "direct-closed-v1",
    "prompt_hash": spec_hash(PromptSpec(), ""),
    "fingerprint": "0123",
    "source": "question",
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({key: value for key, value in RECORD.items() if key != "answer"}, "answer"),
        ({**RECORD, "answer": 3}, "expected text, found int"),
        ({**RECORD, "answer": None}, "expected text, found NoneType"),
        ({**RECORD, "messages": [{"role": "user"}]}, "content"),
        ({**RECORD, "messages": [{"role": "user", "content": 1}]}, "expected text, found int"),
        ({**RECORD, "messages": "問"}, ""),
        ({**RECORD, "order": "first"}, "first"),
        ({**RECORD, "schema_version": 2}, "schema_version 2, expected 1"),
        ({**RECORD, "prompt_spec": "direct-open-v1"}, "'direct-open-v1' is not known"),
        (3, ""),
        ("text", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_malformed_record_is_named_by_file_and_line(
    tmp_path: Path, line: Any, expected: str
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{json.dumps(RECORD)}\n\n{json.dumps(line)}\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_records(path)
    assert caught.value.message.startswith(f"{path}: line 3 is not a training record: ")
    assert expected in caught.value.message
    assert "lawqa records" in caught.value.hint


@pytest.mark.parametrize("line", ['{"input": "問", "output": 3}', '{"input": null, "output": "c"}'])
def test_a_malformed_old_record_is_named_by_file_and_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text('{"input": "問", "output": "c"}\n' + line, encoding="utf-8")
    with pytest.raises(DataError, match="line 2 is not a training record: expected text, found"):
        load_records(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty"),
        ("{\n", "broken JSON at line 1, column 2"),
        (f"{json.dumps(RECORD)}\n{{]\n", "broken JSON at line 2, column 2"),
        ('{"prompt": "問", "completion": "c"}', "field 問題文: is missing"),
        ("3", "line 1: is not an object but int"),
    ],
    ids=["empty", "broken", "broken second line", "other keys", "no object"],
)
def test_a_file_of_something_else_is_explained(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_records(path)
    assert str(path) in caught.value.message
    assert expected in caught.value.message


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_records(tmp_path / "nothing.jsonl")
