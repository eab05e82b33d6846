"""What is said of statutes that an adapter has read."""

from __future__ import annotations

from pathlib import Path

from lawqa.augment.reading import ReadingRecord, write_readings
from lawqa.pipelines.adapters.statutes_read import (
    read_nothing_unknown,
    statutes_note,
    statutes_read_json,
)
from lawqa.prompting import Message
from lawqa.questions import Question
from lawqa.records import CHAT_SPEC, LEGACY_SPEC, TrainingRecord

ARTICLE = "## 貸金庫法\n### 第3条\n貸金庫業者は、鍵を帳簿に記載し、五年間保存しなければならない。"
READINGS = (ReadingRecord("x/3", "貸金庫法", ARTICLE), ReadingRecord("y/1", "他法", "## 他法\n文"))
QUESTION = Question(
    "貸金庫_1", "鍵の帳簿について正しいものはどれか。", ("一", "二", "三", "四"), "a", ARTICLE
)


def record(spec: str) -> TrainingRecord:
    return TrainingRecord((Message("user", "問"),), "答", "", 1, spec)


def test_stages_add_up_and_chats_are_not_unknown() -> None:
    first = statutes_read_json(READINGS, [record(CHAT_SPEC)], None)
    assert first == {"articles": 2, "laws": ["他法", "貸金庫法"], "unknown": 0}
    assert read_nothing_unknown({"statutes_read": first})
    second = statutes_read_json(READINGS[:1], [record(LEGACY_SPEC)], first)
    assert second == {"articles": 3, "laws": ["他法", "貸金庫法"], "unknown": 1}
    assert not read_nothing_unknown({"statutes_read": second})
    assert statutes_read_json((), [record(LEGACY_SPEC)], None) is None
    assert not read_nothing_unknown({})


def test_the_note_says_how_many_questions_quote_what_was_read(tmp_path: Path) -> None:
    write_readings(tmp_path / "trained_on.jsonl", READINGS)
    read = statutes_read_json(READINGS, [], None)
    assert read is not None
    files = [tmp_path / "trained_on.jsonl"]
    note = statutes_note(tmp_path, read, [QUESTION], files, asked=True)
    assert note.startswith(
        f"STATUTES READ: {tmp_path} has read 2 articles of 2 statutes as text; 1 of 1"
    )
    assert "trained on no prompt" not in note
    merged = statutes_note(tmp_path, read, [QUESTION], [], asked=False)
    assert "questions quote" not in merged
    assert "it was trained on no prompt" in merged
