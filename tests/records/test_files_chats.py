"""General chats as training records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.errors import DataError
from lawqa.records import CHAT_SPEC, holds_records, load_records, write_records

USER, ANSWER = (
    {"role": "user", "content": "挨拶を"},
    {"role": "assistant", "content": "こんにちは。"},
)


def chats(tmp_path: Path, *turns: list[dict[str, Any]]) -> Path:
    path = tmp_path / "chats.jsonl"
    lines = [json.dumps({"messages": one}, ensure_ascii=False) for one in turns]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_last_turn_of_a_chat_is_learnt_and_comes_back_as_it_was(tmp_path: Path) -> None:
    path = chats(tmp_path, [USER, ANSWER], [USER, ANSWER, USER, ANSWER])
    assert holds_records(path)
    one, other = load_records(path).records
    assert (one.prompt_spec, one.answer, one.question_id, one.thinking) == (
        CHAT_SPEC, "こんにちは。", "", False,
    )  # fmt: skip
    assert [message.role for message in other.messages] == ["user", "assistant", "user"]
    write_records(tmp_path / "again.jsonl", (one, other))
    assert load_records(tmp_path / "again.jsonl").records == (one, other)


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ([USER], "the last turn of a chat must be the assistant's"),
        ([ANSWER], "needs a turn of the user"),
        ([USER, {"role": "assistant", "content": " "}], "with a text"),
        ([{"role": "tool", "content": "x"}, ANSWER], "role 'tool'"),
        ([USER, {"role": "assistant", "content": None}], "expected text"),
        ([], "not a training record"),
    ],
)
def test_what_is_no_chat_is_named_by_its_line(
    tmp_path: Path, turns: list[dict[str, Any]], why: str
) -> None:
    with pytest.raises(DataError, match="line 2 is not a training record") as caught:
        load_records(chats(tmp_path, [USER, ANSWER], turns))
    assert why in caught.value.message
